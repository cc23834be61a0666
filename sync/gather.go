package sync

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg"
	"roadbook/sync/pages"
	"roadbook/sync/wire"
	"roadbook/telemetry"
)

// Limits of a gather: past 256 mutations nothing is gained but latency, and a
// transaction that takes this long is stuck.
const (
	maxGather    = 256
	maxQueued    = 1024
	gatherWithin = 30 * time.Second
	sweepFrom    = 500
	moveAfter    = 20 // gathers that a subtree waits for a lull before it takes its turn
	sweepAtOnce  = 4000
	sweepLate    = 20_000 // dead index rows that wait for no lull any more
)

// job is what one caller wants committed in one transaction.
type job struct {
	who     access.Caller
	replica record.ReplicaID // 0: the server's own, which numbers them itself
	online  bool             // of somebody who is online: the server numbers it
	prev    string
	epoch   string          // in which its device believes itself to be
	stands  *pages.Cursor   // where its device stands, if it says so
	lineage []wire.Ancestor // what the replica was before, if its device says so
	muts    []record.Mutation
	persons []record.ID         // whose each one is, where the server numbers them
	schema  *record.Schema      // a new one for the org
	run     func(w *work) error // in place of mutations
	span    telemetry.Span      // of the push that it is of

	outcomes []record.Outcome
	nextN    uint64
	head     store.Head
	err      error
	done     chan struct{}
	queue    *queue // that it waits in
}

func (j *job) fail(err error) {
	j.outcomes, j.err = nil, pg.Classify(err)
	j.queue.left(false)
	close(j.done)
}

func (j *job) succeed() {
	j.queue.left(true)
	close(j.done)
}

// committer collects what concurrent callers of one org want committed into
// one transaction. An idle org waits for nothing: whatever is there when the
// last transaction has ended goes into the next. Safety never depends on it:
// the org's row lock orders several servers.
//
// While one gather is on its way to the disk, the next is worked out on what
// will be there then (ahead).
type committer struct {
	e     *Engine
	org   record.OrgID
	jobs  chan *job
	over  chan struct{} // closed when nobody will take a job any more
	queue queue

	mem   *memory
	ahead *gathering // on its way; nil if nothing is
	met   bool       // somebody else has committed not long ago

	next   *job // taken from the queue, but not yet into a gather
	moving bool // subtrees are to be moved
	waited int  // gathers since they could

	mu   sync.Mutex
	dead []store.Dead // index rows that may be swept
}

func (e *Engine) newCommitter(org record.OrgID) *committer {
	return &committer{
		e: e, org: org, jobs: make(chan *job, maxQueued), over: make(chan struct{}), mem: newMemory(e.remember),
		queue: queue{now: e.Now},
	}
}

// submit hands a job to the org's committer and waits for its end.
func (e *Engine) submit(ctx context.Context, org record.OrgID, j *job) error {
	j.done, j.span = make(chan struct{}), telemetry.SpanOf(ctx)
	c := e.committer(org)
	j.queue = &c.queue
	j.queue.enter()
	select {
	case c.jobs <- j:
	case <-ctx.Done():
		j.queue.left(false)
		return ctx.Err()
	case <-c.over:
		j.queue.left(false)
		return stopping()
	}
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		return ctx.Err() // it may still be committed: a repeat finds the verdict
	case <-c.over:
	}
	select {
	case <-j.done:
		return j.err
	default:
		return stopping()
	}
}

func stopping() error {
	return errs.New("sync.Commit", errs.Busy, "the server is stopping; try again in a moment").Coded("stopping")
}

func (e *Engine) committer(org record.OrgID) *committer {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.committers[org]
	if c == nil {
		c = e.newCommitter(org)
		e.committers[org] = c
		e.work.Go(c.run)
	}
	return c
}

func (c *committer) run() {
	defer close(c.over)
	for c.await() {
		c.commit()
	}
}

// await waits for a job; false means that the server is stopping.
func (c *committer) await() bool {
	for c.next == nil {
		var landed chan struct{}
		if c.ahead != nil {
			landed = c.ahead.landed
		} else {
			c.lull()
		}
		select {
		case c.next = <-c.jobs:
		case <-landed:
			c.land()
		case <-c.e.ctx.Done():
			c.land()
			return false
		}
	}
	return true
}

// take takes what is queued, up to what still fits into a transaction that
// holds so many.
func (c *committer) take(size int) (jobs []*job) {
	for {
		if c.next == nil {
			select {
			case c.next = <-c.jobs:
			default:
				return jobs
			}
		}
		if size += len(c.next.muts); size > maxGather && size > len(c.next.muts) {
			return jobs
		}
		jobs, c.next = append(jobs, c.next), nil
	}
}

// commit works out the next gather while the one ahead is on its way, and sends
// it after that.
func (c *committer) commit() {
	if c.waited++; c.moving && c.waited > moveAfter {
		c.land()
		c.lull()
	}
	if !c.e.still {
		c.sweep(sweepLate)
	}
	g := c.open(false)
	err := g.attempt(func() error { return c.fill(g) })
	switch {
	case !c.land(): // what this one stands on has not come to be
		g.giveUp(store.ErrMoved)
		c.again(g.jobs, store.ErrMoved)
	case err != nil:
		g.giveUp(err)
		c.mem = newMemory(c.e.remember)
		c.again(g.jobs, err)
	case g.sealed == nil:
		g.over()
	default:
		c.send(g)
	}
}

