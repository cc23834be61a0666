package sync

import (
	"bytes"
	"context"
	"slices"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/wire"
)

// A server may have come back at an earlier point without anybody having said
// so: a machine was rolled back, a copy put in its place. Only what the server
// itself has signed proves that. A number proves nothing: a hole is as likely
// to be a device's mistake.

// checkProofs begins a new epoch if a push proves that the log has lost
// something of this one.
func (e *Engine) checkProofs(ctx context.Context, who access.Caller, replica record.ReplicaID, p *wire.Push) error {
	if !slices.ContainsFunc(p.Mutations, func(m record.Mutation) bool { return m.Again != nil }) {
		return nil
	}
	lost := ""
	err := e.Store.Snapshot(ctx, who.Org, func(tx store.Tx, head store.Head) error {
		unknown, err := e.isLost(ctx, tx, head, replica, p.Mutations)
		if unknown {
			lost = head.Epoch
		}
		return err
	})
	if err != nil || lost == "" {
		return err
	}
	return e.lost(ctx, who.Org, lost, "a device proved what the log has lost")
}

// checkEpoch refuses what a device has typed without knowing that the server
// was restored: it gives its journal back first, or this would be judged
// without what was before it.
func (w *work) checkEpoch(j *job) error {
	returning := slices.ContainsFunc(j.muts, func(m record.Mutation) bool { return m.Again != nil })
	if j.epoch == "" || j.epoch == w.head.Epoch || returning {
		return nil
	}
	judged, err := judgedOf(w.ctx, w.tx, j.who.Device)
	j.err = elsewhere("sync.Push", "epoch", w.head, judged)
	return err
}

// isLost reports whether any of these was judged in the present epoch, as its
// receipt proves, and is not in the log.
func (e *Engine) isLost(
	ctx context.Context, tx store.Tx, head store.Head, replica record.ReplicaID, muts []record.Mutation,
) (bool, error) {
	proven := map[record.ID]bool{}
	for i := range muts {
		m := &muts[i]
		if m.Again != nil && m.Again.Epoch == head.Epoch && e.prove(tx.Org, replica, m).result != "" {
			proven[m.ID] = true
		}
	}
	if len(proven) == 0 {
		return false, nil
	}
	ids := make([]record.ID, 0, len(proven))
	for id := range proven {
		ids = append(ids, id)
	}
	found, err := tx.EntriesByID(ctx, ids)
	return len(found) < len(proven), err
}

// lost begins a new epoch because something of this one is not in the log. Of
// many who prove it at once, the first begins it.
func (e *Engine) lost(ctx context.Context, org record.OrgID, epoch, reason string) error {
	_, life, err := e.Store.LifeOf(ctx)
	if err != nil {
		return err
	}
	_, err = e.beginEpoch(ctx, org, store.Epoch{Life: life, Reason: reason}, func(head store.Head, _ []store.Epoch) bool {
		return head.Epoch == epoch
	})
	return err
}

// lostPlace is a place that a device was given, and that the log does not have.
type lostPlace struct{ epoch string }

func (*lostPlace) Error() string { return "the log has lost what a device has seen" }

// checkPlace refuses a cursor from which the device cannot go on.
func (p *page) checkPlace() error {
	lost := p.old.pos > p.head.Seq || p.old.head > p.head.Seq
	switch {
	case p.old.epoch != p.head.Epoch:
		return p.staleEpoch()
	case p.old.base < p.head.Horizon:
		return p.stale("horizon", "this device was away for too long; it must compare what it has")
	case !lost && p.old.pos == 0:
		return nil
	case !lost:
		chain, err := p.tx.Chain(p.ctx, p.old.pos)
		if err != nil {
			return err
		}
		lost = len(chain) < 8 || [8]byte(chain[:8]) != p.old.chain
	}
	if lost {
		return &lostPlace{p.head.Epoch}
	}
	return nil
}

// staleEpoch answers a device that was last here in an earlier life of the log.
// If that was before the point to which the server has come back, it has seen
// nothing that is lost.
func (p *page) staleEpoch() error {
	epochs, err := p.tx.Epochs(p.ctx)
	if err != nil {
		return err
	}
	chain, err := p.tx.Chain(p.ctx, p.old.pos)
	if err != nil {
		return err
	}
	code := "rewound"
	for _, e := range epochs {
		if e.Was == p.old.epoch && p.old.pos <= e.From && p.old.head <= e.From && bytes.HasPrefix(chain, p.old.chain[:]) {
			code = "epoch"
		}
	}
	judged, err := judgedOf(p.ctx, p.tx, p.who.Device)
	if err != nil {
		return err
	}
	return elsewhere("sync.Pull", code, p.head, judged)
}

// judgedOf is how far each replica of a device is known.
func judgedOf(ctx context.Context, tx interface {
	WritersOf(ctx context.Context, device record.ID) ([]store.Writer, error)
}, device record.ID) (map[string]uint64, error) {
	writers, err := tx.WritersOf(ctx, device)
	judged := make(map[string]uint64, len(writers))
	for _, w := range writers {
		judged[string(store.ReplicaName(w.ID))] = w.N
	}
	return judged, err
}

// elsewhere is the answer to a device whose place is in no log that is there.
func elsewhere(op, code string, head store.Head, judged map[string]uint64) error {
	err := errs.New(op, errs.Stale, "the server was restored; this device must give back what it has and compare: nothing typed is lost")
	return &Problem{err.Coded(code), wire.Problem{Epoch: head.Epoch, Judged: judged}}
}

// readmit makes a replica again that a restored server has lost, for a device
// that proves that it was one. Under another name its writes would not be those
// that others have seen.
func (w *work) readmit(j *job) error {
	if len(j.muts) == 0 || w.e.prove(w.tx.Org, j.replica, &j.muts[0]).result == "" {
		return nil
	}
	writer := store.Writer{ID: j.replica, Device: j.who.Device, Person: j.who.Person}
	ids := make([]record.ReplicaID, 0, len(j.lineage))
	for _, a := range j.lineage {
		if id, ok := store.ReplicaNo(a.Replica); ok && id != j.replica {
			ids = append(ids, id)
		}
	}
	if err := w.loadWriters(ids); err != nil {
		return err
	}
	for _, a := range slices.Backward(j.lineage) {
		id, _ := store.ReplicaNo(a.Replica)
		if above := w.writers[id]; above != nil && above.Person == j.who.Person && id != j.replica {
			writer.Parent, writer.Fork, writer.Stamp = id, a.Last, above.Stamp
			break
		}
	}
	w.forks = append(w.forks, writer)
	w.writers[j.replica] = &writer
	w.twins[j.replica] = nil
	return nil
}
