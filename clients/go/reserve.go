package device

import (
	"slices"
	"strconv"
	"time"

	"roadbook/errs"
	"roadbook/record"
)

// A reserve is a share of a counter, or a range of numbers, that this device
// has for itself: what is promised from it without a network is bound to stand.
const reserveKind = "reserve"

// Reserve asks for a share of a counter: for so much of it, or for so many
// numbers. It is there once a sync has brought it back, and not before.
func (d *Device) Reserve(kind string, counter record.ID, field string, amount int64) (record.ID, error) {
	var id record.ID
	_, err := d.Mutate(func(t *Typing) error {
		if v, there := d.view(counter); !there || v.Kind != kind {
			t.wrong(errs.Missing, "missing", "this record is not on the device")
			return nil
		}
		serial := int64(1)
		for ; ; serial++ {
			id = record.ReserveID(counter, field, d.id.Device, serial)
			before, there := d.view(id)
			if !there {
				break
			}
			if before.Raw("closed") == nil {
				t.wrong(errs.Clash, "reserve_open", "this device has a reserve of this already")
				return nil
			}
		}
		t.CreateAs(reserveKind, id, Values{"record": counter, "field": field, "amount": amount, "serial": serial})
		return nil
	})
	return id, err
}

// Reserves are what this device can promise from now, by id.
func (d *Device) Reserves() []View {
	var mine []View
	for _, v := range d.List(reserveKind) {
		d.mu.RLock()
		_, err := d.reserve(v.ID)
		d.mu.RUnlock()
		if err == nil {
			mine = append(mine, v)
		}
	}
	return mine
}

// Spend takes an amount from a reserve, in the mutation that promises it.
func (t *Typing) Spend(reserve record.ID, amount int64) {
	v, err := t.d.reserve(reserve)
	spent := int64(0)
	for _, dr := range t.drafts {
		if dr.id == reserve {
			spent = -dr.inc["left"]
		}
	}
	switch {
	case err != nil:
		t.err = firstOf(t.err, err)
	case amount < 1 || amount > v.Number("left")-spent:
		t.wrong(errs.Clash, "floor", "there is not enough left of what is reserved for this device")
	default:
		t.Edit(reserveKind, reserve, func(dr *Draft) { dr.Inc("left", -amount) })
	}
}

// Number takes the next number of a range, with what stands before it.
func (t *Typing) Number(reserve record.ID) string {
	v, err := t.d.reserve(reserve)
	if err != nil {
		t.err = firstOf(t.err, err)
		return ""
	}
	used := map[int64]bool{}
	for _, e := range elements(v.Values.Get("used")) {
		used[number(e)] = true
	}
	for _, dr := range t.drafts {
		if dr.id == reserve {
			for _, e := range dr.add["used"] {
				used[number(e)] = true
			}
		}
	}
	first := v.Number("first")
	for n := first; first > 0 && n < first+v.Number("amount"); n++ {
		if !used[n] {
			t.Edit(reserveKind, reserve, func(dr *Draft) { dr.Add("used", n) })
			return v.Text("prefix") + strconv.FormatInt(n, 10)
		}
	}
	t.wrong(errs.Clash, "floor", "there is no number left of those reserved for this device")
	return ""
}

// Return gives back what is left of a reserve. What was spent before is judged
// before it, so what goes back is certain.
func (d *Device) Return(reserve record.ID) error {
	return d.Edit(reserveKind, reserve, func(dr *Draft) { dr.Set("closed", "returned") })
}

// reserve is a reserve of this device from which something can be promised: it
// was granted and that is safe, it is still open, and is not over by the
// server's clock as far as that is known.
func (d *Device) reserve(id record.ID) (View, error) {
	v, there := d.view(id)
	h := d.base.records[id]
	if !there || h == nil || v.Kind != reserveKind || v.Raw("device") == nil {
		return v, errs.New("device.Spend", errs.Missing, "nothing is reserved for this device yet; sync first").Coded("reserve")
	}
	expires, err := time.Parse(time.RFC3339, v.Text("expires_at"))
	now := d.cfg.Now().Add(time.Duration(d.sight.OffsetMS) * time.Millisecond)
	switch {
	case v.Text("device") != d.id.Device.String() || v.Text("owner") != d.id.Actor.ID.String():
		return v, errs.New("device.Spend", errs.Denied, "this is reserved for another device").Coded("reserve_holder")
	case v.Raw("closed") != nil:
		return v, errs.New("device.Spend", errs.Clash, "this reserve was given back or taken back before").Coded("reserve_closed")
	case err != nil || !now.Before(expires):
		return v, errs.New("device.Spend", errs.Clash, "this reserve is over; give it back and take another").Coded("reserve_over")
	case d.mayBeLost(id, h):
		return v, errs.New("device.Spend", errs.Busy, "what is reserved is not safe on a second machine yet; sync in a moment").Coded("reserve_unsafe")
	}
	return v, nil
}

// mayBeLost reports whether a server that is restored may not know of a reserve:
// it would give the same to somebody else, and the promise could break. Where
// there has never been a second machine, nothing is ever safe in that sense and
// there is nothing to wait for.
//
// Another copy of this device may have taken the reserve. What this one knows
// of that is no more than where in the log the record has changed last.
func (d *Device) mayBeLost(id record.ID, h *held) bool {
	if !d.sight.Backed {
		return false
	}
	promised := false // from it, on this device: it was safe then
	for _, en := range slices.Concat(d.acked, d.outbox) {
		for i := range en.Mutation.Edits {
			switch e := &en.Mutation.Edits[i]; {
			case e.ID != id:
			case e.Op == record.OpCreate:
				return en.Verdict == nil || en.Verdict.Kept
			default:
				promised = true
			}
		}
	}
	safe := d.sight.Durable
	return !promised && (safe.Epoch != d.sight.Epoch || h.Seq > safe.Seq)
}

func firstOf(was, err error) error {
	if was != nil {
		return was
	}
	return err
}
