package sync

import (
	"context"
	"fmt"
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
	sweepAtOnce  = 4000
)

// job is what one caller wants committed in one transaction.
type job struct {
	who     access.Caller
	replica record.ReplicaID // 0: the server's own, which numbers them itself
	prev    string
	muts    []record.Mutation
	persons []record.ID    // whose each one is, where the server numbers them
	schema  *record.Schema // a new one for the org

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
	dead []store.Dead
}

// submit hands a job to the org's committer and waits for its end.
func (e *Engine) submit(ctx context.Context, org record.OrgID, j *job) error {
	j.done = make(chan struct{})
	select {
	case e.committer(org).jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-e.ctx.Done():
		return errs.New("sync.Commit", errs.Busy, "the server is stopping; try again in a moment").Coded("stopping")
	}
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		return ctx.Err() // it may still be committed: a repeat finds the verdict
	}
}

func (e *Engine) committer(org record.OrgID) *committer {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.committers[org]
	if c == nil {
		c = &committer{e: e, org: org, jobs: make(chan *job, maxQueued)}
		e.committers[org] = c
		e.work.Go(c.run)
	}
	return c
}

func (c *committer) run() {
	for {
		select {
		case j := <-c.jobs:
			c.commit(c.gather(j))
			c.lull()
		case <-c.e.ctx.Done():
			c.refuse()
			return
		}
	}
}

// refuse answers what is still queued when the engine closes.
func (c *committer) refuse() {
	for {
		select {
		case j := <-c.jobs:
			j.err = errs.New("sync.Commit", errs.Busy, "the server is stopping; try again in a moment").Coded("stopping")
			close(j.done)
		default:
			return
		}
	}
}

func (c *committer) gather(first *job) []*job {
	jobs, size := []*job{first}, len(first.muts)
	for size < maxGather {
		select {
		case j := <-c.jobs:
			jobs, size = append(jobs, j), size+len(j.muts)
		default:
			return jobs
		}
	}
	return jobs
}

// commit runs a gather. One that fails as a whole is tried again job by job,
// so that nobody pays for his neighbour.
func (c *committer) commit(jobs []*job) {
	err := c.transaction(jobs)
	if err != nil && len(jobs) > 1 {
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
	err = c.e.Store.InOrg(ctx, c.org, func(tx store.Tx, head store.Head) error {
		w, err := c.e.begin(ctx, tx, head, jobs)
		if err != nil {
			return err
		}
		for _, j := range jobs {
			if err := w.judge(j); err != nil {
				return err
			}
		}
		dead, err = w.end()
		return err
	})
	if err == nil {
		c.dead = append(c.dead, dead...)
	}
	return err
}

// lull uses the moment in which nobody waits: first subtrees that are to be
// moved, then dead index rows. Neither is needed for anybody's answer.
func (c *committer) lull() {
	for len(c.jobs) == 0 && c.e.ctx.Err() == nil {
		more, err := c.e.RescopeChunk(c.e.ctx, c.org)
		if err != nil {
			c.e.fault(fmt.Errorf("moving a subtree of org %d: %w", c.org, err))
		}
		if !more || err != nil {
			break
		}
	}
	for len(c.jobs) == 0 && len(c.dead) >= sweepFrom && c.e.ctx.Err() == nil {
		batch := c.dead[:min(len(c.dead), sweepAtOnce)]
		if err := c.e.Store.Sweep(c.e.ctx, c.org, batch); err != nil {
			c.e.fault(fmt.Errorf("sweeping the index of org %d: %w", c.org, err))
			return
		}
		c.dead = c.dead[len(batch):]
	}
}

func (e *Engine) fault(err error) {
	if e.Fault != nil {
		e.Fault(err)
	}
}
