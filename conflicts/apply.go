package conflicts

import (
	"encoding/json"
	"fmt"
	"slices"

	"roadbook/errs"
	"roadbook/record"
)

// Clash is a field that two people changed, and what became of it. Kept is
// what everyone will see; Lost is kept for a person to review.
type Clash struct {
	Field  *record.Field
	Kept   json.RawMessage
	Lost   json.RawMessage
	KeptBy record.Writer
	LostBy record.Writer
	Ask    bool            // a person is asked to look
	Base   json.RawMessage // what the one who comes second had before him, if a person is asked

	Versions []record.Version // what a person decides between, if neither stands
	Request  bool             // not a clash: the value that did not come to stand is asked of whoever answers for the field
}

// Report is what settling an edit came to.
type Report struct {
	Was     record.Values // what stood in the fields that changed, for history
	Clashes []Clash
	Settled []Settled
	Answers []Answer
	Merged  bool // something concurrent was settled, or not taken
}

// settling is one edit on its way into one record.
type settling struct {
	rec    *record.Record
	w      *Write
	create bool
	bases  record.Values // of texts and lists: what the author started from
	report Report
	wrong  []errs.Field
	code   string
	groups []string // those settled already
}

// Apply settles the fields of one edit in rec, each by its policy. It changes
// rec in place; after an error rec is to be thrown away. The error names every
// field that is wrong.
func Apply(rec *record.Record, e *record.Edit, w *Write) (Report, error) {
	s := &settling{rec: rec, w: w, create: e.Op == record.OpCreate, bases: e.Base}
	s.all(e.Set, func(f *record.Field, raw json.RawMessage) { s.set(f, raw, e.Set) })
	s.all(e.Remove, func(f *record.Field, raw json.RawMessage) { s.elements(f, raw, false) })
	s.all(e.Add, func(f *record.Field, raw json.RawMessage) { s.elements(f, raw, true) })
	s.all(e.Inc, s.inc)
	s.answer(e.Set)
	if len(s.wrong) > 0 {
		err := errs.New("conflicts.Apply", errs.Invalid, "%s: %s", s.wrong[0].Field, s.wrong[0].Detail)
		return s.report, err.Coded(s.code).Of(s.wrong...)
	}
	return s.report, nil
}

func (s *settling) all(vs record.Values, settle func(*record.Field, json.RawMessage)) {
	for _, v := range vs {
		f := s.rec.Kind.Field(v.Field)
		switch {
		case f == nil:
			s.fail("unknown_field", v.Field, "%s has no such field", s.rec.Kind.Name)
		case f.Policy == record.Server && !s.w.Server:
			s.fail("server_field", v.Field, "only the server writes this field")
		default:
			settle(f, v.Raw)
		}
	}
}

func (s *settling) fail(code, name, format string, args ...any) {
	if s.code == "" {
		s.code = code
	}
	if len(name) > 80 {
		name = name[:80]
	}
	s.wrong = append(s.wrong, errs.Field{Field: name, Detail: fmt.Sprintf(format, args...)})
}

// empty reports whether a value of the edit's set says nothing: a null in a
// create is a line of the form that nobody filled in. To clear a field takes
// an edit. Otherwise two creates of one record would end by order of arrival,
// because the null that comes first leaves no trace.
func (s *settling) empty(raw json.RawMessage) bool { return s.create && record.IsNull(raw) }

// set settles one value of the edit's set.
func (s *settling) set(f *record.Field, raw json.RawMessage, all record.Values) {
	switch {
	case s.empty(raw):
	case f.Group != "":
		if !slices.Contains(s.groups, f.Group) {
			s.groups = append(s.groups, f.Group)
			s.group(f.Group, all)
		}
	case f.Policy == record.Set:
		if !s.create {
			s.fail("set_set", f.Name, "elements are added and removed one by one")
			return
		}
		s.elements(f, raw, true)
	case f.Policy == record.Counter:
		if !s.create {
			s.fail("counter_set", f.Name, "a counter is changed by amounts")
			return
		}
		s.inc(f, raw)
	default:
		if canon, ok := s.check(f, raw); ok {
			s.value(f, canon)
		}
	}
}

// check gives a value its stored form; null clears a field.
func (s *settling) check(f *record.Field, raw json.RawMessage) (json.RawMessage, bool) {
	if record.IsNull(raw) {
		return json.RawMessage("null"), true
	}
	canon, err := f.Check(raw)
	if err != nil {
		s.fail("type", f.Name, "%s", err.Error())
	}
	return canon, err == nil
}

func (s *settling) value(f *record.Field, raw json.RawMessage) {
	switch f.Policy {
	case record.Text:
		s.text(f, raw)
		return
	case record.Process:
		s.state(f, raw)
		return
	case record.List:
		s.list(f, raw)
		return
	case record.Manual:
		s.manual(f, raw)
		return
	case record.Owned:
		s.owned(f, raw)
		return
	}
	slot := s.rec.Put(f.Name)
	was := *slot
	verdict, err := s.merge(slot, f, raw)
	if err != nil {
		s.fail("type", f.Name, "%s", err.Error())
		return
	}
	s.note(f, was, raw, verdict)
}

