// Package pages answers pulls: a page is what is new for one device, as of one
// snapshot. It writes nothing; what a device asks to be shown is put into the
// log by whoever commits, before its page is made.
package pages

import (
	"context"
	"errors"
	"sync"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/history"
	"roadbook/sync/wire"
	"roadbook/telemetry"
)

// Config is what a maker of pages is made of.
type Config struct {
	Store   Store
	Key     []byte           // of cursors
	Now     func() time.Time // the wall clock
	Schemas *Schemas
	Teller  *history.Teller
	// Settle commits what a device is to be shown from now on, as far as its
	// person may see it.
	Settle func(ctx context.Context, who access.Caller, wish Wish) error
	// Lost begins a new epoch, if there has been none since, because a device has
	// seen what is not in the log.
	Lost func(ctx context.Context, org record.OrgID, epoch string) error
	// Durable is what of a log is known to be on a second machine.
	Durable func(org record.OrgID, head store.Head) wire.Durable
	Fault   func(error) // told of what goes wrong behind nobody's request

	// Go runs what no request waits for, with a context that ends with everything. Without it no page
	// is made ahead.
	Go func(func(context.Context))

	// Standby is read for pages, if there is one; it may be nil. Heard is how far
	// we know an org's log to go; nil is not at all.
	Standby Standby
	Heard   func(org record.OrgID) record.Seq

	LookAtMost int // records that one page looks at to fill; 0 is the usual number

	// For the operator; each may be nil.
	Metrics *telemetry.Metrics
	Tracer  *telemetry.Tracer
}

// Maker makes pages, for any number of orgs and devices.
type Maker struct {
	Config

	ahead   ahead
	writers sync.Pool // of *wire.PageWriter
	quills  sync.Pool // of *quill, to seal cursors with
	sights  sights
}

// New is a maker over a migrated database.
func New(c Config) *Maker {
	if c.Durable == nil {
		c.Durable = func(_ record.OrgID, head store.Head) wire.Durable { return wire.Durable{Epoch: head.Epoch} }
	}
	return &Maker{Config: c}
}

// Pull answers with the next page of what is new for a device, from one
// snapshot that also reads the head: the scopes that it loses, what changed in
// those that it holds, judged against what it has applied and never against
// how far its pages have come, and with the room left the next records of
// scopes that are new to it.
//
// A device that asks to be shown something else than before, or whose person
// may see something else, has that put into the log first.
func (m *Maker) Pull(ctx context.Context, who access.Caller, r *wire.PullRequest) ([]byte, error) {
	p, out, err := m.pull(ctx, who, r)
	if err == nil {
		m.goOn(p)
	}
	return out, err
}

func (m *Maker) pull(ctx context.Context, who access.Caller, r *wire.PullRequest) (_ *page, _ []byte, err error) {
	ctx, span := m.Tracer.Start(ctx, "pull")
	defer func() { span.End(err) }()
	if p, out := m.fromAhead(ctx, who, r); p != nil {
		m.touch(ctx, p)
		return p, out, nil
	}
	for range pullAttempts {
		p, out, err := m.page(ctx, who, r)
		if place, ok := errors.AsType[*lostPlace](err); ok {
			if err := m.Lost(ctx, who.Org, place.epoch); err != nil {
				return nil, nil, err
			}
			continue // the answer now is that the epoch is another
		}
		ask, ok := errors.AsType[*unsettled](err)
		if !ok {
			return p, out, err
		}
		if err := m.settle(ctx, who, ask); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, errs.New("sync.Pull", errs.Busy, "what this device is shown is being changed; try again in a moment")
}

func (m *Maker) page(ctx context.Context, who access.Caller, r *wire.PullRequest) (p *page, out []byte, err error) {
	making := func(tx store.Tx, head store.Head) error {
		if p, err = m.openPage(ctx, tx, head, who, r); err != nil {
			return err
		}
		if err = p.compose(); err != nil {
			return err
		}
		out, err = p.text()
		return err
	}
	if !m.aside(ctx, who, r, making) {
		err = m.Store.Snapshot(ctx, who.Org, making)
	}
	if err == nil {
		m.touch(ctx, p)
	}
	return p, out, err
}

// touch notes that the device uses its pins, if that is due.
func (m *Maker) touch(ctx context.Context, p *page) {
	if !p.touch {
		return
	}
	if late := m.Store.TouchPins(ctx, p.who.Org, p.who.Device, m.Now()); late != nil {
		m.Fault(late) // the next pull tries again
	}
}
