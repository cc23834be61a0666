package conflicts

import (
	"encoding/json"

	"roadbook/record"
)

// unit is a group of fields on its way: what each member would become.
type unit struct {
	members []*record.Field
	values  []json.RawMessage // nil for a member that keeps what it has
}

// group settles the fields of an edit that merge as one: an address and its
// point on the map belong together, whoever wins. A member that the edit does
// not name keeps the value that its author saw, and all get the one dot.
func (s *settling) group(name string, set record.Values) {
	u := unit{}
	for _, f := range s.rec.Kind.Fields {
		if f.Group != name {
			continue
		}
		raw := set.Get(f.Name)
		if raw != nil {
			canon, ok := s.check(f, raw)
			if !ok {
				return
			}
			raw = canon
		}
		u.members, u.values = append(u.members, f), append(u.values, raw)
	}
	cur := s.groupWriter(u)
	if s.w.Covers(cur) {
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
	switch verdict := rank(cur, same, s.w); {
	case verdict == Beat, verdict == Agreed && Compare(s.w.By, cur) > 0:
		s.take(u, verdict)
	default:
		for i, f := range u.members {
			if set.Get(f.Name) != nil {
				s.noteDiffering(f, u.values[i], verdict)
			}
		}
		s.report.Merged = true
	}
}

// groupWriter is the greatest of the members' writers; they share one, unless
// the group is younger than its fields.
func (s *settling) groupWriter(u unit) record.Writer {
	var cur record.Writer
	for _, f := range u.members {
		if slot := s.rec.Slot(f.Name); slot != nil && Compare(slot.By, cur) > 0 {
			cur = slot.By
		}
	}
	return cur
}

// rewind gives the members that the edit does not name the values that its
// author saw.
func (s *settling) rewind(u unit) bool {
	for i, f := range u.members {
		if u.values[i] != nil || s.rec.Slot(f.Name) == nil {
			continue
		}
		raw, err := s.w.At(f.Name, s.w.Seen.Log)
		if err != nil {
			s.fail("history", f.Name, "what stood here before could not be read")
			return false
		}
		if raw == nil {
			raw = json.RawMessage("null")
		}
		u.values[i] = raw
	}
	return true
}

// take writes the unit, all members with the one dot.
func (s *settling) take(u unit, verdict Verdict) {
	for i, f := range u.members {
		slot := s.rec.Slot(f.Name)
		if slot == nil && record.IsNull(u.values[i]) {
			continue
		}
		if slot == nil {
			slot = s.rec.Put(f.Name)
		}
		was := *slot
		slot.By = s.w.By
		if u.values[i] != nil {
			slot.Raw = u.values[i]
			s.noteChange(f, was, slot.Raw, verdict)
		}
	}
}

func (s *settling) noteChange(f *record.Field, was record.Slot, raw json.RawMessage, verdict Verdict) {
	if verdict == Beat && sameValue(was.Raw, raw) {
		return
	}
	s.note(f, was, raw, verdict)
}

// noteDiffering tells of a member whose value lost to another; equal ones have
// nothing to tell.
func (s *settling) noteDiffering(f *record.Field, raw json.RawMessage, verdict Verdict) {
	var was record.Slot
	if slot := s.rec.Slot(f.Name); slot != nil {
		was = *slot
	}
	if !sameValue(was.Raw, raw) {
		s.note(f, was, raw, verdict)
	}
}
