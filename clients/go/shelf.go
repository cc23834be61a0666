package device

import (
	"encoding/json"
	"slices"
	"strings"

	"roadbook/record"
	"roadbook/sync/wire"
)

// shelf holds records as they were pulled. There are two of them only while a
// device starts over: one is shown, the other is being filled.
type shelf struct {
	slot    string // a or b
	epoch   string // of the log that the records came from
	records map[record.ID]*held
	leads   map[record.ID]record.ID // from what was merged away to what it goes on as
	tally   wire.Tally              // of records
	bad     [][]byte                // keys of rows that could not be read
}

// held is a record as it was pulled, with the scopes through which it is here.
// Its values are replaced, never changed in place, because views share them.
type held struct {
	Kind string        `json:"kind"`
	Seq  record.Seq    `json:"seq"`
	In   []string      `json:"in,omitempty"`
	Set  record.Values `json:"set"`
}

func newShelf(slot, epoch string) *shelf {
	return &shelf{slot: slot, epoch: epoch, records: map[record.ID]*held{}, leads: map[record.ID]record.ID{}}
}

func (s *shelf) table() string { return tableBase + s.slot }

func (s *shelf) load(store Store) error {
	return store.Load(s.table(), func(key, value []byte) error {
		h := &held{}
		text, whole := unseal(value)
		if whole && len(key) == len(record.ID{}) {
			whole = json.Unmarshal(text, h) == nil
		}
		if !whole || len(key) != len(record.ID{}) {
			s.bad = append(s.bad, slices.Clone(key))
			return nil
		}
		s.records[record.ID(key)] = h
		s.lead(h)
		s.count(record.ID(key), h, 1)
		return nil
	})
}

// seq is the record's seq as last pulled, 0 if it never was.
func (s *shelf) seq(id record.ID) record.Seq {
	if h := s.records[id]; h != nil {
		return h.Seq
	}
	return 0
}

// shows reports whether any of some fields of a record has come.
func (s *shelf) shows(id record.ID, fields []string) bool {
	h := s.records[id]
	return h != nil && slices.ContainsFunc(fields, func(f string) bool { return h.Set.Get(f) != nil })
}

// apply takes a page in: first what is taken away, then what is new. It counts
// the changes that make no sense, of which a sound server sends none. month
// says when a record happened.
func (s *shelf) apply(p *wire.PullAnswer, month func(h *held) string, b *batch) (faults int) {
	s.epoch = p.Epoch
	s.drop(p.DropScopes, b)
	for _, w := range p.Withdraw {
		s.withdraw(w, b)
	}
	if p.Want != nil {
		s.limit(p.Want, month, b)
	}
	for i := range p.Changes {
		if !s.change(&p.Changes[i], b) {
			faults++
		}
	}
	return faults
}

// drop takes away the records that only these scopes held.
func (s *shelf) drop(scopes []string, b *batch) {
	if len(scopes) == 0 {
		return
	}
	for id, h := range s.records {
		left := slices.DeleteFunc(slices.Clone(h.In), func(scope string) bool {
			return slices.Contains(scopes, scope)
		})
		switch {
		case len(left) == len(h.In):
		case len(left) == 0:
			s.remove(id, b)
		default:
			s.put(id, &held{Kind: h.Kind, Seq: h.Seq, In: left, Set: h.Set}, b)
		}
	}
}

// withdraw takes away what may no longer be seen: fields, or a whole kind.
func (s *shelf) withdraw(w wire.Withdraw, b *batch) {
	for id, h := range s.records {
		if h.Kind != w.Kind {
			continue
		}
		if len(w.Fields) == 0 {
			s.remove(id, b)
			continue
		}
		left := slices.DeleteFunc(slices.Clone(h.Set), func(v record.Value) bool {
			field, _, _ := strings.Cut(v.Field, ".") // a key of a map goes with the map
			return slices.Contains(w.Fields, v.Field) || slices.Contains(w.Fields, field)
		})
		if len(left) < len(h.Set) {
			s.put(id, &held{Kind: h.Kind, Seq: h.Seq, In: h.In, Set: left}, b)
		}
	}
}

// limit drops what lies outside of what the device is shown from now on.
func (s *shelf) limit(w *wire.Want, month func(h *held) string, b *batch) {
	for id, h := range s.records {
		m := month(h)
		if m != "" && m < w.From || w.Kinds != nil && !slices.Contains(w.Kinds, h.Kind) {
			s.remove(id, b)
		}
	}
}

// change takes in what became of one record. It reports false for a part of a
// record that is not here.
func (s *shelf) change(c *wire.Change, b *batch) bool {
	was := s.records[c.ID]
	switch {
	case c.Gone != "":
		if was != nil {
			s.remove(c.ID, b)
		}
		return true
	case c.Full:
		s.put(c.ID, &held{Kind: c.Kind, Seq: c.Seq, In: c.In, Set: c.Set}, b)
		return true
	case was == nil:
		return false
	}
	now := &held{Kind: was.Kind, Seq: c.Seq, In: was.In, Set: was.Set}
	if c.In != nil {
		now.In = c.In
	}
	for _, v := range c.Set {
		now.Set = now.Set.With(v.Field, v.Raw)
	}
	s.put(c.ID, now, b)
	return true
}

func (s *shelf) put(id record.ID, h *held, b *batch) {
	s.count(id, s.records[id], -1)
	s.count(id, h, 1)
	s.records[id] = h
	s.lead(h)
	if !b.off {
		b.putText(s.table(), id[:], seal(h.text()))
	}
}

// text is what encoding/json writes of h, without looking at its values again.
func (h *held) text() []byte {
	b := record.AppendString([]byte(`{"kind":`), h.Kind)
	b = append(append(b, `,"seq":"`...), h.Seq.String()...)
	b = append(b, `","in":[`...)
	for i, scope := range h.In {
		if i > 0 {
			b = append(b, ',')
		}
		b = record.AppendString(b, scope)
	}
	return append(h.Set.AppendJSON(append(b, `],"set":`...)), '}')
}

func (s *shelf) remove(id record.ID, b *batch) {
	s.unlead(s.records[id])
	s.count(id, s.records[id], -1)
	delete(s.records, id)
	b.delete(s.table(), id[:])
}
