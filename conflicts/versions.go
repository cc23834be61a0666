package conflicts

import (
	"encoding/json"
	"slices"

	"roadbook/record"
)

// MaxVersions is the most versions of a field that stand against each other.
// Each is the write of another replica, so it takes this many people who all
// wrote without knowledge of the others; what a person decides between must fit
// a screen.
const MaxVersions = 16

// standing are the writes of a field that nobody has replaced knowingly. One
// that has no versions yet, because it is new or had another policy once, has
// the write that is there.
func standing(cur *record.Slot) []record.Version {
	if len(cur.Versions) > 0 || cur.By.IsZero() {
		return cur.Versions
	}
	only := record.Version{By: cur.By, Raw: cur.Raw}
	if record.IsNull(cur.Raw) { // to clear is to write, and has one form
		only.Raw = nil
	}
	return []record.Version{only}
}

// comeInto remembers whose writes are in a text or a list that not all of them
// knew. Of a replica the last stands for all.
func comeInto(slot *record.Slot, into []record.Version, by record.Writer) {
	slot.Versions = nil
	if len(into) == 0 {
		return
	}
	others := slices.DeleteFunc(slices.Clone(into), func(v record.Version) bool { return v.By.Same(by) })
	for _, v := range among(others, record.Version{By: by}) {
		slot.Versions = append(slot.Versions, record.Version{By: v.By})
	}
}

// strangers are the versions that an author had not seen.
func strangers(all []record.Version, w *Write) (out []record.Version) {
	for _, v := range all {
		if !w.Covers(v.By) {
			out = append(out, v)
		}
	}
	return out
}

// greatest is the one that comes last in the order of Compare.
func greatest(all []record.Version) record.Version {
	return slices.MaxFunc(all, func(a, b record.Version) int { return Compare(a.By, b.By) })
}

// among puts a version beside others, in an order that does not tell who came
// first.
func among(others []record.Version, v record.Version) []record.Version {
	out := append(slices.Clone(others), v)
	slices.SortFunc(out, func(a, b record.Version) int { return Compare(a.By, b.By) })
	return out
}

// alike reports whether all versions say the same.
func alike(all []record.Version) bool {
	return !slices.ContainsFunc(all, func(v record.Version) bool { return !sameValue(v.Raw, all[0].Raw) })
}

// kept is a value that outlives what it was cut from.
func kept(raw json.RawMessage) json.RawMessage {
	if record.IsNull(raw) {
		return nil
	}
	return slices.Clone(raw)
}

// from is what stood in a field by all that the author of a write had read of
// the log, without what he himself has typed since: of several versions what
// stays in force must not be one that nobody but its author has ever seen.
func (s *settling) from(f *record.Field, all []record.Version, cur json.RawMessage) (json.RawMessage, error) {
	for _, v := range all {
		if v.By.Same(s.w.By) {
			return v.From, nil // an earlier edit of the same mutation
		}
	}
	if !slices.ContainsFunc(all, func(v record.Version) bool { return !s.w.Read(v.By) }) {
		return kept(cur), nil
	}
	raw, err := s.w.Stood(f.Name)
	return kept(raw), err
}

// screen is a field as the author of a write had it before him, with his own on
// top.
func (s *settling) screen(f *record.Field, all []record.Version, cur json.RawMessage) (json.RawMessage, error) {
	for _, v := range all {
		if v.By.Same(s.w.By) {
			return v.Raw, nil
		}
	}
	if !slices.ContainsFunc(all, func(v record.Version) bool { return !s.w.Read(v.By) }) {
		return cur, nil
	}
	return s.base(f)
}

// slot is a field as it stands, empty if nobody has written it.
func (s *settling) slot(f *record.Field) record.Slot {
	if there := s.rec.Slot(f.Name); there != nil {
		return *there
	}
	return record.Slot{}
}

// version is a write as the field will remember it, and the versions that it
// stands beside. ok is false if it cannot be taken.
func (s *settling) version(f *record.Field, was *record.Slot, raw json.RawMessage) (v record.Version, others []record.Version, ok bool) {
	all := standing(was)
	from, err := s.from(f, all, was.Raw)
	if err != nil {
		s.fail("history", f.Name, "what stood here before could not be read")
		return v, nil, false
	}
	others = strangers(all, s.w)
	if len(others) >= MaxVersions {
		s.fail("undecided", f.Name, "%d people have changed this at the same time; one of them has to be decided for first", len(others))
		return v, nil, false
	}
	return record.Version{By: s.w.By, Raw: kept(raw), From: from}, others, true
}

// Settled are versions that stood against each other until somebody wrote who
// knew of them, or until another came that stands beside them: what was asked
// about them is answered, or asked anew.
type Settled struct {
	Field   *record.Field
	Writers []record.Writer
	Asked   record.ID       // the very conflict, if the field remembers it
	By      json.RawMessage // what was decided; nil if it is asked anew
}

// settled notes what becomes of versions that stood against each other.
func (s *settling) settled(f *record.Field, all []record.Version, by json.RawMessage) {
	if len(all) < 2 {
		return
	}
	done := Settled{Field: f, By: by}
	for _, v := range all {
		done.Writers = append(done.Writers, v.By)
	}
	s.report.Settled = append(s.report.Settled, done)
}

// gone reports whether a write that comes back after a restore was replaced by
// somebody who had seen it and is back already.
func (s *settling) gone(f *record.Field) bool {
	if s.w.undone(s.rec, f.Name, nil) {
		s.report.Merged = true
		return true
	}
	s.rec.Cover(f.Name, nil, s.w.Awaited)
	return false
}
