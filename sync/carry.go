package sync

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/history"
	"roadbook/version"
)

// What people were asked of a record that is merged into another they are asked of
// that one from then on, once; and of itself again if the merge is undone.

// older is what was asked before about a field about which people are asked now
// that two become one: it becomes part of the one question.
type older struct {
	rows    []record.Values // who wrote what, of those that the new question does not have
	writers []record.Writer
}

// askedAnew closes what was asked about a field of either of two that become one.
func (s *settling) askedAnew(to *record.Record, c conflicts.Clash) (o older, err error) {
	if s.taking == nil {
		return o, nil
	}
	for _, r := range []*record.Record{to, s.taking} {
		slot := r.Slot(c.Field.Name)
		if slot == nil {
			continue
		}
		for _, a := range slot.Asked {
			if err := s.takeQuestion(a, c, &o); err != nil {
				return o, err
			}
		}
	}
	if slot := to.Slot(c.Field.Name); slot != nil {
		slot.Asked = nil
	}
	return o, nil
}

func (s *settling) takeQuestion(a record.Asked, c conflicts.Clash, o *older) error {
	asked, err := s.find(a.ID)
	if err != nil || !isOpen(asked) {
		return err
	}
	o.writers = append(o.writers, a.Writers...)
	for _, row := range rowsOf(asked) {
		if dot := row.Text("dot"); dot != dotOf(c.KeptBy) && dot != dotOf(c.LostBy) {
			o.rows = append(o.rows, row)
		}
	}
	return s.answer(asked, nil)
}

// rowsOf are the values that a conflict is between.
func rowsOf(asked *record.Record) (rows []record.Values) {
	list, err := record.ParseList(asked.Raw("values"))
	if err != nil {
		return nil
	}
	for _, raw := range list {
		if row, err := record.ParseValues(raw); err == nil {
			rows = append(rows, row)
		}
	}
	return rows
}

// carry takes over what is still asked about the fields of a record that comes into
// another: a request is answered if what it asks for stands there.
func (s *settling) carry(to, from *record.Record) error {
	for i := range from.Slots {
		f, slot := to.Kind.Field(from.Slots[i].Field), &from.Slots[i]
		if f == nil {
			continue
		}
		for _, a := range slot.Asked {
			asked, err := s.find(a.ID)
			if err != nil {
				return err
			}
			if isOpen(asked) {
				mine := to.Put(f.Name)
				mine.Raw = record.OrNull(mine.Raw)
				mine.Asked = append(slices.Clip(mine.Asked), a)
			}
		}
		if f.Policy != record.Owned {
			continue
		}
		for _, v := range slot.Versions {
			mine := to.Put(f.Name)
			mine.Raw = record.OrNull(mine.Raw)
			if string(mine.Raw) == string(v.Raw) {
				if err := s.answerTo(from.ID, f.Name, v.By, conflicts.Accepted); err != nil {
					return err
				}
				continue
			}
			all := append(slices.Clip(mine.Versions), v)
			mine.Versions = all[max(0, len(all)-conflicts.MaxRequests):]
		}
	}
	return nil
}

