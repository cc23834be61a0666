package pages

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/wire"
)

// lostPlace is a place that a device was given, and that the log does not have.
type lostPlace struct{ epoch string }

func (*lostPlace) Error() string { return "the log has lost what a device has seen" }

// checkPlace refuses a cursor from which the device cannot go on. chain is the
// log's hash at its place.
func (p *page) checkPlace(chain []byte) error {
	switch {
	case p.old.IsBeyond(p.head.Seq): // of whatever epoch: this log must not give those numbers out
		return &lostPlace{p.head.Epoch}
	case p.old.epoch != p.head.Epoch:
		return p.staleEpoch(chain)
	case p.old.base < p.head.Horizon:
		return p.stale("horizon", "this device was away for too long; it must compare what it has")
	case p.req.Cursor != "" && p.old.IsLost(p.head.Seq, chain):
		return &lostPlace{p.head.Epoch}
	}
	return nil
}

// IsLost reports whether a log of the cursor's epoch has not, or not any more,
// what the device was told. chain is the log's hash at the cursor's place.
func (c Cursor) IsLost(head record.Seq, chain []byte) bool {
	return c.IsBeyond(head) || c.Proven() != 0 && !bytes.HasPrefix(chain, c.chain[:])
}

// IsBeyond reports whether a device was given a place beyond the end of a log.
func (c Cursor) IsBeyond(head record.Seq) bool { return c.pos > head || c.head > head }

// IsApart reports whether a device has seen a log that is not this one's past,
// so that its numbers say nothing of what it has seen of this one: it comes from
// a life that this log does not know, because a newer backup of an older life
// was put back later, or from one that ended without anybody knowing where. If
// it is only ahead of the point to which a known life was restored, its numbers
// up to there are right, and beyond there are no rows.
func (c Cursor) IsApart(head record.Seq, chain []byte, epochs []store.Epoch) bool {
	return c.IsLost(head, chain) && !slices.ContainsFunc(epochs, func(e store.Epoch) bool {
		return e.Was == c.epoch && !e.Proved && c.Proven() > e.From // or the logs had parted before
	})
}

// Knows reports whether an epoch that is over was one of this log.
func Knows(epochs []store.Epoch, epoch string) bool {
	return slices.ContainsFunc(epochs, func(e store.Epoch) bool { return e.Was == epoch })
}

// checkPast refuses to compare with a device that has seen another log than this
// one: a record may be another under the same seq.
func (p *page) checkPast(own Cursor, chain []byte) error {
	epochs, err := p.tx.Epochs(p.ctx)
	if err != nil || !own.IsApart(p.head.Seq, chain, epochs) {
		return err
	}
	judged, err := JudgedOf(p.ctx, p.tx, p.who.Device)
	return cmp.Or(err, Elsewhere("sync.Check", "rewound", p.head, judged, true))
}

// staleEpoch answers a device that was last here in an earlier life of the log.
// If that was before the point to which the server has come back, it has seen
// nothing that is lost.
func (p *page) staleEpoch(chain []byte) error {
	epochs, err := p.tx.Epochs(p.ctx)
	if err != nil {
		return err
	}
	code := "rewound"
	for _, e := range epochs {
		if e.Was == p.old.epoch && p.old.pos <= e.From && p.old.head <= e.From && bytes.HasPrefix(chain, p.old.chain[:]) {
			code = "epoch"
		}
	}
	judged, err := JudgedOf(p.ctx, p.tx, p.who.Device)
	if err != nil {
		return err
	}
	return Elsewhere("sync.Pull", code, p.head, judged, p.old.IsApart(p.head.Seq, chain, epochs))
}

// JudgedOf is how far each replica of a device is known.
func JudgedOf(ctx context.Context, tx interface {
	WritersOf(ctx context.Context, device record.ID) ([]store.Writer, error)
}, device record.ID,
) (map[string]uint64, error) {
	writers, err := tx.WritersOf(ctx, device)
	judged := make(map[string]uint64, len(writers))
	for _, w := range writers {
		judged[string(store.ReplicaName(w.ID))] = w.N
	}
	return judged, err
}

// Elsewhere is the answer to a device whose place is in no log that is there.
func Elsewhere(op, code string, head store.Head, judged map[string]uint64, apart bool) error {
	err := errs.New(op, errs.Stale, "the server was restored; this device must give back what it has and compare: nothing typed is lost")
	return &wire.Failure{Err: err.Coded(code), More: wire.Problem{Epoch: head.Epoch, Judged: judged, Apart: apart}}
}
