package conflicts

import (
	"slices"

	"roadbook/record"
)

// answer looks after the open conflicts about the fields of an edit. Whoever
// writes a field and knows all that a conflict is between has decided; he need
// not go to the inbox as well. Whoever knows a part of it and met the rest asks
// the same anew, so that a person finds one question and not two. Whoever knows
// nothing of it, or has met nobody, leaves it open.
func (s *settling) answer(set record.Values) {
	for i := range s.rec.Slots {
		slot := &s.rec.Slots[i]
		if len(slot.Asked) == 0 {
			continue
		}
		f := s.rec.Kind.Field(slot.Field)
		if f == nil || !s.names(set, f) {
			continue
		}
		slot.Asked = slices.DeleteFunc(slices.Clone(slot.Asked), func(a record.Asked) bool {
			known := 0
			for _, by := range a.Writers {
				if s.w.Covers(by) {
					known++
				}
			}
			switch {
			case known == len(a.Writers):
				s.report.Settled = append(s.report.Settled, Settled{Field: f, Asked: a.ID, By: record.OrNull(slot.Raw)})
			case known > 0 && s.asks(f):
				s.report.Settled = append(s.report.Settled, Settled{Field: f, Asked: a.ID})
			default:
				return false
			}
			return true
		})
	}
}

// names reports whether an edit writes a field, by its name, by a key of it, or
// as one of its group.
func (s *settling) names(set record.Values, f *record.Field) bool {
	return slices.ContainsFunc(set, func(v record.Value) bool {
		if s.empty(v.Raw) {
			return false
		}
		g := s.rec.Kind.Field(v.Field)
		return g != nil && (g.Name == f.Name || f.Group != "" && g.Group == f.Group)
	})
}

// asks reports whether this very edit asks a person about a field.
func (s *settling) asks(f *record.Field) bool {
	return slices.ContainsFunc(s.report.Clashes, func(c Clash) bool { return c.Ask && c.Field.Name == f.Name })
}