func (s *settling) merge(slot *record.Slot, f *record.Field, raw json.RawMessage) (Verdict, error) {
	switch f.Policy {
	case record.Max, record.Min:
		return Extreme(slot, f, raw, s.w)
	case record.Once:
		return Once(slot, raw, s.w), nil
	}
	return LWW(slot, raw, s.w), nil
}

// base is a field as its author had it on his screen. History knows, unless what
// he had seen is of a log that is lost: then he says it himself.
func (s *settling) base(f *record.Field) (json.RawMessage, error) {
	if own := s.bases.Get(f.Name); own != nil && (s.w.Seen.Log == 0 || s.w.Again) {
		return own, nil
	}
	return s.w.At(f.Name, s.w.Seen.Log)
}

// note writes down for history and for the author what a verdict means.
func (s *settling) note(f *record.Field, was record.Slot, raw json.RawMessage, verdict Verdict) {
	switch verdict {
	case Took:
		s.was(f, was)
	case Agreed:
		s.report.Merged = s.report.Merged || f.Policy == record.LWW || f.Policy.Asks()
	case Beat:
		s.was(f, was)
		s.clash(Clash{Field: f, Kept: raw, KeptBy: s.w.By, Lost: was.Raw, LostBy: was.By, Ask: f.Policy.Asks()})
	case Merged:
		s.was(f, was)
		s.report.Merged = true
	case Marked:
		s.was(f, was)
		s.clash(Clash{Field: f, Kept: s.rec.Raw(f.Name), KeptBy: was.By, Lost: raw, LostBy: s.w.By, Ask: true})
	case Lost, Kept:
		s.clash(Clash{Field: f, Kept: was.Raw, KeptBy: was.By, Lost: raw, LostBy: s.w.By, Ask: f.Policy.Asks()})
	}
}

// was keeps what stood in a field, null if nothing did: a write that lost has
// left nothing, so the two can be told apart. Of a new record there is nothing
// to keep.
func (s *settling) was(f *record.Field, was record.Slot) {
	if s.rec.Seq == 0 || s.report.Was.Get(f.Name) != nil {
		return
	}
	s.report.Was = append(s.report.Was, record.Value{Field: f.Name, Raw: record.OrNull(was.Raw)})
}

func (s *settling) clash(c Clash) {
	for _, raw := range []*json.RawMessage{&c.Kept, &c.Lost} {
		*raw = record.OrNull(*raw)
	}
	if c.Ask && s.w.Stood != nil {
		c.Base, _ = s.w.Stood(c.Field.Name) // only shown: what history does not know is left out
	}
	s.report.Merged = true
	s.report.Clashes = append(s.report.Clashes, c)
}

// MaxElements is the most elements of one set: a list that a person can read.
const MaxElements = 500

func (s *settling) elements(f *record.Field, raw json.RawMessage, add bool) {
	if f.Policy != record.Set {
		s.fail("not_set", f.Name, "this field holds one value, which is set")
		return
	}
	elems, err := record.ParseList(raw)
	if err != nil {
		s.fail("type", f.Name, "a list of elements was expected")
		return
	}
	if len(elems) == 0 {
		return // and no slot without a value
	}
	slot := s.rec.Put(f.Name)
	was := *slot
	for _, e := range elems {
		canon, ok := s.element(f, e, add)
		switch {
		case !ok:
			return
		case add && s.w.undone(s.rec, f.Name, canon):
			s.report.Merged = true
		case add:
			Add(slot, canon, s.w)
		default:
			if !Remove(slot, canon, s.w) {
				s.report.Merged = true
			}
			s.rec.Cover(f.Name, canon, s.w.Awaited)
		}
	}
	if len(slot.Elems) > MaxElements {
		s.fail("size", f.Name, "at most %d elements", MaxElements)
	}
	s.was(f, was)
}

// element checks one element. What is being removed may be of a choice that
// the schema no longer offers.
func (s *settling) element(f *record.Field, raw json.RawMessage, add bool) (json.RawMessage, bool) {
	canon, err := f.Check(raw)
	if err == nil {
		return canon, true
	}
	if !add && json.Valid(raw) {
		return raw, true
	}
	s.fail("type", f.Name, "%s", err.Error())
	return nil, false
}

func (s *settling) inc(f *record.Field, raw json.RawMessage) {
	if f.Policy != record.Counter {
		s.fail("not_counter", f.Name, "only a counter is changed by amounts")
		return
	}
	delta, err := Delta(raw)
	if err == nil {
		slot := s.rec.Put(f.Name)
		s.was(f, *slot)
		err = Count(slot, delta, s.w)
	}
	if f.Ranges && delta < 0 {
		s.fail("floor", f.Name, "numbers that were given out do not come back")
		return
	}
	if err != nil {
		s.fail("type", f.Name, "%s", err.Error())
	}
}
