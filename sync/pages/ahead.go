package pages

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"time"

	"roadbook/access"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/wire"
)

// A device that fills asks for one page after the other, and while it takes one
// in, nobody would work on the next. So the next is made ahead, as it is now. If
// the log ends at the same place when it is asked for, it is what would be read
// then; if not, it is thrown away. What is not ordered by the log is looked at
// again: whose the replica is, and the clock.
const (
	aheadAtOnce = 8               // pages that are made ahead or wait to be asked for, a megabyte each
	aheadFor    = 5 * time.Second // how long one is kept
)

// ahead are the pages that nobody has asked for yet.
type ahead struct {
	mu sync.Mutex
	of map[record.ID]*early // by device
}

// early is a page before it is asked for.
type early struct {
	who   access.Caller
	req   wire.PullRequest
	ready chan struct{} // closed when it is made, or cannot be
	page  *page         // nil if it could not be made
	late  *time.Timer   // for when nobody asks
}

// put makes room for a page, if there is any.
func (a *ahead) put(e *early) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of == nil {
		a.of = map[record.ID]*early{}
	}
	if len(a.of) >= aheadAtOnce || a.of[e.who.Device] != nil {
		return false
	}
	a.of[e.who.Device] = e
	e.late = time.AfterFunc(aheadFor, func() { a.drop(e) })
	return true
}

// take is the page that somebody asks for. If he asks for another, it has been
// made in vain.
func (a *ahead) take(who access.Caller, r *wire.PullRequest) *early {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.of[who.Device]
	if e == nil {
		return nil
	}
	delete(a.of, who.Device)
	e.late.Stop()
	if e.who.Org != who.Org || e.who.Person != who.Person || !reflect.DeepEqual(e.req, *r) {
		return nil
	}
	return e
}

func (a *ahead) drop(e *early) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of[e.who.Device] == e {
		delete(a.of, e.who.Device)
	}
}

// goOn makes the page that a device will ask for after this one. Where the log
// has moved since the page before, it will move again before the device asks.
func (m *Maker) goOn(p *page) {
	if m.Go == nil || !p.answer.Filling || p.old.head != p.head.Seq {
		return
	}
	e := &early{who: p.who, req: *p.req, ready: make(chan struct{})}
	e.who.Say = nil // there will be nothing to say
	e.req.Cursor = p.answer.Cursor
	if !m.ahead.put(e) {
		return
	}
	m.Go(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, aheadFor)
		defer cancel()
		e.page = m.early(ctx, e, p.head)
		close(e.ready)
	})
}

var errMoved = errors.New("the log has moved on")

// early makes a page but for its text. Whatever is in the way, the device will
// be told of it when it asks.
func (m *Maker) early(ctx context.Context, e *early, at store.Head) (p *page) {
	making := func(tx store.Tx, head store.Head) (err error) {
		if !same(head, at) {
			return errMoved
		}
		if p, err = m.openPage(ctx, tx, head, e.who, &e.req); err != nil {
			return err
		}
		return p.compose()
	}
	if m.aside(ctx, e.who, &e.req, making) {
		return p
	}
	if m.Store.Snapshot(ctx, e.who.Org, making) != nil {
		return nil
	}
	return p
}

// fromAhead answers with the page that was made ahead, if it is there and what
// would be read now.
func (m *Maker) fromAhead(ctx context.Context, who access.Caller, r *wire.PullRequest) (*page, []byte) {
	e := m.ahead.take(who, r)
	if e == nil {
		return nil, nil
	}
	select {
	case <-e.ready:
	case <-ctx.Done():
		return nil, nil
	}
	p := e.page
	if p == nil {
		return nil, nil
	}
	err := m.Store.Snapshot(ctx, who.Org, func(tx store.Tx, head store.Head) error {
		if !same(head, p.head) {
			return errMoved
		}
		p.ctx, p.tx, p.who = ctx, tx, who
		writers, err := tx.Writers(ctx, []record.ReplicaID{p.replica})
		if err != nil {
			return err
		}
		return p.checkReplica(writers)
	})
	if err != nil {
		return nil, nil
	}
	out, err := p.text()
	if err != nil {
		return nil, nil
	}
	return p, out
}

// same reports whether all that the log orders is the same.
func same(a, b store.Head) bool {
	return a.Same(b) && a.Epoch == b.Epoch && a.Horizon == b.Horizon
}
