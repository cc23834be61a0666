package sync

import "roadbook/record"

// apart says why two records that are alike are not made one.
type apart int

const (
	notApart   apart = iota
	maybeApart       // a person is to look
	saidApart        // a person has said that they are not
)

// isApart says whether somebody has said that two records are not one, or that
// of what has gone into them: a third must not make one of what two people keep
// apart. Nor is a branch its own head office.
func (s *settling) isApart(a, b *record.Record) (apart, error) {
	note, err := s.find(apartID(a.ID, b.ID))
	switch {
	case err != nil:
		return notApart, err
	case note != nil && note.Text("state") == "dismissed":
		return saidApart, nil
	case refersTo(a, b.ID) || refersTo(b, a.ID):
		return maybeApart, nil
	}
	ones, err := s.wentInto(a)
	if err != nil {
		return notApart, err
	}
	others, err := s.wentInto(b)
	if err != nil {
		return notApart, err
	}
	for _, one := range append(ones, a.ID) {
		for _, other := range append(others, b.ID) {
			note, err := s.find(apartID(one, other))
			if err != nil {
				return notApart, err
			}
			if note != nil && note.Text("state") == "dismissed" {
				return maybeApart, nil
			}
		}
	}
	return notApart, nil
}

// foreseeApart loads at once what isApart asks of a record and others.
func (s *settling) foreseeApart(r *record.Record, others []*record.Record) error {
	notes, ids := map[record.ID]bool{}, []record.ID{r.ID}
	for _, other := range others {
		notes[apartID(r.ID, other.ID)] = true
		ids = append(ids, other.ID)
	}
	if len(notes) == 0 {
		return nil
	}
	if err := s.w.loadRecords(notes); err != nil {
		return err
	}
	return s.w.loadLeads(ids)
}

// refersTo reports whether a record names another of its kind.
func refersTo(r *record.Record, id record.ID) bool {
	for _, f := range r.Kind.Fields {
		if f.To == r.Kind.Name && f.Policy != record.Set && r.Ref(f.Name) == id {
			return true
		}
	}
	return false
}
