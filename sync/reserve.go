package sync

import (
	"strconv"
	"time"

	"roadbook/errs"
	"roadbook/record"
)

// A reserve is a share of a counter that one device has for itself, so that
// what it promises without a network is bound to stand: escrow (O'Neil, "The
// escrow transactional method", 1986), in the form of a bounded counter
// (Balegas et al., "Extending eventually consistent cloud databases for
// enforcing numeric invariants", 2015). What is reserved leaves the counter at
// once; what the device spends it takes from its own reserve, which nobody else
// writes to; what is left goes back when the device, after all that it has
// spent, says so. The counter and what is reserved never fall below the floor,
// whatever order anything arrives in, for each is checked by itself.

// reserveKind is the kind of the records that hold what is reserved.
const reserveKind = "reserve"

// reserveDays is how long a device may promise from a reserve. The server takes
// nothing back by the clock: what was promised in time may still be on its way.
const reserveDays = 30

func refuseReserve(kind errs.Kind, code, format string, args ...any) error {
	return errs.New("sync.reserve", kind, format, args...).Coded(code)
}

// wish is what a device wants to reserve.
type wish struct {
	counter *record.Record
	field   *record.Field
	amount  int64
	serial  int64
}

// reserve gives a device a share of a counter: with the record that it makes in
// one transaction, or not at all.
func (s *settling) reserve(d *draft, e *record.Edit) error {
	want, err := s.wished(e)
	if err != nil {
		return err
	}
	take := -want.amount
	set := record.Values{
		{Field: "about_kind", Raw: quote(want.counter.Kind.Name)},
		{Field: "device", Raw: quote(s.writer.Device.String())},
		{Field: "expires_at", Raw: instant(s.w.now.Add(reserveDays * 24 * time.Hour).UnixMilli())},
	}
	if want.field.Ranges {
		take = want.amount
		label, err := s.label()
		if err != nil {
			return err
		}
		set = append(set,
			record.Value{Field: "first", Raw: number(count(want.counter.Raw(want.field.Name)) + 1)},
			record.Value{Field: "prefix", Raw: quote(want.counter.Text("prefix") + label)})
	} else {
		set = append(set, record.Value{Field: "left", Raw: number(want.amount)})
	}
	if err := s.writeSelf(d, &record.Edit{Op: record.OpCreate, Kind: e.Kind, ID: e.ID, Set: set}); err != nil {
		return err
	}
	return s.count(want.counter, want.field.Name, take)
}

// count has the server count a counter up or down.
func (s *settling) count(rec *record.Record, field string, by int64) error {
	return s.writeSelf(s.draft(rec), &record.Edit{
		Op: record.OpEdit, Kind: rec.Kind.Name, ID: rec.ID, Inc: record.Values{{Field: field, Raw: number(by)}},
	})
}

// wished reads what a device wants to reserve, and says what is wrong with it.
func (s *settling) wished(e *record.Edit) (*wish, error) {
	for _, v := range e.Set {
		switch v.Field {
		case "record", "field", "amount", "serial":
		default:
			return nil, refuseReserve(errs.Denied, "reserve", "of a reserve its device says which counter, how much and the how manieth it is")
		}
	}
	id, _ := record.RawID(e.Set.Get("record"))
	counter, err := s.find(id)
	if err != nil {
		return nil, err
	}
	seen := false
	if counter != nil && counter.State == record.Live {
		if seen, err = s.sees(counter); err != nil {
			return nil, err
		}
	}
	if !seen {
		return nil, refuseReserve(errs.Missing, "parent", "what this belongs to is not there")
	}
	f := counter.Kind.Field(e.Set.Text("field"))
	w := &wish{counter: counter, field: f, amount: count(e.Set.Get("amount")), serial: count(e.Set.Get("serial"))}
	switch {
	case f == nil || f.Share == 0 || s.actor.Hides(counter.Kind, f.Name):
		return nil, refuseReserve(errs.Invalid, "reserve", "nothing can be reserved of this")
	case w.amount < 1 || w.amount > f.Share:
		return nil, refuseReserve(errs.Invalid, "reserve_amount", "a reserve holds from 1 to %d", f.Share)
	case w.serial < 1 || e.ID != record.ReserveID(id, f.Name, s.writer.Device, w.serial):
		return nil, refuseReserve(errs.Invalid, "reserve", "the id of a reserve follows from its counter, its device and its number")
	case w.serial == 1:
		return w, nil
	}
	before, err := s.find(record.ReserveID(id, f.Name, s.writer.Device, w.serial-1))
	switch {
	case err != nil:
		return nil, err
	case before == nil:
		return nil, refuseReserve(errs.Missing, "reserve", "the reserve before this one is not there")
	case before.Raw("closed") == nil:
		return nil, refuseReserve(errs.Clash, "reserve_open", "this device has a reserve of this already; give that back first")
	}
	return w, nil
}

// label stands before the numbers of a range, behind the prefix, once the log is
// not in its first epoch any more: ranges that were given out by a log that is
// lost may be printed on paper. An epoch begins at a seq that no other does.
func (s *settling) label() (string, error) {
	epochs, err := s.w.tx.Epochs(s.w.ctx)
	if err != nil || len(epochs) == 0 {
		return "", err
	}
	return strconv.FormatInt(int64(epochs[len(epochs)-1].Began), 36) + "-", nil
}

// isOpenReserve reports whether a record holds what is reserved of another.
func isOpenReserve(r *record.Record) bool {
	return r.Kind.Name == reserveKind && r.Raw("closed") == nil
}

// count is a whole number as JSON; what is none counts as 0.
func count(raw []byte) int64 {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func number(n int64) []byte { return strconv.AppendInt(nil, n, 10) }
