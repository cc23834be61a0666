package sync

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"roadbook/store"
)

// gathering is one transaction of a committer: jobs as they are worked out, and
// then on their way to the disk.
type gathering struct {
	c       *committer
	careful bool
	met     bool // somebody else had committed before it

	ctx    context.Context
	cancel context.CancelFunc
	turn   *store.Turn
	watch  *watch

	jobs   []*job
	size   int // mutations
	w      *work
	sealed *store.Sealed // nil if it writes nothing

	landed chan struct{} // closed when it is on the disk, or has failed
	err    error
}

// open begins a gathering on what will be there when the one ahead has landed.
func (c *committer) open(careful bool) *gathering {
	g := &gathering{c: c, careful: careful, landed: make(chan struct{})}
	g.ctx, g.cancel = context.WithTimeout(context.WithoutCancel(c.e.ctx), gatherWithin)
	g.watch = c.e.watch(g.ctx, c.org)
	from := c.mem.head
	if c.met {
		from = nil // it is asked first, instead of found out at the end
	}
	var wait func(context.Context) error
	if ahead := c.ahead; ahead != nil {
		wait = ahead.wait
	}
	g.turn = c.e.Store.Turn(c.org, from, wait)
	return g
}

// wait waits until it has landed.
func (g *gathering) wait(ctx context.Context) error {
	select {
	case <-g.landed:
	case <-ctx.Done():
		return ctx.Err()
	}
	if g.err != nil {
		return store.ErrMoved
	}
	return nil
}

// attempt turns a panic into an error.
func (g *gathering) attempt(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("commit panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return fn()
}

// take settles some more jobs.
func (g *gathering) take(jobs []*job) error {
	g.jobs = append(g.jobs, jobs...)
	g.watch.take(jobs)
	g.enter("check")
	if err := g.begin(); err != nil {
		return err
	}
	if err := g.w.load(jobs); err != nil {
		return err
	}
	more := 0
	for _, j := range jobs {
		more += len(j.muts)
	}
	g.size += more
	g.w.log = slices.Grow(g.w.log, more)
	g.enter("merge")
	for _, j := range jobs {
		if err := g.w.judge(j); err != nil {
			return err
		}
	}
	return nil
}

func (g *gathering) begin() (err error) {
	if g.w != nil {
		return nil
	}
	if g.c.met && g.c.mem.head != nil {
		head, err := g.turn.Lock(g.ctx)
		if err != nil {
			return err
		}
		if g.met = !head.Same(*g.c.mem.head); g.met {
			g.c.mem = newMemory(g.c.e.remember)
		}
	}
	g.w, err = g.c.e.begin(g.ctx, g.turn, g.c.mem, g.careful)
	return err
}

// seal makes what there is ready to be sent. If that is nothing, the answers
// must still be true: the log must end where it was thought to.
func (g *gathering) seal() (err error) {
	if err := g.w.unpark(); err != nil {
		return err
	}
	g.enter("append")
	if g.sealed, err = g.w.end(); g.sealed == nil && err == nil {
		_, err = g.turn.Lock(g.ctx)
	}
	return err
}

// over tells everybody how it has ended.
func (g *gathering) over() {
	g.end()
	if g.err == nil {
		g.watch.landed(g)
		if g.sealed != nil {
			g.c.e.moved(g.c.org, g.sealed.Head.Seq)
			g.c.died(g.sealed.Dead)
		}
		for _, j := range g.jobs {
			j.succeed()
		}
	}
	g.watch.end(g.err)
	close(g.landed)
}

// enter begins a step, for whoever watches.
func (g *gathering) enter(step string) {
	g.ctx = g.watch.enter(step)
	if g.w != nil {
		g.w.ctx = g.ctx
	}
}

// giveUp ends what will not be sent.
func (g *gathering) giveUp(err error) {
	g.end()
	g.watch.end(err)
}

// end gives up what was not sent.
func (g *gathering) end() {
	g.turn.End(g.ctx)
	g.cancel()
}
