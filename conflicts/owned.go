package conflicts

import (
	"encoding/json"
	"slices"

	"roadbook/record"
)

// MaxRequests is the most requests that a field remembers: the next takes the
// place of the oldest, which whoever answers for the field can still decide by
// hand. One person has one of them, so this many are a team.
const MaxRequests = 16

// Answer is what became of a request: of what somebody asked whoever answers
// for a field.
type Answer struct {
	Field *record.Field
	To    record.Writer
	State string
}

// What becomes of a request without anybody deciding it by hand.
const (
	Accepted = "accepted" // what was asked for stands
	Answered = "answered" // whoever answers for the field has written something else, and knew of it
	Replaced = "replaced" // its author has asked for something else since
)

// owns reports whether the author of a write answers for a field.
func (w *Write) owns(f *record.Field) bool {
	return w.Server || slices.Contains(w.Roles, f.By)
}

// Owned is a value for which somebody answers whose system is elsewhere: an
// ERP, the people in finance. Among these it is LWW. What anybody else writes
// changes nothing and is not refused: it is remembered as a request, until one
// of them writes who knew of it, or what was asked for stands.
//
// Law: the value is the maximum of Compare over what its owners wrote and none
// of them overwrote knowingly, so neither order nor repetition nor what others
// write changes it.
func Owned(cur *record.Slot, raw json.RawMessage, owner bool, w *Write) Verdict {
	if !owner {
		return ask(cur, raw, w)
	}
	open := strangers(cur.Versions, w)
	verdict := LWW(cur, raw, w)
	cur.Versions = orNone(slices.DeleteFunc(open, func(v record.Version) bool { return sameValue(v.Raw, cur.Raw) }))
	return verdict
}

// ask remembers what somebody asks for. He has one request at a time.
func ask(cur *record.Slot, raw json.RawMessage, w *Write) Verdict {
	open := slices.DeleteFunc(slices.Clone(cur.Versions), func(v record.Version) bool { return w.made(v.By) })
	cur.Versions, cur.Raw = orNone(open), record.OrNull(cur.Raw)
	if sameValue(cur.Raw, raw) {
		return Agreed
	}
	all := among(open, record.Version{By: w.By, Raw: kept(raw)})
	cur.Versions = all[max(0, len(all)-MaxRequests):]
	return Kept
}

// orNone is a list that is nil if there is nothing in it, as it comes back from
// the database.
func orNone(all []record.Version) []record.Version {
	if len(all) == 0 {
		return nil
	}
	return all
}

// made reports whether an author made the write o himself, under whatever name.
func (w *Write) made(o record.Writer) bool {
	only := *w
	only.Seen.Log, only.Seen.Dots = 0, nil
	return only.Covers(o)
}

// owned settles a value for which a role answers.
func (s *settling) owned(f *record.Field, raw json.RawMessage) {
	owner := s.w.owns(f)
	if !owner && s.w.undone(s.rec, f.Name, nil) { // it comes back after a restore, and was answered
		s.report.Merged = true
		return
	}
	slot := s.rec.Put(f.Name)
	was := *slot
	verdict := Owned(slot, raw, owner, s.w)
	if owner {
		s.rec.Cover(f.Name, nil, s.w.Awaited)
	}
	s.answers(f, &was, slot)
	switch {
	case owner:
		s.note(f, was, raw, verdict)
	case verdict == Agreed:
		s.report.Merged = true
	default:
		s.clash(Clash{Field: f, Kept: was.Raw, KeptBy: was.By, Lost: raw, LostBy: s.w.By, Request: true})
	}
}

// answers notes what became of the requests that a field remembers no longer.
func (s *settling) answers(f *record.Field, was, now *record.Slot) {
	for _, v := range was.Versions {
		if slices.ContainsFunc(now.Versions, func(o record.Version) bool { return o.By.Same(v.By) }) {
			continue
		}
		a := Answer{Field: f, To: v.By, State: Answered}
		switch {
		case sameValue(v.Raw, now.Raw):
			a.State = Accepted
		case s.w.made(v.By):
			a.State = Replaced
		case !s.w.owns(f):
			continue // it has made room, and is still to be decided by hand
		}
		s.report.Answers = append(s.report.Answers, a)
	}
}
