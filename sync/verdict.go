package sync

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash"
	"maps"
	"slices"
	"time"

	"roadbook/conflicts"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/version"
)

// accept keeps what the mutation made and writes its row.
func (s *settling) accept() (record.Outcome, error) {
	w, seq := s.w, s.w.next()
	for _, id := range s.order {
		d := s.drafts[id]
		w.put(d.now)
		if d.left != 0 {
			w.left[id] = d.left
		}
	}
	for _, id := range s.rescope {
		w.rescope = append(w.rescope, store.Rescope{Rec: id, Seq: seq})
	}
	if err := s.spread(seq); err != nil {
		return record.Outcome{}, err
	}
	result := record.Applied
	if s.merged || len(s.clashes) > 0 {
		result = record.Merged
	}
	keep := stored{Over: s.over, Clamped: s.clamped, Clashes: s.storedClashes()}
	w.append(s.writer, s.m, store.Entry{
		Seq: seq, Stamp: s.by.Stamp, Person: s.actor.Person, Result: result, Body: s.body(), Outcome: keep.text(),
	})
	out := w.e.outcome(w.tx.Org, w.head.Epoch, &w.log[len(w.log)-1], keep)
	out.Clashes = s.clashes
	out.Records = s.shown()
	return out, nil
}

// refuse keeps nothing of the mutation but its number and why.
func (s *settling) refuse(why *errs.Error) (record.Outcome, error) {
	w, seq := s.w, s.w.next()
	refusal := record.RefusalOf(why)
	if refusal.Code == "" {
		refusal.Code = string(why.Kind)
	}
	for i := range s.m.Edits {
		if e := &s.m.Edits[i]; e.Op == record.OpCreate && w.records[e.ID] == nil {
			w.lost[e.ID] = seq
		}
	}
	person := record.NoID
	if s.actor != nil {
		person = s.actor.Person
	}
	s.edits = s.edits[:0]
	for i := range s.m.Edits {
		s.edits = append(s.edits, editBody{Edit: &s.m.Edits[i]})
	}
	keep := stored{Refusal: refusal}
	w.append(s.writer, s.m, store.Entry{
		Seq: seq, Stamp: s.writer.Stamp, Person: person, Result: record.Refused, Body: s.body(), Outcome: keep.text(),
	})
	out := w.e.outcome(w.tx.Org, w.head.Epoch, &w.log[len(w.log)-1], keep)
	shown, err := s.truth()
	out.Records = shown
	return out, err
}

// shown is how the fields that clashed now stand.
func (s *settling) shown() []record.Shown {
	var out []record.Shown
	for _, c := range s.clashes {
		if rec := s.w.records[c.ID]; rec != nil && rec.Slot(c.Field) != nil {
			out = show(out, rec, c.Field)
		}
	}
	return out
}

// show adds a field to what is shown of a record.
func show(out []record.Shown, rec *record.Record, field string) []record.Shown {
	value := record.Value{Field: field, Raw: rec.Slot(field).Raw}
	if last := len(out) - 1; last >= 0 && out[last].ID == rec.ID {
		out[last].Set = appendMember(out[last].Set, value)
		return out
	}
	return append(out, record.Shown{Kind: rec.Kind.Name, ID: rec.ID, Seq: rec.Seq, Set: record.Values{value}.AppendJSON(nil)})
}

func appendMember(object json.RawMessage, v record.Value) json.RawMessage {
	object = append(object[:len(object)-1], ',')
	return append(object, record.Values{v}.AppendJSON(nil)[1:]...)
}

// truth shows the author of a refused mutation the fields that he wanted to
// change, of records that he may see.
func (s *settling) truth() ([]record.Shown, error) {
	if s.actor == nil {
		return nil, nil
	}
	s.drafts = nil
	var out []record.Shown
	for i := range s.m.Edits {
		e := &s.m.Edits[i]
		rec, err := s.w.record(e.ID)
		if err != nil {
			return nil, err
		}
		if rec == nil || rec.State == record.Deleted || !s.actor.Sees(rec.Kind, rec.Scopes) {
			continue
		}
		var set record.Values
		for _, values := range []record.Values{e.Set, e.Add, e.Remove, e.Inc} {
			for _, v := range values {
				if slot := rec.Slot(v.Field); slot != nil && !s.actor.Hides(rec.Kind, v.Field) && set.Get(v.Field) == nil {
					set = append(set, record.Value{Field: v.Field, Raw: slot.Raw})
				}
			}
		}
		out = append(out, record.Shown{Kind: rec.Kind.Name, ID: rec.ID, Seq: rec.Seq, Set: set.AppendJSON(nil)})
	}
	return out, nil
}

// stored is what a row keeps of a verdict besides the row itself: codes and
// names, no values, because a repeat looks those up under the rights of then.
type stored struct {
	Over    map[record.ID]version.Vector `json:"over,omitempty"`
	Clamped bool                         `json:"clamped,omitempty"`
	Clashes []storedClash                `json:"clashes,omitempty"`
	Refusal *record.Refusal              `json:"refusal,omitempty"`
}

