package pages

import (
	"context"
	"errors"

	"roadbook/access"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/wire"
)

// Standby is a second database that may be read where a moment ago will do: a
// *store.Standby.
type Standby interface {
	// Snapshot runs fn in one snapshot of an org whose log goes at least up to a
	// place.
	Snapshot(ctx context.Context, org record.OrgID, from record.Seq, fn func(tx store.Tx, head store.Head) error) error
}

// primary is the name under which pages are counted that only the primary could
// make: it has to write something first, or to say why there is none.
const primary = "primary"

// aside has a page made from the standby, if there is one, it has come as far as
// the device and as far as we have heard of the log, and a page is what comes
// out: that the device is told no, or that something must be settled first, only
// the primary can say. Else it has to be made from there.
//
// As far as the device is what keeps it from being told less than before; as far
// as we have heard is what lets it find its own writes, and the news for which it
// was woken.
func (m *Maker) aside(ctx context.Context, who access.Caller, r *wire.PullRequest, fn func(tx store.Tx, head store.Head) error) (made bool) {
	if m.Standby == nil {
		return false
	}
	from, epoch := record.Seq(0), ""
	if r.Cursor != "" {
		c, err := m.Cursor(who, r.Cursor)
		if err != nil {
			return false
		}
		from, epoch = max(c.head, c.pos), c.epoch
	}
	if m.Heard != nil {
		from = max(from, m.Heard(who.Org))
	}
	err := m.Standby.Snapshot(ctx, who.Org, from, func(tx store.Tx, head store.Head) error {
		if epoch != "" && head.Epoch != epoch {
			return store.StandbyOther
		}
		return fn(tx, head)
	})
	switch reason, is := errors.AsType[store.NotAsked](err); {
	case err == nil:
		m.Metrics.Aside("standby")
	case is:
		m.Metrics.Aside(string(reason))
	default:
		m.Metrics.Aside(primary)
	}
	return err == nil
}