// handOn gives what is asked about a record that has come into another to that one's
// owner. Whether it is to be deleted is not asked any more: it has gone.
func (s *settling) handOn(dead, survivor *record.Record) error {
	open := "open"
	if err := s.loadOpen([]record.ID{dead.ID}, conflictKind, "state", &open); err != nil {
		return err
	}
	s.taking = dead
	defer func() { s.taking = nil }()
	for _, asked := range s.under([]record.ID{dead.ID}) {
		var err error
		switch {
		case asked.Kind.Name != conflictKind || !isOpen(asked):
		case asked.Text("field") == history.Deleted:
			err = s.answer(asked, nil)
		case asked.Owner != survivor.Owner:
			err = s.setSelf(asked.Kind, asked.ID, record.Values{{Field: "owner", Raw: quoteID(survivor.Owner)}})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// askAgain asks of a record that is back, and of the survivor, what they were
// asked before the merge, and no more what came of it: what was answered since was
// answered for both, and stays with the survivor.
func (s *settling) askAgain(survivor, back *record.Record, body []byte) error {
	closed, err := history.ClosedBy(body, back.ID)
	if err != nil {
		return err
	}
	for i := range back.Slots {
		if err := s.partQuestions(survivor, &back.Slots[i]); err != nil {
			return err
		}
		for _, a := range back.Slots[i].Asked {
			if err := s.reopen(a.ID, back); err != nil {
				return err
			}
			closed = slices.DeleteFunc(closed, func(id record.ID) bool { return id == a.ID })
		}
		if f := back.Kind.Field(back.Slots[i].Field); f != nil && f.Policy == record.Owned {
			if err := s.requestAgain(back, &back.Slots[i]); err != nil {
				return err
			}
		}
	}
	for _, id := range closed {
		if err := s.askedHere(survivor, back, id); err != nil {
			return err
		}
	}
	return nil
}

// partQuestions takes out of a field of the survivor what was asked about that of
// the one that is back, and closes what was asked because the two were one.
func (s *settling) partQuestions(survivor *record.Record, theirs *record.Slot) error {
	slot := survivor.Slot(theirs.Field)
	if slot == nil {
		return nil
	}
	if f := survivor.Kind.Field(theirs.Field); f != nil && f.Policy == record.Owned {
		slot.Versions = slices.DeleteFunc(slices.Clone(slot.Versions), func(v record.Version) bool {
			return slices.ContainsFunc(theirs.Versions, func(o record.Version) bool { return o.By.Same(v.By) })
		})
		if len(slot.Versions) == 0 {
			slot.Versions = nil
		}
	}
	var left []record.Asked
	for _, a := range slot.Asked {
		own := slices.ContainsFunc(theirs.Asked, func(o record.Asked) bool { return o.ID == a.ID })
		if !own && !slices.ContainsFunc(a.Writers, theirs.By.Same) {
			left = append(left, a)
			continue
		}
		if asked, err := s.find(a.ID); err != nil {
			return err
		} else if !own && isOpen(asked) {
			if err := s.answer(asked, nil); err != nil {
				return err
			}
		}
	}
	slot.Asked = left
	return nil
}

// reopen asks again what was closed, or gives it back to whose it was.
func (s *settling) reopen(id record.ID, about *record.Record) error {
	asked, err := s.find(id)
	if err != nil || asked == nil || asked.State != record.Live {
		return err
	}
	set := record.Values{{Field: "owner", Raw: quoteID(about.Owner)}}
	if !isOpen(asked) {
		set = append(set, record.Value{Field: "state", Raw: quote("open")})
		for _, field := range []string{"chosen", "resolver", "decided_at"} {
			if asked.Raw(field) != nil {
				set = append(set, record.Value{Field: field, Raw: record.OrNull(nil)})
			}
		}
	}
	return s.setSelf(asked.Kind, asked.ID, set)
}

// askedHere asks again of the survivor what the merge had made part of another
// question.
func (s *settling) askedHere(survivor, back *record.Record, id record.ID) error {
	asked, err := s.find(id)
	if err != nil || asked == nil || asked.Kind.Name != conflictKind || isOpen(asked) {
		return err
	}
	if typedTo(asked.Slot("record")) == back.ID { // whether it was to be deleted
		return s.reopen(id, back)
	}
	a := record.Asked{ID: id}
	for _, row := range rowsOf(asked) {
		by, err := s.writerOf(row.Text("dot"))
		if err != nil {
			return err
		}
		if !by.IsZero() {
			a.Writers = append(a.Writers, by)
		}
	}
	if slot := survivor.Slot(asked.Text("field")); slot != nil && len(a.Writers) > 0 {
		slot.Asked = append(slices.Clip(slot.Asked), a)
	}
	return s.reopen(id, survivor)
}

// writerOf is the write of a name, none if the log does not know it.
func (s *settling) writerOf(name string) (by record.Writer, err error) {
	replica, number, _ := strings.Cut(name, ":")
	no, ok := store.ReplicaNo(version.Replica(replica))
	n, wrong := strconv.ParseUint(number, 10, 64)
	if !ok || wrong != nil {
		return by, nil //nolint:nilerr // what is no name is the name of nothing
	}
	row, err := s.numbered(no, n)
	if err != nil || row == nil {
		return by, err
	}
	return record.Writer{Replica: no, N: n, Stamp: row.Stamp, Seq: row.Seq}, nil
}

// requestAgain asks again for what was answered of the survivor. What was declined
// or taken back is answered whoever it was of.
func (s *settling) requestAgain(back *record.Record, slot *record.Slot) error {
	var left []record.Version
	for _, v := range slot.Versions {
		asked, err := s.find(s.requestID(back.ID, slot.Field, v.By))
		if err != nil {
			return err
		}
		switch {
		case asked == nil || asked.State != record.Live:
			continue
		case asked.Text("state") == conflicts.Accepted || asked.Text("state") == conflicts.Answered:
			set := record.Values{{Field: "state", Raw: quote("open")}, {Field: "resolver", Raw: json.RawMessage("null")}}
			if err := s.setSelf(asked.Kind, asked.ID, set); err != nil {
				return err
			}
		case asked.Text("state") != "open":
			continue
		}
		left = append(left, v)
	}
	slot.Versions = left
	return nil
}