type storedClash struct {
	Kind     string     `json:"kind"`
	ID       record.ID  `json:"id"`
	Field    string     `json:"field"`
	Code     string     `json:"code"`
	Conflict *record.ID `json:"conflict,omitempty"`
	Mine     bool       `json:"mine,omitempty"` // what lost is the author's own
}

// text is nil when there is nothing to keep: plainly applied.
func (s stored) text() []byte {
	if len(s.Over) == 0 && !s.Clamped && len(s.Clashes) == 0 && s.Refusal == nil {
		return nil
	}
	if !s.Clamped && len(s.Clashes) == 0 && s.Refusal == nil {
		return append(appendOver([]byte(`{"over":`), s.Over), '}') // what nearly all are
	}
	text, err := json.Marshal(s)
	if err != nil {
		panic("sync: a verdict cannot be written: " + err.Error())
	}
	return text
}

// appendOver appends what encoding/json would write.
func appendOver(b []byte, over map[record.ID]version.Vector) []byte {
	b = append(b, '{')
	for i, id := range idsOf(over) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(record.AppendID(append(b, '"'), id), `":`...)
		b = over[id].AppendJSON(b)
	}
	return append(b, '}')
}

func idsOf(over map[record.ID]version.Vector) []record.ID {
	return slices.SortedFunc(maps.Keys(over), func(a, b record.ID) int { return slices.Compare(a[:], b[:]) })
}

func (s *settling) storedClashes() []storedClash {
	var out []storedClash
	for i, c := range s.clashes {
		out = append(out, storedClash{Kind: c.Kind, ID: c.ID, Field: c.Field, Code: c.Code, Conflict: c.Conflict, Mine: s.mine[i]})
	}
	return out
}

// outcome is a row's verdict as its device is told, without values.
func (e *Engine) outcome(org record.OrgID, epoch string, row *store.Entry, keep stored) record.Outcome {
	out := record.Outcome{N: row.N, ID: row.ID, Result: row.Result, Seq: row.Seq, Refusal: keep.Refusal}
	if row.Result == record.Refused {
		return out
	}
	stamp := row.Stamp
	out.Stamp, out.Over, out.Clamped = &stamp, keep.Over, keep.Clamped
	out.Receipt = e.receipt(org, epoch, row, keep.Over)
	return out
}

