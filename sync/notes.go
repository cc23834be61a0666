package sync

import (
	"maps"

	"roadbook/record"
	"roadbook/record/field"
)

// moot is the state of a possible duplicate about which there is nothing to say
// any more: one of the two goes on as another, or they are not alike any more.
const moot = "moot"

// mootNotes closes what people are asked of a record and certain others.
func (s *settling) mootNotes(r *record.Record, done func(other *record.Record) bool) error {
	notes, err := s.openNotes(r)
	if err != nil {
		return err
	}
	for _, note := range notes {
		id := note.Ref("other")
		if id == r.ID {
			id = typedTo(note.Slot("account"))
		}
		other, err := s.find(id)
		if err != nil {
			return err
		}
		if other != nil && !done(other) {
			continue
		}
		if err := s.noteOf(duplicateKind, note.ID, record.NoID, record.Values{{Field: "state", Raw: quote(moot)}}); err != nil {
			return err
		}
	}
	return nil
}

// mootBetween takes back what people have said of two, and of what has gone into
// them, if it is this: somebody has decided anew of the whole.
func (s *settling) mootBetween(a, b *record.Record, said string) error {
	ones, err := s.wentInto(a)
	if err != nil {
		return err
	}
	others, err := s.wentInto(b)
	if err != nil {
		return err
	}
	for _, one := range append(ones, a.ID) {
		for _, other := range append(others, b.ID) {
			note, err := s.find(apartID(one, other))
			if err != nil {
				return err
			}
			if note == nil || note.Text("state") != said {
				continue
			}
			if err := s.noteOf(duplicateKind, note.ID, record.NoID, record.Values{{Field: "state", Raw: quote(moot)}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// openNotes are the open questions whether a record is one with another.
func (s *settling) openNotes(r *record.Record) ([]*record.Record, error) {
	kind := s.w.schema.Kind(duplicateKind)
	if kind == nil {
		return nil, nil
	}
	open := "open"
	if err := s.loadOpen([]record.ID{r.ID}, duplicateKind, "state", &open); err != nil {
		return nil, err
	}
	if f := kind.Field("other"); f != nil && f.Lookup != 0 {
		key, err := field.Key(f.Type, quoteID(r.ID))
		if err != nil {
			return nil, err
		}
		found, err := s.w.tx.Alike(s.w.ctx, kind.LookupNo(f), []string{key}, maxChildren)
		if err != nil {
			return nil, err
		}
		ids := map[record.ID]bool{}
		for _, id := range found[key] {
			ids[id] = true
		}
		if err := s.w.loadRecords(ids); err != nil {
			return nil, err
		}
	}
	ids := map[record.ID]bool{}
	for id := range s.w.records {
		ids[id] = true
	}
	for _, id := range s.order {
		ids[id] = true
	}
	return s.those(maps.Keys(ids), func(note *record.Record) bool {
		return note.Kind == kind && note.State == record.Live && note.Text("state") == open &&
			(note.Ref("other") == r.ID || typedTo(note.Slot("account")) == r.ID)
	}), nil
}
