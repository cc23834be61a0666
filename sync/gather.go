package sync

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
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
)

// job is what one caller wants committed in one transaction.
type job struct {
	who     access.Caller
	replica record.ReplicaID // 0: the server's own, which numbers them itself
	online  bool             // of somebody who is online: the server numbers it
	prev    string
	muts    []record.Mutation
	persons []record.ID    // whose each one is, where the server numbers them
	schema  *record.Schema // a new one for the org
	wish    *wish          // what a device asks to be shown

	outcomes []record.Outcome
	nextN    uint64
	head     store.Head
	err      error
	done     chan struct{}
}

// committer collects what concurrent callers of one org want committed into
// one transaction. An idle org waits for nothing: whatever is there when the
// last transaction has ended goes into the next. Safety never depends on it:
// the org's row lock orders several servers.
type committer struct {
	e    *Engine
	org  record.OrgID
	jobs chan *job
	over chan struct{} // closed when nobody will take a job any more

	scopes map[string]record.ScopeID // by name, as committed

	next   *job // taken from the queue, but too much for the gather in hand
	dead   []store.Dead
	moving bool // subtrees are to be moved
	waited int  // gathers since they could
}

// submit hands a job to the org's committer and waits for its end.
func (e *Engine) submit(ctx context.Context, org record.OrgID, j *job) error {
	j.done = make(chan struct{})
	c := e.committer(org)
	select {
	case c.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-c.over:
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
		c = &committer{e: e, org: org, jobs: make(chan *job, maxQueued), over: make(chan struct{})}
		e.committers[org] = c
		e.work.Go(c.run)
	}
	return c
}

func (c *committer) run() {
	defer close(c.over)
	for {
		if c.next == nil {
			select {
			case c.next = <-c.jobs:
			case <-c.e.ctx.Done():
				return
			}
		}
		c.commit(c.gather())
		c.lull()
	}
}

// gather takes what is queued, up to what one transaction should hold.
func (c *committer) gather() []*job {
	jobs, size := []*job{c.next}, len(c.next.muts)
	for c.next = nil; ; {
		select {
		case j := <-c.jobs:
			if size += len(j.muts); size > maxGather {
				c.next = j
				return jobs
			}
			jobs = append(jobs, j)
		default:
			return jobs
		}
	}
}

// commit runs a gather. One that fails as a whole is tried again job by job,
// so that nobody pays for his neighbour.
func (c *committer) commit(jobs []*job) {
	err := c.transaction(jobs)
	if err != nil && len(jobs) > 1 {
		c.e.fault(fmt.Errorf("a gather of org %d, which runs again job by job: %w", c.org, err))
		for _, j := range jobs {
			c.commit([]*job{j})
		}
		return
	}
	for _, j := range jobs {
		if err != nil {
			j.outcomes, j.err = nil, err
		}
		close(j.done)
	}
}

func (c *committer) transaction(jobs []*job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("commit panicked: %v\n%s", p, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.e.ctx), gatherWithin)
	defer cancel()
	var dead []store.Dead
	var moving bool
	var made map[string]record.ScopeID
	err = c.e.Store.InOrg(ctx, c.org, func(tx store.Tx, head store.Head) error {
		w, err := c.e.begin(ctx, tx, head, jobs, c.scopes)
		if err != nil {
			return err
		}
		for _, j := range jobs {
			if err := w.judge(j); err != nil {
				return err
			}
		}
		dead, err = w.end()
		moving, made = len(w.rescope) > 0, w.scopes
		return err
	})
	if err == nil {
		c.dead = append(c.dead, dead...)
		c.moving = c.moving || moving
		if c.scopes == nil {
			c.scopes = map[string]record.ScopeID{}
		}
		maps.Copy(c.scopes, made)
	}
	return err
}

// lull uses the moment in which nobody waits: first subtrees that are to be
// moved, which take their turn all the same if no lull comes, then dead index
// rows. Neither is needed for anybody's answer.
func (c *committer) lull() {
	for c.waited++; c.moving && !c.e.still && (c.idle() || c.waited > moveAfter); c.waited = 0 {
		more, err := c.e.RescopeChunk(c.e.ctx, c.org)
		if err != nil {
			c.e.fault(fmt.Errorf("moving a subtree of org %d: %w", c.org, err))
			return
		}
		c.moving = more
	}
	for len(c.dead) >= sweepFrom && c.idle() && !c.e.still {
		batch := c.dead[:min(len(c.dead), sweepAtOnce)]
		if err := c.e.Store.Sweep(c.e.ctx, c.org, batch); err != nil {
			c.e.fault(fmt.Errorf("sweeping the index of org %d: %w", c.org, err))
			return
		}
		c.dead = c.dead[len(batch):]
	}
}

// Sweep deletes the dead index rows that this engine's commits of an org have
// left, while it is still and nobody commits.
func (e *Engine) Sweep(ctx context.Context, org record.OrgID) error {
	c := e.committer(org)
	dead := c.dead
	c.dead = nil
	return e.Store.Sweep(ctx, org, dead)
}

func (c *committer) idle() bool {
	return c.next == nil && len(c.jobs) == 0 && c.e.ctx.Err() == nil
}

func (e *Engine) fault(err error) {
	if e.Fault != nil && e.ctx.Err() == nil {
		e.Fault(err)
	}
}
