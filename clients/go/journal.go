package device

import (
	"context"
	"slices"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

// The journal is what the server has judged and might lose: a mutation stays
// in it until its verdict is known to be on a second machine. A server that
// was restored to an earlier point gets it back from there, under the old
// names and with the proof of the old verdict, before anything else is said.

// heal re-pushes what was judged in another epoch than the log's present one,
// and what the log seems to have lost of this one, the oldest replica first.
func (d *Device) heal(ctx context.Context, r *Report) error {
	for idle := 0; idle < maxIdle; idle++ {
		replica, list := d.unhealed()
		if len(list) == 0 {
			return nil
		}
		before := r.progress()
		if err := d.repush(ctx, replica, list, r); err != nil {
			return err
		}
		if r.progress() > before {
			idle = -1
		}
	}
	return internal("device.heal", "the server gives no verdict on what it has lost")
}

// unhealed is what the first replica of the lineage has in the journal from
// another epoch.
func (d *Device) unhealed() (version.Replica, []*entry) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.sight.Epoch == "" {
		return "", nil
	}
	for _, replica := range d.replicas() {
		list := d.journalOf(replica, func(en *entry) bool { return en.Verdict.Epoch != d.sight.Epoch || en.Verdict.Doubted })
		if len(list) > 0 {
			return replica, list
		}
	}
	return "", nil
}

// doubt notes what a server that was put back without saying so has lost: a
// complete pull that went on from a place in the log tells of every own verdict
// behind that place. The receipt proves it when it is pushed again; if the
// server has it after all, nothing comes of that.
func (d *Device) doubt(en *entry, b *batch) {
	v := en.Verdict
	if v.Placed && v.Kept && !v.told && en.Replica == d.id.Replica && v.Epoch == d.sight.Epoch {
		v.Doubted = true
		d.saveEntry(b, en)
	}
}

// doubtBeyond notes what a server has not judged by what it says of itself: it
// may have been put back once more since, without another epoch.
func (d *Device) doubtBeyond(judged map[string]uint64, b *batch) {
	if judged != nil {
		d.doubtAll(func(en *entry) bool { return en.Mutation.N > judged[string(en.Replica)] }, b)
	}
}

// doubtUntold notes what no pull has told of yet: none will that starts over.
func (d *Device) doubtUntold(b *batch) {
	d.doubtAll(func(en *entry) bool { return en.Verdict.Showing }, b)
}

func (d *Device) doubtAll(which func(en *entry) bool, b *batch) {
	for _, en := range d.acked {
		if v := en.Verdict; v.Kept && !v.Doubted && which(en) {
			v.Doubted = true
			d.saveEntry(b, en)
		}
	}
}

// replicas are all that the device has been, oldest first.
func (d *Device) replicas() []version.Replica {
	all := make([]version.Replica, 0, len(d.id.Lineage)+1)
	for _, a := range d.id.Lineage {
		if !slices.Contains(all, a.Replica) {
			all = append(all, a.Replica)
		}
	}
	return append(all, d.id.Replica)
}

// journalOf are a replica's entries in the journal that pass, in the order of
// n.
func (d *Device) journalOf(replica version.Replica, pass func(en *entry) bool) []*entry {
	var list []*entry
	for _, en := range d.acked {
		if en.Verdict.Kept && en.Replica == replica && pass(en) {
			list = append(list, en)
		}
	}
	slices.SortFunc(list, byN)
	return list
}

// from are a replica's entries from an n on, or none if that n itself is no
// longer there. Those of the outbox are among them: if only the later ones of
// a push got their verdicts, from a pull, the earlier ones still lie there.
func (d *Device) from(replica version.Replica, n uint64) []*entry {
	d.mu.RLock()
	defer d.mu.RUnlock()
	list := d.journalOf(replica, func(en *entry) bool { return en.Mutation.N >= n })
	if replica == d.id.Replica {
		list = append(list, d.outbox...)
		slices.SortFunc(list, byN)
	}
	at := slices.IndexFunc(list, func(en *entry) bool { return en.Mutation.N == n })
	if at < 0 {
		return nil
	}
	return list[at:]
}

// fillHole gives the server what it lacks below a frame of the outbox.
func (d *Device) fillHole(ctx context.Context, frame *wire.Push, next uint64, r *Report) error {
	if next == frame.Mutations[0].N {
		return nil // nothing lacks: what arrived was an older frame
	}
	list := d.from(frame.Replica, next)
	if list == nil {
		return d.giveUp(internal("device.hole", "%s:%d is in no journal", frame.Replica, next))
	}
	return d.repush(ctx, frame.Replica, list, r)
}

