package sync

import (
	"bytes"
	"encoding/json"

	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/record/match"
	"roadbook/sync/history"
)

// merge makes one record of two that are about the same thing, and returns it.
// Which of them goes on follows from their ids alone, so that it does not matter
// who came first. It becomes what it would be if both had been edits of one
// record; the other becomes a tombstone that a redirect leads on from.
func (s *settling) merge(a, b *record.Record) (*record.Record, error) {
	if bytes.Compare(b.ID[:], a.ID[:]) < 0 {
		a, b = b, a
	}
	survivor, dead := s.draft(a), s.draft(b)
	reason := reasonOf(survivor.now, dead.now)
	survivor.quiet, survivor.wrote = false, true
	first, err := s.cameFirst(survivor.now, dead.now)
	if err != nil {
		return nil, err
	}
	if err := s.takeOver(survivor, dead.now, first); err != nil {
		return nil, err
	}
	s.edits = append(s.edits, history.Edit{
		Edit: &record.Edit{Op: record.OpDelete, Kind: b.Kind.Name, ID: b.ID}, P: seqOf(dead.was), Server: true,
	})
	s.bury(dead.now)
	s.rescope = append(s.rescope, b.ID)
	for _, d := range []*draft{dead, survivor} {
		if err := s.settleDraft(d); err != nil {
			return nil, err
		}
	}
	if s.judging { // otherwise nothing is made one that is kept apart
		if err := s.mootBetween(survivor.now, dead.now, "dismissed"); err != nil {
			return nil, err
		}
	}
	if err := s.lead(dead.now, survivor.now, reason); err != nil {
		return nil, err
	}
	if lead := s.drafts[redirectID(b.ID)]; lead != nil { // the next may ask what has gone into this one
		if err := s.settleDraft(lead); err != nil {
			return nil, err
		}
	}
	if err := s.say(survivor.now, dead.now, "merged"); err != nil {
		return nil, err
	}
	if err := s.handOn(dead.now, survivor.now); err != nil {
		return nil, err
	}
	if err := s.mootNotes(dead.now, func(*record.Record) bool { return true }); err != nil {
		return nil, err
	}
	s.led(survivor.now, dead.now.ID)
	return survivor.now, nil
}

func seqOf(r *record.Record) record.Seq {
	if r == nil {
		return 0
	}
	return r.Seq
}

// reasonOf names the fields by which two records are one.
func reasonOf(a, b *record.Record) string {
	if key, shared := match.Shared(a.Matches(), b.Matches()); shared {
		return fieldsOf(a.Kind, key)
	}
	return "decided"
}

// led tells the author that what he wrote to goes on as another record.
func (s *settling) led(survivor *record.Record, dead record.ID) {
	id := redirectID(dead)
	s.tell(record.Clash{
		Kind: survivor.Kind.Name, ID: survivor.ID, Field: history.Merged,
		Kept: quoteID(survivor.ID), Lost: quoteID(dead), Code: duplicatePolicy, Conflict: &id,
	}, told{dead: dead})
}

// duplicatePolicy is what the wire calls it when two records become one.
const duplicatePolicy = "duplicate"

// takeOver gives a record the fields of another, each by its policy and with the
// writes that it has there. They come into it at this place in the log. Its owner
// is that of the first.
func (s *settling) takeOver(d *draft, from, first *record.Record) error {
	to, all := d.now, conflicts.Report{}
	e := &record.Edit{Op: record.OpEdit, Kind: to.Kind.Name, ID: to.ID}
	for i := range from.Slots {
		if err := s.takeField(to, from, from.Slots[i].Field, e, &all); err != nil {
			return err
		}
	}
	s.share(to, from, first, e, &all)
	s.taking = from
	defer func() { s.taking = nil }()
	if err := s.report(to, all, &history.Edit{Edit: e, P: seqOf(d.was), Server: true, Of: from.ID}); err != nil {
		return err
	}
	return s.carry(to, from)
}

// ownFields are those that say whose a record is and of its making: they are
// not taken over.
func ownFields(f *record.Field) bool {
	return f.Name == "owner" || f.Policy == record.Once || f.Policy == record.Server
}

func (s *settling) takeField(to, from *record.Record, name string, e *record.Edit, all *conflicts.Report) error {
	f, slot := to.Kind.Field(name), from.Slot(name)
	switch {
	case f == nil || record.IsNull(slot.Raw) || ownFields(f) && (f.Name == "owner" || to.Raw(name) != nil):
		return nil
	case f.Policy == record.Set && len(slot.Elems) == 0:
		return nil
	case f.Policy == record.Set:
		was(all, to, name)
		mine := to.Put(name)
		for _, elem := range slot.Elems {
			for _, by := range elem.Adds {
				w := s.comesIn(by)
				w.Seen.Apart = s.by.Seq // who adds it to both takes it out of one at a time
				conflicts.Add(mine, elem.Raw, w)
			}
		}
		e.Add = append(e.Add, record.Value{Field: name, Raw: slot.Raw})
		return nil
	case f.Policy == record.Counter:
		was(all, to, name)
		delta, err := conflicts.Delta(slot.Raw)
		if err == nil {
			err = conflicts.Count(to.Put(name), delta, s.comesIn(slot.By))
		}
		e.Inc = append(e.Inc, record.Value{Field: name, Raw: slot.Raw})
		return err
	}
	set := record.Values{}
	for _, g := range to.Kind.GroupOf(f) {
		if raw := from.Raw(g.Name); raw != nil || g == f {
			set = append(set, record.Value{Field: g.Name, Raw: record.OrNull(raw)})
		}
	}
	if e.Set.Get(name) != nil {
		return nil // with its group
	}
	report, err := conflicts.Apply(to, &record.Edit{Op: record.OpEdit, Kind: e.Kind, ID: e.ID, Set: set}, s.comesIn(slot.By))
	e.Set = append(e.Set, set...)
	all.Was = append(all.Was, report.Was...)
	all.Clashes = append(all.Clashes, report.Clashes...)
	all.Settled = append(all.Settled, report.Settled...)
	return err
}

// was keeps what stood in a field, for history.
func was(all *conflicts.Report, r *record.Record, name string) {
	var raw json.RawMessage
	if slot := r.Slot(name); slot != nil {
		raw = slot.Raw
	}
	all.Was = append(all.Was, record.Value{Field: name, Raw: record.OrNull(raw)})
}

// comesIn is a write that was made to another record. Nobody had seen it here.
func (s *settling) comesIn(by record.Writer) *conflicts.Write {
	none := func(string, record.Seq) (json.RawMessage, error) { return nil, nil }
	by.Seq = s.by.Seq
	return &conflicts.Write{
		By: by, Server: true, Again: true, At: none, Stood: func(field string) (json.RawMessage, error) { return none(field, 0) },
	}
}