// fill takes jobs for as long as nothing is lost by waiting for more.
func (c *committer) fill(g *gathering) error {
	for jobs := c.take(0); len(jobs) > 0; jobs = c.take(g.size) {
		if err := g.take(jobs); err != nil {
			return err
		}
		if c.ahead == nil || c.next != nil {
			break
		}
		select {
		case c.next = <-c.jobs:
		case <-c.ahead.landed:
		}
	}
	return g.seal()
}

// send sends a gather on its way.
func (c *committer) send(g *gathering) {
	c.mem.absorb(g.w, g.sealed.Head)
	c.ahead = g
	c.e.work.Go(func() {
		g.err = g.attempt(func() error { return g.turn.Send(g.ctx, g.sealed) })
		g.over()
	})
}

// land waits until what was sent is on the disk. If it did not get there, the
// jobs run again; false then.
func (c *committer) land() bool {
	g := c.ahead
	if g == nil {
		return true
	}
	<-g.landed
	c.ahead = nil
	if g.err != nil {
		c.mem = newMemory(c.e.remember)
		c.again(g.jobs, g.err)
		return false
	}
	c.landed(g)
	return true
}

func (c *committer) landed(g *gathering) {
	c.met = g.met
	c.moving = c.moving || len(g.w.rescope) > 0
}

// died adds index rows to those that may be swept.
func (c *committer) died(dead []store.Dead) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = append(c.dead, dead...)
}

// toSweep takes some of them out, if there are at least so many.
func (c *committer) toSweep(from, most int) []store.Dead {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.dead) < from {
		return nil
	}
	batch := c.dead[:min(len(c.dead), most)]
	c.dead = c.dead[len(batch):]
	return batch
}

// maxAgain is how often jobs run once more for nobody's fault. The second time
// the lock comes first and nothing is taken for granted; one more is for what
// cannot be foreseen.
const maxAgain = 3

// again runs jobs of which the transaction has failed. If that was only because
// something turned out to be otherwise than it was thought to be, they run once
// more together; otherwise job by job, so that nobody pays for his neighbour.
func (c *committer) again(jobs []*job, err error) {
	careful := false
	for range maxAgain {
		moved, taken := errors.Is(err, store.ErrMoved), errors.Is(err, store.ErrTaken)
		if !moved && !taken {
			break
		}
		c.mem = newMemory(c.e.remember)
		careful = careful || taken
		err = c.transaction(jobs, careful)
		c.met = c.met || moved
	}
	switch {
	case err == nil:
	case len(jobs) == 1:
		jobs[0].fail(err)
	default:
		c.e.fault(fmt.Errorf("a gather of org %d, which runs again job by job: %w", c.org, err))
		for _, j := range jobs {
			one := []*job{j}
			if err := c.transaction(one, true); err != nil {
				c.again(one, err)
			}
		}
	}
}

// transaction runs jobs and waits for the end. After an error nothing is
// remembered.
func (c *committer) transaction(jobs []*job, careful bool) error {
	g := c.open(careful)
	defer g.end()
	err := g.attempt(func() error {
		if err := g.take(jobs); err != nil {
			return err
		}
		if err := g.seal(); err != nil || g.sealed == nil {
			return err
		}
		return g.turn.Send(g.ctx, g.sealed)
	})
	if err != nil {
		g.watch.end(err)
		c.mem = newMemory(c.e.remember)
		return err
	}
	if g.sealed != nil {
		c.mem.absorb(g.w, g.sealed.Head)
	}
	c.landed(g)
	g.over()
	return nil
}

// lull uses the moment in which nobody waits: first subtrees that are to be
// moved, which take their turn all the same if no lull comes, then dead index
// rows. Neither is needed for anybody's answer.
func (c *committer) lull() {
	for ; c.moving && !c.e.still && (c.idle() || c.waited > moveAfter); c.waited = 0 {
		more, err := c.e.RescopeChunk(c.e.ctx, c.org)
		if err != nil {
			c.e.fault(fmt.Errorf("moving a subtree of org %d: %w", c.org, err))
			return
		}
		c.moving, c.mem = more, newMemory(c.e.remember)
	}
	for more := true; more && c.idle() && !c.e.still; {
		more = c.sweep(sweepFrom)
	}
}

// sweep sweeps some dead index rows if there are at least so many, and reports
// whether it did.
func (c *committer) sweep(from int) bool {
	dead := c.toSweep(from, sweepAtOnce)
	if len(dead) == 0 {
		return false
	}
	if err := c.e.Store.Sweep(c.e.ctx, c.org, dead); err != nil {
		c.died(dead)
		c.e.fault(fmt.Errorf("sweeping the index of org %d: %w", c.org, err))
		return false
	}
	return true
}

// Sweep deletes the dead index rows that this engine's commits of an org have
// left, while it is still and nobody commits.
func (e *Engine) Sweep(ctx context.Context, org record.OrgID) error {
	return e.Store.Sweep(ctx, org, e.committer(org).toSweep(0, math.MaxInt))
}

func (c *committer) idle() bool {
	return c.next == nil && len(c.jobs) == 0 && c.e.ctx.Err() == nil
}

func (e *Engine) fault(err error) {
	if e.Fault != nil && e.ctx.Err() == nil {
		e.Fault(err)
	}
}
