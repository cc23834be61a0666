package conflicts

import (
	"encoding/json"

	"roadbook/record"
)

// Manual is a value that nobody but a person may choose between: a multi-value
// register (Shapiro et al., "A comprehensive study of CRDTs", 2011) that shows
// none of its values while there are several. What stands meanwhile is what the
// log said to the author of the greatest of them. version is the write with
// that.
//
// Law: what stands follows from the set of writes that nobody replaced
// knowingly, and is none of them while they differ; order and repetition change
// nothing.
func Manual(cur *record.Slot, version record.Version, w *Write) Verdict {
	others := strangers(standing(cur), w)
	all := among(others, version)
	was, differ := cur.Raw, !alike(all)
	cur.Raw, cur.Elems, cur.Versions = version.Raw, nil, remembered(all)
	if differ {
		cur.Raw = greatest(all).From
	}
	cur.Raw = record.OrNull(cur.Raw)
	if !sameValue(was, cur.Raw) || len(others) == 0 {
		cur.By = w.By
	}
	switch {
	case len(others) == 0:
		return Took
	case differ:
		return Marked
	}
	return Agreed
}

// manual settles a value that people decide.
func (s *settling) manual(f *record.Field, raw json.RawMessage) {
	if s.gone(f) {
		return
	}
	was := s.slot(f)
	v, others, ok := s.version(f, &was, raw)
	if !ok {
		return
	}
	all, slot := standing(&was), s.rec.Put(f.Name)
	verdict := Manual(slot, v, s.w)
	if verdict == Took || !sameValue(was.Raw, slot.Raw) {
		s.was(f, was)
	}
	if verdict != Marked {
		s.report.Merged = s.report.Merged || verdict == Agreed
		s.settled(f, all, record.OrNull(slot.Raw))
		return
	}
	s.settled(f, all, nil)
	s.clash(Clash{
		Field: f, Kept: s.rec.Raw(f.Name), KeptBy: greatest(others).By, Lost: raw, LostBy: s.w.By, Ask: true, Versions: slot.Versions,
	})
}