// receipt proves to a restored server that it once accepted a mutation, and
// what it had established of it: HMAC-SHA-256, cut to 16 bytes.
func (e *Engine) receipt(org record.OrgID, epoch string, row *store.Entry, over map[record.ID]version.Vector) string {
	mac, _ := e.macs.Get().(hash.Hash)
	defer e.macs.Put(mac)
	mac.Reset()
	b := make([]byte, 0, 128)
	b = append(b, "receipt\x00"...)
	b = binary.BigEndian.AppendUint32(b, uint32(org))
	b = append(append(b, epoch...), 0)
	b = binary.BigEndian.AppendUint32(b, uint32(row.Replica))
	b = binary.BigEndian.AppendUint64(b, row.N)
	b = append(b, row.ID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(row.Stamp.Packed()))
	b = binary.BigEndian.AppendUint64(b, uint64(row.Seq))
	for _, id := range idsOf(over) {
		b = append(b, id[:]...)
		b = append(append(b, over[id].String()...), 0)
	}
	mac.Write(b)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// repeat answers a mutation that was judged before.
func (w *work) repeat(row *store.Entry, person record.ID) (record.Outcome, error) {
	actor, err := w.actor(person)
	if err != nil {
		return record.Outcome{}, err
	}
	if row.Twin != 0 && string(row.Body) == "[]" { // the log tells of its edits once
		first, err := w.entryAt(row.Twin)
		if err != nil {
			return record.Outcome{}, err
		}
		row.Body = first.Body
	}
	out, err := w.e.told(w.tx.Org, w.head.Epoch, row, func(c storedClash) (*record.Record, error) {
		rec, err := w.record(c.ID)
		if err != nil || rec == nil || !actor.Sees(rec.Kind, rec.Scopes) || actor.Hides(rec.Kind, c.Field) {
			return nil, err
		}
		return rec, nil
	})
	out.Repeated = true
	return out, err
}

// told is a stored verdict with the values that its author may see now. look
// finds a record that he may see, or nil.
func (e *Engine) told(org record.OrgID, epoch string, row *store.Entry, look func(storedClash) (*record.Record, error)) (record.Outcome, error) {
	var keep stored
	if row.Outcome != nil {
		if err := json.Unmarshal(row.Outcome, &keep); err != nil {
			return record.Outcome{}, err
		}
	}
	out := e.outcome(org, epoch, row, keep)
	for _, c := range keep.Clashes {
		clash := record.Clash{Kind: c.Kind, ID: c.ID, Field: c.Field, Code: c.Code, Conflict: c.Conflict}
		rec, err := look(c)
		if err != nil {
			return out, err
		}
		if rec != nil && rec.Slot(c.Field) != nil {
			clash.Kept = rec.Slot(c.Field).Raw
			out.Records = show(out.Records, rec, c.Field)
		}
		switch {
		case c.Field == deletedField.Name: // an edit and a delete met, and the delete yielded
			clash.Kept, clash.Lost = json.RawMessage("false"), json.RawMessage("true")
		case c.Mine:
			clash.Lost = typed(row.Body, c.ID, c.Field)
		case rec != nil:
			clash.Lost = replaced(row.Body, c.ID, c.Field)
		}
		out.Clashes = append(out.Clashes, clash)
	}
	return out, nil
}

// conflictKind is the kind of the records that ask a person to look.
const conflictKind = "conflict"

// clash tells the author, and opens a conflict where the policy asks for a
// person. The conflict belongs to the record and comes in the same commit.
func (s *settling) clash(r *record.Record, c conflicts.Clash) error {
	s.merged = true
	told := record.Clash{
		Kind: r.Kind.Name, ID: r.ID, Field: c.Field.Name, Kept: c.Kept, Lost: c.Lost, Code: string(c.Field.Policy),
	}
	if kind := s.w.schema.Kind(conflictKind); c.Ask && kind != nil && r.Kind != kind {
		id := s.m.ID.Derive(r.ID.String() + " " + c.Field.Name)
		if err := s.open(kind, id, r, c); err != nil {
			return err
		}
		told.Conflict = &id
	}
	s.clashes = append(s.clashes, told)
	s.mine = append(s.mine, c.LostBy.Same(s.by))
	return nil
}

func (s *settling) open(kind *record.Kind, id record.ID, r *record.Record, c conflicts.Clash) error {
	values, err := s.versions(id, c)
	if err != nil {
		return err
	}
	e := &record.Edit{Op: record.OpCreate, Kind: kind.Name, ID: id, Set: record.Values{
		{Field: "record", Raw: quote(r.ID.String())},
		{Field: "about_kind", Raw: quote(r.Kind.Name)},
		{Field: "field", Raw: quote(c.Field.Name)},
		{Field: "policy", Raw: quote(string(c.Field.Policy))},
		{Field: "values", Raw: values},
		{Field: "state", Raw: quote("open")},
		{Field: "owner", Raw: quote(r.Owner.String())},
	}}
	if r.Owner.IsZero() {
		e.Set = e.Set[:len(e.Set)-1]
	}
	if known, err := s.find(id); known != nil || err != nil {
		return err // asked already
	}
	d := s.fresh(kind, id)
	w := s.write(&record.Edit{})
	w.Server = true
	report, err := conflicts.Apply(d.now, e, w)
	if err != nil {
		return err
	}
	s.defaults(d.now)
	return s.report(d.now, report, &editBody{Edit: e, Server: true})
}

// maxShownValue is the longest value that a conflict carries; a longer one is
// in the field's history.
const maxShownValue = 16 << 10

// versions are the values that clashed, who wrote each and when.
func (s *settling) versions(id record.ID, c conflicts.Clash) ([]byte, error) {
	out := []byte{'['}
	for i, v := range []struct {
		raw json.RawMessage
		by  record.Writer
	}{{c.Kept, c.KeptBy}, {c.Lost, c.LostBy}} {
		if i > 0 {
			out = append(out, ',')
		}
		row := record.Values{{Field: "id", Raw: quote(id.Derive([]string{"kept", "lost"}[i]).String())}}
		if len(v.raw) <= maxShownValue {
			row = append(row, record.Value{Field: "value", Raw: quote(string(v.raw))})
		}
		if !v.by.IsZero() {
			author, err := s.authorOf(v.by)
			if err != nil {
				return nil, err
			}
			row = append(row,
				record.Value{Field: "author", Raw: quote(author.String())},
				record.Value{Field: "at", Raw: instant(v.by.Stamp.MS)},
				record.Value{Field: "dot", Raw: quote(version.Dot{Replica: store.ReplicaName(v.by.Replica), N: v.by.N}.String())},
			)
		}
		out = row.AppendJSON(out)
	}
	return append(out, ']'), nil
}

// authorOf is whose replica made a write.
func (s *settling) authorOf(by record.Writer) (record.ID, error) {
	if by.Replica == s.by.Replica {
		return s.actor.Person, nil
	}
	if s.w.writers[by.Replica] == nil {
		if err := s.w.loadWriters([]record.ReplicaID{by.Replica}); err != nil {
			return record.NoID, err
		}
	}
	if w := s.w.writers[by.Replica]; w != nil {
		return w.Person, nil
	}
	return record.NoID, nil
}

// instant is a moment as a field of type datetime holds it.
func instant(ms int64) []byte {
	t, layout := time.UnixMilli(ms).UTC(), `"2006-01-02T15:04:05.000Z"`
	if t.Nanosecond() == 0 {
		layout = `"2006-01-02T15:04:05Z"`
	}
	return t.AppendFormat(make([]byte, 0, len(layout)), layout)
}
