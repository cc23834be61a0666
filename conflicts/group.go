package conflicts

import (
	"encoding/json"

	"roadbook/record"
)

// unit is a group of fields on its way: what each member would become.
type unit struct {
	members []*record.Field
	values  []json.RawMessage // nil for a member that keeps what it has
	by      record.Writer     // of what is there now
}

// group settles the fields of an edit that merge as one: an address and its
// point on the map belong together, whoever wins. A member that the edit does
// not name keeps the value that its author saw, and all get the one dot.
func (s *settling) group(name string, set record.Values) {
	u, ok := s.unit(name, set)
	if !ok {
		return
	}
	if s.w.Covers(u.by) {
		s.take(u, Took)
		return
	}
	if !s.rewind(u) {
		return
	}
	same := true
	for i, f := range u.members {
		same = same && sameValue(s.rec.Raw(f.Name), u.values[i])
	}
	switch verdict := rank(u.by, same, s.w); {
	case verdict == Beat, verdict == Agreed && Compare(s.w.By, u.by) > 0:
		s.take(u, verdict)
	default:
		for i, f := range u.members {
			if raw := set.Get(f.Name); raw != nil && !s.empty(raw) {
				s.noteDiffering(f, u.by, u.values[i], verdict)
			}
		}
		s.report.Merged = true
	}
}

// unit gathers the members and what the edit says of them.
func (s *settling) unit(name string, set record.Values) (u unit, ok bool) {
	ok = true
	for _, f := range s.rec.Kind.Fields {
		if f.Group != name {
			continue
		}
		raw := set.Get(f.Name)
		if raw != nil && !s.empty(raw) {
			canon, good := s.check(f, raw)
			raw, ok = canon, ok && good
		} else {
			raw = nil
		}
		u.members, u.values = append(u.members, f), append(u.values, raw)
		if slot := s.rec.Slot(f.Name); slot != nil && Compare(slot.By, u.by) > 0 {
			u.by = slot.By // they share one, unless the group is younger than its fields
		}
	}
	return u, ok
}

// rewind gives the members that the edit does not name the values that its
// author saw. One that is empty now may have had a value for him, his own that
// lost.
func (s *settling) rewind(u unit) bool {
	for i, f := range u.members {
		if u.values[i] != nil {
			continue
		}
		raw, err := s.w.At(f.Name, s.w.Seen.Log)
		if err != nil {
			s.fail("history", f.Name, "what stood here before could not be read")
			return false
		}
		if raw == nil && s.rec.Slot(f.Name) != nil {
			raw = json.RawMessage("null")
		}
		u.values[i] = raw
	}
	return true
}

// take writes the unit, all members with the one dot.
func (s *settling) take(u unit, verdict Verdict) {
	for i, f := range u.members {
		raw := u.values[i]
		if raw == nil && s.rec.Slot(f.Name) == nil {
			continue
		}
		slot := s.rec.Put(f.Name)
		was := *slot
		was.By = u.by
		slot.By = s.w.By
		if raw == nil {
			continue
		}
		slot.Raw = raw
		if verdict != Beat || !sameValue(was.Raw, raw) {
			s.note(f, was, raw, verdict)
		}
	}
}

// noteDiffering tells of a member whose value lost to another; equal ones have
// nothing to tell.
func (s *settling) noteDiffering(f *record.Field, by record.Writer, raw json.RawMessage, verdict Verdict) {
	was := record.Slot{Raw: s.rec.Raw(f.Name), By: by}
	if !sameValue(was.Raw, raw) {
		s.note(f, was, raw, verdict)
	}
}