// repush sends the first frame of a journal.
func (d *Device) repush(ctx context.Context, replica version.Replica, list []*entry, r *Report) error {
	frame := d.journalFrame(replica, list)
	err := d.send(ctx, frame, r)
	if p, ours := asProblem(err); ours && p.Code == codeHole && p.NextN < frame.Mutations[0].N {
		if list = d.from(replica, p.NextN); list != nil {
			frame = d.journalFrame(replica, list)
			err = d.send(ctx, frame, r)
		}
	}
	if err == nil {
		return nil
	}
	return d.repushFailed(err, replica, frame.Mutations[0].N, r)
}

func (d *Device) journalFrame(replica version.Replica, list []*entry) *wire.Push {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.frame(replica, list)
}

// repushFailed deals with a server that does not take a journal back under its
// old name: the entries go out again under the present one.
func (d *Device) repushFailed(err error, replica version.Replica, n uint64, r *Report) error {
	p, ours := asProblem(err)
	if !ours || mayPass(err) || errs.KindOf(err) == errs.Anonymous {
		return err
	}
	if err = d.soften(err, p, r); err == nil {
		return nil
	}
	if d.isPresent(replica) {
		switch p.Code {
		case codeFork:
			return d.change(func(b *batch) error { return d.fork(&p.Problem, r, b) })
		case codeHole, codeReplica:
			return d.giveUp(err)
		}
		return err
	}
	return d.change(func(b *batch) error {
		if p.Code == codeFork {
			d.settleAll(p.Outcomes, p.epoch(d), r, b)
			n = d.differs(replica, &p.Problem)
		}
		d.requeue(d.takeBack(replica, n, b), r, b)
		return nil
	})
}

// markApart notes that what was typed here until now was typed on a log that the
// server's never was: the numbers in it, of what its author had seen, mean
// nothing there. It is said each time that it is sent; what was typed itself is
// never rewritten.
func (d *Device) markApart(b *batch) {
	for _, en := range d.byID {
		if !en.Apart {
			en.Apart = true
			d.saveEntry(b, en)
		}
	}
}

func (d *Device) isPresent(replica version.Replica) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.id.Replica == replica
}

// giveUp notes that the present replica cannot go on: the server lacks what
// the device no longer has, or has lost the name itself. Nothing typed is
// lost; the next sign-in asks for a fresh replica, and the outbox goes out as
// that.
func (d *Device) giveUp(cause error) error {
	err := d.change(func(b *batch) error {
		d.id.NeedFresh = true
		d.saveIdentity(b)
		d.doubtAll(func(*entry) bool { return true }, b) // it may have lost more than the name, whatever epoch it says it is in
		return nil
	})
	if err != nil {
		return err
	}
	return errs.New("device.Push", errs.Clash, "the server has lost what this device sent; please sign in again").
		Coded(codeHole).Because(cause)
}

// takeBack takes a replica's entries from an n on out of the journal, with the
// proof of their verdicts. Refused ones stay refused.
func (d *Device) takeBack(replica version.Replica, n uint64, b *batch) []*entry {
	list := d.journalOf(replica, func(en *entry) bool { return en.Mutation.N >= n })
	for _, en := range list {
		if en.Verdict.Result == record.Refused {
			en.Verdict.Kept = false
		}
	}
	d.sweep(b)
	list = slices.DeleteFunc(list, func(en *entry) bool { return en.Verdict.Result == record.Refused })
	d.acked = slices.DeleteFunc(d.acked, func(en *entry) bool { return slices.Contains(list, en) })
	for _, en := range list {
		again := en.proof()
		if again != nil && again.Dot.IsZero() {
			again.Dot = version.Dot{Replica: en.Replica, N: en.Mutation.N} // its receipt is for that name
		}
		en.Mutation.Again, en.Verdict, en.Replica = again, nil, ""
		d.touch(en)
		d.saveEntry(b, en)
	}
	return list
}

// requeue puts entries that were taken back at the end of the outbox: what
// stands there already has its n, and keeps it.
func (d *Device) requeue(list []*entry, r *Report, b *batch) {
	for _, en := range list {
		en.Mutation.N, en.Prev = d.count.N+1, d.count.Last
		d.count.N, d.count.Last = en.Mutation.N, en.Mutation.ID
		d.outbox = append(d.outbox, en)
		d.saveEntry(b, en)
	}
	r.Relabelled += len(list)
	d.saveCounter(b)
}
