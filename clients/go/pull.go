package device

import (
	"context"
	"slices"
	"time"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

// maxRestarts is how often one pull may be told to start over.
const maxRestarts = 3

// Pull fetches what is new, page by page, until it is all there. A pull that
// is cut goes on from where it was, also after a restart.
func (d *Device) Pull(ctx context.Context) (Report, error) {
	d.net.Lock()
	defer d.net.Unlock()
	var r Report
	err := d.pull(ctx, 0, &r)
	return r, err
}

// Wait is a pull that lets the server wait for news if there is none, for at
// most as long as wire.MaxWaitMS. It ends early, and without an error, when
// something else is to be said to the server.
func (d *Device) Wait(ctx context.Context, wait time.Duration) (Report, error) {
	waiting, free := d.net.wait(ctx)
	defer d.net.waited()
	if !free {
		wait = 0
	}
	var r Report
	err := d.pull(waiting, wait, &r)
	if waiting.Err() != nil && ctx.Err() == nil {
		err = nil
	}
	return r, err
}

func (d *Device) pull(ctx context.Context, wait time.Duration, r *Report) error {
	for idle := 0; idle < maxIdle; idle++ {
		if err := d.heal(ctx, r); err != nil {
			return err
		}
		if d.isComparing() {
			if err := d.stillNamed(d.compare(ctx, r)); err != nil {
				return err
			}
			idle = -1
			continue
		}
		ask, mark := d.ask(wait)
		page := &wire.PullAnswer{}
		err := d.call(ctx, "/v1/sync/pull", ask, page)
		if errs.KindOf(err) == errs.Stale && r.Restarts < maxRestarts {
			if err = d.startOver(err, r); err == nil {
				idle = -1
				continue
			}
		}
		if p, ours := asProblem(err); ours && d.isRestored(p) {
			err = d.change(func(b *batch) error {
				d.hear(p.Epoch, wire.Durable{}, version.Stamp{}, b)
				return nil
			})
			if err == nil {
				continue
			}
		}
		if err = d.stillNamed(err); err != nil {
			return err
		}
		taken, err := d.take(ask.Cursor, page, mark, r)
		if err != nil || taken && page.Complete && !page.Filling {
			return err
		}
		if taken && page.Cursor != ask.Cursor {
			idle = -1
		}
		wait = 0
	}
	return internal("device.Pull", "the server's pages do not go on")
}

// stillNamed gives the present replica up if a restored server does not know it:
// nothing was ever written under that name, or the journal would have brought
// it back.
func (d *Device) stillNamed(err error) error {
	if errs.CodeOf(err) == codeReplica {
		return d.giveUp(err)
	}
	return err
}

// ask is the next question, and the last verdict that came before it.
func (d *Device) ask(wait time.Duration) (*wire.PullRequest, uint64) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return &wire.PullRequest{
		Replica: d.id.Replica, Cursor: d.cursor(), MaxBytes: d.cfg.PageBytes,
		Want: d.id.Want, WaitMS: int(min(wait.Milliseconds(), wire.MaxWaitMS)),
	}, d.tick
}

// cursor is where the next page begins: behind the staged pages, if any.
func (d *Device) cursor() string {
	switch {
	case len(d.pages) > 0:
		return d.pages[len(d.pages)-1].Cursor
	case d.fresh != nil:
		return d.sight.FreshCursor
	}
	return d.sight.Cursor
}

// StartOver lets the next pull fetch everything anew, beside what is shown:
// for a device whose Faults say that what it holds is not whole.
func (d *Device) StartOver() error {
	return d.change(func(b *batch) error {
		d.doubtUntold(b)
		d.beginAnew(b)
		d.saveSight(b)
		return nil
	})
}

// startOver begins anew because the server cannot go on from our cursor.
func (d *Device) startOver(cause error, r *Report) error {
	r.Restarts++
	var said wire.Problem
	if p, ours := asProblem(cause); ours {
		said = p.Problem
	}
	return d.change(func(b *batch) error {
		d.doubtBeyond(said.Judged, b)
		switch {
		case said.Apart: // a record may be another under the same seq
			d.markApart(b)
			d.beginAnew(b)
		case d.canCompare(said.Code):
			d.sight.Compare = true
		default:
			d.beginAnew(b)
		}
		d.hear(said.Epoch, wire.Durable{}, version.Stamp{}, b)
		return nil
	})
}

func (d *Device) isComparing() bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.sight.Compare
}

// beginAnew begins a base beside the one that is shown. Outbox, journal and
// the refused stay as they are: it is what was pulled that is old, not what
// was typed.
func (d *Device) beginAnew(b *batch) {
	d.sight.Compare = false
	d.dropPages(b)
	d.fresh = newShelf(d.sight.otherSlot(), "")
	b.clear(d.fresh.table())
	d.sight.Resync, d.sight.FreshCursor, d.sight.FreshEpoch = true, "", ""
}

// Receive takes in a page that came by itself, over the live socket, and
// reports whether it did: a page that does not go on from where the device
// stands is left to the next pull.
func (d *Device) Receive(from string, page *wire.PullAnswer) (bool, error) {
	var r Report
	taken := false
	err := d.change(func(b *batch) error {
		if d.fresh != nil || len(d.pages) > 0 || from == "" || from != d.cursor() || !page.Complete {
			return nil
		}
		d.hear(page.Epoch, page.Durable, page.High, b)
		if taken = !d.hurt(); taken {
			d.apply(page, 0, &r, b)
		}
		return nil
	})
	return taken, err
}

