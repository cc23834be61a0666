package sync

import (
	"strconv"

	"roadbook/errs"
	"roadbook/record"
)

// checkReserve says who may do what with a reserve: its device spends it and
// gives it back, and who leads the device's person takes it back, because the
// device is lost.
func (s *settling) checkReserve(e *record.Edit, rec *record.Record) error {
	closed, holder := rec.Raw("closed") != nil, rec.Text("device") == s.writer.Device.String() && rec.Owner == s.actor.Person
	if e.Op != record.OpEdit || len(e.Remove) > 0 || len(e.Set) > 1 {
		return refuseReserve(errs.Denied, "reserve", "a reserve is spent or given back, and nothing else")
	}
	for _, v := range e.Set {
		back := e.Set.Text("closed")
		switch {
		case v.Field != "closed" || back != "returned" && back != "reclaimed":
			return refuseReserve(errs.Denied, "reserve", "a reserve is spent or given back, and nothing else")
		case back == "returned" && holder:
		case back == "reclaimed" && s.actor.Leads(rec.Owner):
		default:
			return refuseReserve(errs.Denied, "reserve_holder", "only its own device gives a reserve back, and only a manager takes it")
		}
	}
	if len(e.Inc)+len(e.Add) > 0 && !holder {
		return refuseReserve(errs.Denied, "reserve_holder", "only its own device spends a reserve")
	}
	if len(e.Inc)+len(e.Add) > 0 && closed && !s.isBack() {
		return refuseReserve(errs.Clash, "reserve_closed", "this reserve was given back or taken back before")
	}
	for _, v := range e.Inc {
		if v.Field != "left" || count(v.Raw) >= 0 {
			return refuseReserve(errs.Denied, "reserve", "a reserve is spent or given back, and nothing else")
		}
	}
	for _, v := range e.Add {
		if err := s.checkNumbers(v, rec); err != nil {
			return err
		}
	}
	return nil
}

// isBack reports whether the mutation comes back to a server that had accepted it.
func (s *settling) isBack() bool { return s.m.Again != nil && s.proof.Result == record.Applied }

// checkNumbers makes sure that numbers are of the range and were not given to
// anything before. One that comes back to a restored server was of a range that
// is lost.
func (s *settling) checkNumbers(v record.Value, rec *record.Record) error {
	first := count(rec.Raw("first"))
	if v.Field != "used" || first == 0 {
		return refuseReserve(errs.Denied, "reserve", "a reserve is spent or given back, and nothing else")
	}
	all, err := record.ParseList(v.Raw)
	if err != nil {
		return refuseReserve(errs.Invalid, "type", "a list of elements was expected")
	}
	used := map[int64]bool{}
	if slot := rec.Slot("used"); slot != nil {
		for _, e := range slot.Elems {
			used[count(e.Raw)] = true
		}
	}
	back := s.isBack()
	for _, raw := range all {
		n := count(raw)
		switch {
		case used[n]:
			return refuseReserve(errs.Clash, "number_taken", "this number was given to something else before")
		case !back && (n < first || n >= first+count(rec.Raw("amount"))):
			return refuseReserve(errs.Invalid, "number", "this number is not of the range of this device")
		}
		used[n] = true
	}
	return nil
}

// spendBack makes room in a closed reserve for what was spent from it before it
// was closed and comes back after that: what the reserve gave back was too much by
// as much, and is taken from the counter again.
func (s *settling) spendBack(d *draft, e *record.Edit) error {
	r, by := d.now, count(e.Inc.Get("left"))
	if r.Kind.Name != reserveKind || !s.isBack() || r.Raw("closed") == nil || by >= 0 {
		return nil
	}
	back := count(r.Raw("back")) + by
	if back < 0 {
		return refuseReserve(errs.Clash, "reserve_closed", "this reserve was given back or taken back before")
	}
	err := s.writeSelf(d, &record.Edit{
		Op: record.OpEdit, Kind: r.Kind.Name, ID: r.ID,
		Set: record.Values{{Field: "back", Raw: number(back)}}, Inc: record.Values{{Field: "left", Raw: number(-by)}},
	})
	if err != nil {
		return err
	}
	return s.countIn(r, by)
}

// giveBack puts what is left of a reserve that has just been closed back where
// it came from. Numbers do not go back: those that were not used are gaps.
func (s *settling) giveBack(d *draft) error {
	r := d.now
	if d.was == nil || r.Raw("closed") == nil {
		return nil
	}
	known := d.was.Raw("closed") != nil
	if r.Raw("first") != nil {
		unused := gaps(r)
		if known && unused == r.Text("gaps") {
			return nil
		}
		return s.writeSelf(d, &record.Edit{Op: record.OpEdit, Kind: r.Kind.Name, ID: r.ID, Set: record.Values{{Field: "gaps", Raw: quote(unused)}}})
	}
	left := count(r.Raw("left"))
	if known || left <= 0 {
		return nil
	}
	err := s.writeSelf(d, &record.Edit{
		Op: record.OpEdit, Kind: r.Kind.Name, ID: r.ID,
		Set: record.Values{{Field: "back", Raw: number(left)}}, Inc: record.Values{{Field: "left", Raw: number(-left)}},
	})
	if err != nil {
		return err
	}
	return s.countIn(r, left)
}

// countIn counts what a reserve was taken from up or down, if it is still there:
// otherwise what is left of it is gone with it.
func (s *settling) countIn(r *record.Record, by int64) error {
	counter, err := s.find(r.Ref("record"))
	if err != nil || counter == nil || counter.State != record.Live || counter.Kind.Field(r.Text("field")) == nil {
		return err
	}
	return s.count(counter, r.Text("field"), by)
}

// gaps lists the numbers of a range that were never used: "1007-1010 1013".
func gaps(r *record.Record) string {
	used := map[int64]bool{}
	if slot := r.Slot("used"); slot != nil {
		for _, e := range slot.Elems {
			used[count(e.Raw)] = true
		}
	}
	var out []byte
	for n, end := count(r.Raw("first")), count(r.Raw("first"))+count(r.Raw("amount")); n < end; n++ {
		from := n
		for n < end && !used[n] {
			n++
		}
		if n == from {
			continue
		}
		if len(out) > 0 {
			out = append(out, ' ')
		}
		out = strconv.AppendInt(out, from, 10)
		if n-1 > from {
			out = strconv.AppendInt(append(out, '-'), n-1, 10)
		}
	}
	return string(out)
}
