package conflicts

import (
	"encoding/json"

	"roadbook/record"
)

// State is a step of a process whose steps and whose join of two are data of
// the schema. The slot is a multi-value register (Shapiro et al., "A
// comprehensive study of CRDTs", 2011): it keeps the steps that nobody has
// replaced knowingly, and what stands is their join, which the schema may say
// only if it is idempotent, commutative and associative (Baquero et al.,
// "Composition of state-based CRDTs", 2015, call that a join semilattice).
// version is the write with where it came from.
//
// Where the table has no answer a person is asked, and what stands meanwhile is
// the join of where they came from: the stage from before. If that is a question
// itself, it is where the greatest of them came from.
//
// Law: what stands follows from the set of steps that nobody replaced knowingly
// and from nothing else, so order, grouping and repetition change nothing.
func State(cur *record.Slot, f *record.Field, version record.Version, w *Write) (Verdict, record.Joined) {
	others := strangers(standing(cur), w)
	all := among(others, version)
	was := cur.Raw
	joined := f.Join(textsOf(all, func(v record.Version) json.RawMessage { return v.Raw })...)
	cur.Raw, cur.Elems, cur.Versions = record.AppendString(nil, joined.State), nil, remembered(all)
	if joined.Ask {
		cur.Raw = before(f, all)
	}
	stands := sameValue(cur.Raw, version.Raw)
	if !sameValue(was, cur.Raw) || len(others) == 0 {
		cur.By = w.By
	}
	switch {
	case len(others) == 0:
		return Took, joined
	case joined.Ask:
		return Marked, joined
	case alike(all), stands && sameValue(was, cur.Raw):
		return Agreed, joined
	case stands:
		return Beat, joined
	}
	return Lost, joined
}

// remembered are versions as a slot keeps them: one that came from nowhere is
// the slot's own value and writer.
func remembered(all []record.Version) []record.Version {
	if len(all) == 1 && all[0].From == nil {
		return nil
	}
	return all
}

// before is what stands while a person is asked.
func before(f *record.Field, all []record.Version) json.RawMessage {
	from := textsOf(all, func(v record.Version) json.RawMessage { return v.From })
	joined := f.Join(from...)
	switch {
	case joined.Ask:
		return greatest(all).From
	case joined.State == "":
		return json.RawMessage("null")
	}
	return record.AppendString(nil, joined.State)
}

// textsOf are states by name; who came from nowhere adds none.
func textsOf(all []record.Version, of func(record.Version) json.RawMessage) (out []string) {
	for _, v := range all {
		if name := plainState(of(v)); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// plainState is a state by its name, "" for none.
func plainState(raw json.RawMessage) string {
	name, err := plainText(raw)
	if err != nil {
		return "" // the field was of another type once
	}
	return name
}

// state settles a step of a process.
func (s *settling) state(f *record.Field, raw json.RawMessage) {
	if s.gone(f) {
		return
	}
	was := s.slot(f)
	all := standing(&was)
	if !s.move(f, all, was.Raw, raw) {
		return
	}
	v, others, ok := s.version(f, &was, raw)
	if !ok {
		return
	}
	slot := s.rec.Put(f.Name)
	verdict, joined := State(slot, f, v, s.w)
	s.noteState(f, was, others, raw, verdict, joined)
	switch {
	case verdict == Took:
		s.settled(f, all, raw)
	case joined.Ask:
		s.settled(f, all, nil)
	case f.Join(textsOf(all, func(v record.Version) json.RawMessage { return v.Raw })...).Ask: // he has given up the one of two
		s.settled(f, all, slot.Raw)
	}
}

// move reports whether a step says anything that may be said. It refuses one
// that cannot be taken from where its author stood; what others have done
// meanwhile does not count: that is for the join.
func (s *settling) move(f *record.Field, all []record.Version, cur, raw json.RawMessage) bool {
	screen, err := s.screen(f, all, cur)
	if err != nil {
		s.fail("history", f.Name, "what stood here before could not be read")
		return false
	}
	here, to := plainState(screen), plainState(raw)
	switch {
	case to == "" && here == "":
	case to == "":
		s.fail("transition", f.Name, "it is always at some step, and cannot be emptied")
	case s.w.Again, f.MayMove(here, to):
		return true
	case here == "":
		s.fail("transition", f.Name, "it cannot begin as %q", to)
	default:
		s.fail("transition", f.Name, "it was at %q, and from there it cannot go to %q", here, to)
	}
	return false
}

// noteState writes down what became of a step. One that met others is told of,
// to its author always and to a person if the table says so.
func (s *settling) noteState(f *record.Field, was record.Slot, others []record.Version, raw json.RawMessage, verdict Verdict, joined record.Joined) {
	now := s.rec.Raw(f.Name)
	if verdict == Took || !sameValue(was.Raw, now) {
		s.was(f, was)
	}
	if len(others) == 0 {
		return
	}
	s.report.Merged = true
	other := greatest(others)
	c := Clash{Field: f, Kept: now, KeptBy: other.By, Lost: raw, LostBy: s.w.By, Ask: joined.Ask || joined.Note}
	switch verdict {
	case Beat:
		c.KeptBy, c.Lost, c.LostBy = s.w.By, was.Raw, other.By
	case Agreed:
		return
	case Marked:
		c.Versions = s.rec.Slot(f.Name).Versions
	}
	s.clash(c)
}
