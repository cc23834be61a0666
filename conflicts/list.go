package conflicts

import (
	"encoding/json"
	"slices"

	"roadbook/record"
)

// meeting is what two lists came to that come from the same one.
type meeting struct {
	rows   []row
	beat   bool // somebody's column lost to the other's
	undone bool // a row was deleted on one side and edited on the other: it is there
}

// mergeRows merges what an author made of a list with what it has become: row by
// row by their ids, as three-way merge does (Mens, "A state-of-the-art survey on
// software merging", 2002), and column by column where both have changed a row,
// the later column where both have changed that. Where a row stands is a column
// of it. later says that the author's is the later.
//
// Law: what one side has changed and the other has not is as he made it; a row
// is gone only if nobody has edited it who did not know of the delete. Of two
// concurrent lists it makes no difference which comes first.
func mergeRows(base, cur, own []row, later bool) (m meeting) {
	for _, id := range idsOf(base, cur, own) {
		was, c, o := rowBy(base, id), rowBy(cur, id), rowBy(own, id)
		switch {
		case c != nil && o != nil:
			if was == nil {
				was = &row{}
			}
			merged, beat := mergeRow(was, c, o, later)
			m.rows, m.beat = append(m.rows, merged), m.beat || beat
		case c == nil && o == nil:
		default: // one side does not have it: he has deleted it, or never had it
			there := c
			if o != nil {
				there = o
			}
			edited := was == nil || !was.says(there)
			if edited {
				m.rows = append(m.rows, *there)
			}
			m.undone = m.undone || was != nil && edited
		}
	}
	slices.SortFunc(m.rows, byPosition)
	return m
}

func idsOf(lists ...[]row) (out []string) {
	for _, rows := range lists {
		for i := range rows {
			out = append(out, rows[i].id)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// mergeRow merges the columns of a row that both sides have.
func mergeRow(was, cur, own *row, later bool) (out row, beat bool) {
	out = row{id: cur.id, pos: cur.pos}
	if own.pos != was.pos && (later || cur.pos == was.pos) {
		out.pos = own.pos
	}
	var names []string
	for _, r := range []*row{cur, own} {
		for _, v := range r.cols {
			names = append(names, v.Field)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		w, c, o := was.cols.Get(name), cur.cols.Get(name), own.cols.Get(name)
		raw := c
		switch {
		case same(c, o), same(o, w):
		case same(c, w):
			raw = o
		default:
			beat = true
			if later {
				raw = o
			}
		}
		if raw != nil {
			out.cols = append(out.cols, record.Value{Field: name, Raw: raw})
		}
	}
	return out, beat
}

// same compares columns: one that is null is not one that is not there.
func same(a, b json.RawMessage) bool { return string(a) == string(b) }

// list settles a list of rows. What its author sends is the whole list, in the
// order in which it was on his screen; what he has changed follows from what he
// had there before.
func (s *settling) list(f *record.Field, raw json.RawMessage) {
	if s.gone(f) {
		return
	}
	was := s.slot(f)
	into := strangers(standing(&was), s.w)
	base := was.Raw
	if len(into) > 0 {
		var err error
		if base, err = s.base(f); err != nil {
			s.fail("history", f.Name, "what stood here before could not be read")
			return
		}
	}
	m, out, whole, err := s.meet(f, base, was.Raw, raw, into)
	if err != nil {
		s.fail("type", f.Name, "%s", err.Error())
		return
	}
	slot := s.rec.Put(f.Name)
	if out == nil { // both are whole in history, and a person is asked which is to be
		s.tooMany(f, was, raw, whole, into)
		return
	}
	slot.Raw, slot.Elems = out, nil
	if !sameValue(was.Raw, out) || len(into) == 0 {
		slot.By = s.w.By
		s.was(f, was)
	}
	comeInto(slot, into, s.w.By)
	s.noteList(f, slot, was, raw, into, m)
}

// meet works out what a list becomes, nil if that would be too long, and what
// its author's is with a place for each row.
func (s *settling) meet(
	f *record.Field, base, cur, raw json.RawMessage, into []record.Version,
) (m meeting, out, whole json.RawMessage, err error) {
	var lists [3][]row
	for i, r := range []json.RawMessage{base, cur, raw} {
		if lists[i], err = rowsOf(r); err != nil {
			return m, nil, nil, err
		}
	}
	before := placed(lists[0])
	own := lists[2]
	for i := range own {
		if r := rowBy(before, own[i].id); r != nil {
			own[i].pos = r.pos
		}
	}
	own = placed(own)
	if whole = raw; !record.IsNull(raw) {
		if whole, err = f.Check(listed(own)); err != nil {
			return m, nil, nil, err
		}
	}
	if len(into) == 0 {
		return m, whole, whole, nil
	}
	now := lists[1]
	for i := range now {
		if r := rowBy(before, now[i].id); r != nil && now[i].pos == "" {
			now[i].pos = r.pos // it had another policy once
		}
	}
	m = mergeRows(before, placed(now), own, Compare(s.w.By, greatest(into).By) > 0)
	if len(m.rows) == 0 && record.IsNull(raw) {
		return m, raw, whole, nil
	}
	if out, err = f.Check(listed(m.rows)); err != nil {
		out = nil // both are good, only not together
	}
	return m, out, whole, nil
}

// tooMany has the later list stand whole where both together would be too long.
func (s *settling) tooMany(f *record.Field, was record.Slot, raw, whole json.RawMessage, into []record.Version) {
	slot, other := s.rec.Slot(f.Name), greatest(into)
	if Compare(s.w.By, other.By) < 0 {
		comeInto(slot, into, s.w.By)
		s.clash(Clash{Field: f, Kept: was.Raw, KeptBy: other.By, Lost: raw, LostBy: s.w.By, Ask: true})
		return
	}
	slot.Raw, slot.By, slot.Elems = whole, s.w.By, nil
	comeInto(slot, into, s.w.By)
	s.was(f, was)
	s.clash(Clash{Field: f, Kept: whole, KeptBy: s.w.By, Lost: was.Raw, LostBy: other.By, Ask: true})
}

// noteList tells of rows and columns in which two met. A person is asked only
// where one was deleted and edited; a column that lost is in history.
func (s *settling) noteList(f *record.Field, slot *record.Slot, was record.Slot, raw json.RawMessage, into []record.Version, m meeting) {
	if len(into) == 0 {
		return
	}
	s.report.Merged = true
	other := greatest(into)
	switch {
	case m.undone, m.beat && Compare(s.w.By, other.By) < 0:
		s.clash(Clash{Field: f, Kept: slot.Raw, KeptBy: other.By, Lost: raw, LostBy: s.w.By, Ask: m.undone})
	case m.beat:
		s.clash(Clash{Field: f, Kept: slot.Raw, KeptBy: s.w.By, Lost: was.Raw, LostBy: other.By})
	}
}