// take takes in the page that goes on from a cursor and reports whether it
// did. A page of another epoch than the journal's is not looked at before that
// is healed, nor one that the live socket was faster than.
func (d *Device) take(from string, page *wire.PullAnswer, mark uint64, r *Report) (taken bool, err error) {
	err = d.change(func(b *batch) error {
		d.hear(page.Epoch, page.Durable, page.High, b)
		if taken = !d.hurt() && from == d.cursor(); !taken {
			return nil
		}
		r.Pages++
		r.NotPinned = page.PinsRefused
		r.Changes += len(page.Changes)
		if d.cfg.Stage && !page.Complete {
			b.putSealed(tablePages, orderKey(uint64(len(d.pages))), page)
			d.pages = append(d.pages, page)
			return nil
		}
		d.apply(page, mark, r, b)
		return nil
	})
	return taken, err
}

// hurt reports whether the journal holds what the log may have lost.
func (d *Device) hurt() bool {
	return d.sight.Epoch != "" && slices.ContainsFunc(d.acked, func(en *entry) bool {
		return en.Verdict.Kept && en.Verdict.Epoch != d.sight.Epoch
	})
}

// apply takes in the staged pages and this one, all at once.
func (d *Device) apply(last *wire.PullAnswer, mark uint64, r *Report, b *batch) {
	shelf, goesOn := d.base, d.fresh == nil
	if d.fresh != nil {
		shelf = d.fresh
	}
	pages := append(slices.Clone(d.pages), last)
	for _, page := range pages {
		d.sight.Faults += shelf.apply(page, d.schema.month, b)
		d.settleAll(page.Outcomes, page.Epoch, r, b)
		if len(page.Schema) > 0 && string(page.Schema) != "null" {
			d.learnSchema(page.Schema, b)
		}
		if page.Sight != "" {
			d.sight.NewView = page.Sight
		}
	}
	d.dropPages(b)
	done := last.Complete && !last.Filling
	if d.sight.NewView != "" && (done || d.sight.View == "") {
		d.sight.View, d.sight.NewView = d.sight.NewView, ""
	}
	if d.fresh != nil {
		d.sight.FreshCursor, d.sight.FreshEpoch = last.Cursor, last.Epoch
		if done {
			d.swap(b)
		}
	} else {
		d.sight.Cursor, d.sight.BaseEpoch = last.Cursor, last.Epoch
	}
	if d.sight.Filling = !done; done {
		d.sight.Grown = nil
	}
	d.sight.Complete = d.sight.Complete || done
	if last.Complete && d.fresh == nil {
		d.lift(pages, mark, last.Filling, goesOn, b)
	}
	d.saveSight(b)
}

func (d *Device) dropPages(b *batch) {
	if len(d.pages) > 0 {
		d.pages = nil
		b.clear(tablePages)
	}
}

// swap shows the base that was begun anew and gives up the old one.
func (d *Device) swap(b *batch) {
	if d.sight.FreshEpoch != d.sight.BaseEpoch && d.sight.Cursor != "" {
		d.markApart(b) // nobody has said that it was not
	}
	b.clear(d.base.table())
	d.base, d.fresh = d.fresh, nil
	d.sight.Slot, d.sight.Cursor, d.sight.BaseEpoch = d.base.slot, d.sight.FreshCursor, d.sight.FreshEpoch
	d.sight.Resync, d.sight.FreshCursor, d.sight.FreshEpoch = false, "", ""
}

func (d *Device) learnSchema(raw []byte, b *batch) {
	was := d.schema
	if err := d.schema.UnmarshalJSON(raw); err != nil {
		return // it never does
	}
	d.sight.Grown = append(d.sight.Grown, d.schema.beyond(was)...)
	b.put(tableMeta, []byte("schema"), d.schema)
}

// lift takes off the top what this complete pull has passed: the verdicts that
// came before it was asked for, and those that it brought. While scopes are
// still being filled, a record that was made here may not have come yet; it is
// shown as typed until it has.
func (d *Device) lift(pages []*wire.PullAnswer, mark uint64, filling, goesOn bool, b *batch) {
	brought := map[record.ID]bool{}
	for _, page := range pages {
		for i := range page.Outcomes {
			brought[page.Outcomes[i].ID] = true
		}
	}
	for _, en := range d.acked {
		v := en.Verdict
		v.told = v.told || brought[en.Mutation.ID]
		passed := v.tick <= mark || v.told
		if v.Showing && passed && goesOn {
			d.doubt(en, b)
		}
		if !v.Showing || !passed || d.overtaken(en) || filling && d.awaited(en) {
			continue
		}
		v.Showing = false
		d.untouch(en)
		if !v.spent() {
			d.saveEntry(b, en)
		}
	}
	d.sweep(b)
}

// awaited reports whether en made a record that is not here yet.
func (d *Device) awaited(en *entry) bool {
	return slices.ContainsFunc(en.Mutation.Edits, func(e record.Edit) bool {
		return e.Op == record.OpCreate && d.base.records[e.ID] == nil
	})
}
