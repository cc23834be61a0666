package device

import (
	"slices"

	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

// RefusedMutation is what a person typed and the server refused. It is kept
// until it is dismissed, to be shown and typed anew.
type RefusedMutation struct {
	Mutation record.Mutation `json:"mutation"`
	Refusal  record.Refusal  `json:"refusal"`
	Records  []record.Shown  `json:"records,omitempty"` // how they truly are
	Order    uint64          `json:"order"`
	Epoch    string          `json:"epoch,omitempty"` // in which it was refused
}

// settle takes in one verdict. It goes by the mutation's id and by nothing
// else: under the same n a twin of this device may have written something.
func (d *Device) settle(o *record.Outcome, epoch string, r *Report, b *batch) {
	en := d.byID[o.ID]
	if en == nil {
		return
	}
	d.tick++
	first := en.Verdict == nil
	if !first && en.Verdict.says(o, epoch) { // the verdict of the first time
		if en.Verdict.Doubted {
			en.Verdict.Doubted = false
			r.Repushed++
			d.saveEntry(b, en)
		}
		return
	}
	wasRefused := !first && en.Verdict.Result == record.Refused
	if first {
		d.unqueue(en)
		d.acked = append(d.acked, en)
		en.Replica = d.id.Replica
		en.Verdict = &verdict{Showing: true}
		r.Outcomes = append(r.Outcomes, *o)
	} else {
		r.Repushed++
	}
	en.Verdict.learn(o, epoch, d.tick)
	en.Verdict.Placed, en.Verdict.Doubted, en.Verdict.told = d.fresh == nil && d.sight.Cursor != "", false, false
	if o.Result == record.Refused && !wasRefused {
		d.rollBack(en, o, b)
	}
	d.saveEntry(b, en)
}

// unqueue takes en out of the outbox, where it mostly is the first.
func (d *Device) unqueue(en *entry) {
	if len(d.outbox) > 0 && d.outbox[0] == en {
		d.outbox = d.outbox[1:]
		return
	}
	d.outbox = slices.DeleteFunc(d.outbox, func(x *entry) bool { return x == en })
}

func (v *verdict) says(o *record.Outcome, epoch string) bool {
	return v.Result == o.Result && v.Seq == o.Seq && v.Epoch == epoch
}

// learn keeps what a verdict says. What an answer leaves out is as it was.
func (v *verdict) learn(o *record.Outcome, epoch string, tick uint64) {
	v.Result, v.Seq, v.Epoch, v.Kept, v.tick = o.Result, o.Seq, epoch, true, tick
	if o.Stamp != nil {
		v.Stamp = *o.Stamp
	}
	if len(o.Over) > 0 {
		v.Over = o.Over
	}
	if o.Receipt != "" {
		v.Receipt = o.Receipt
	}
}

// rollBack takes a refused mutation off the screen and puts it where its
// author finds it again.
func (d *Device) rollBack(en *entry, o *record.Outcome, b *batch) {
	d.untouch(en)
	en.Verdict.Showing = false
	refused := &RefusedMutation{Mutation: en.Mutation, Records: o.Records, Order: en.Order, Epoch: en.Verdict.Epoch}
	if o.Refusal != nil {
		refused.Refusal = *o.Refusal
	}
	d.refused = append(d.refused, refused)
	slices.SortFunc(d.refused, func(a, b *RefusedMutation) int { return int(a.Order) - int(b.Order) })
	b.put(tableRefused, orderKey(en.Order), refused)
}

// Dismiss drops a refused mutation from the list, once its author has dealt
// with it.
func (d *Device) Dismiss(mutation record.ID) error {
	return d.change(func(b *batch) error {
		for _, r := range d.refused {
			if r.Mutation.ID == mutation {
				b.delete(tableRefused, orderKey(r.Order))
			}
		}
		d.refused = slices.DeleteFunc(d.refused, func(r *RefusedMutation) bool { return r.Mutation.ID == mutation })
		return nil
	})
}

// hear takes in what every answer says about the log.
func (d *Device) hear(epoch string, durable wire.Durable, high version.Stamp, b *batch) {
	if epoch != "" {
		d.sight.Epoch = epoch
	}
	d.sight.High = version.Later(d.sight.High, high)
	if was := d.sight.Durable; durable.Epoch != "" && (durable.Epoch != was.Epoch || durable.Seq > was.Seq) {
		d.sight.Durable, d.sight.Backed = durable, d.sight.Backed || durable.Seq > 0 // a server that has just started knows less
	}
	d.trim(b)
	d.saveSight(b)
}

// trim drops from the journal what is safe: by epoch and seq, because a seq
// says nothing about a log of another epoch.
func (d *Device) trim(b *batch) {
	safe := d.sight.Durable
	for _, en := range d.acked {
		v := en.Verdict
		if v.Kept && v.Epoch == safe.Epoch && v.Seq <= safe.Seq {
			v.Kept = false
			if !v.spent() {
				d.saveEntry(b, en)
			}
		}
	}
	d.sweep(b)
}

// sweep forgets the entries that nothing needs any more.
func (d *Device) sweep(b *batch) {
	d.acked = slices.DeleteFunc(d.acked, func(en *entry) bool {
		if !en.Verdict.spent() {
			return false
		}
		delete(d.byID, en.Mutation.ID)
		b.delete(tableEntries, orderKey(en.Order))
		return true
	})
}
