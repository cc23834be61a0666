package sync

import (
	"cmp"
	"context"
	"log/slog"

	"roadbook/access"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/pages"
	"roadbook/sync/wire"
	"roadbook/telemetry"
)

// Still keeps an engine from moving subtrees by itself, so that a test can do
// so between any two steps, so many records at once.
func (e *Engine) Still(atOnce int) {
	e.still, e.rescopeAtOnce = true, atOnce
}

// Remember has an engine remember about so many bytes of records of each org.
func (e *Engine) Remember(bytes int) { e.remember = bytes }

// Recent is a memory of numbers, which weigh what they are.
type Recent struct{ r recent[string, int] }

// NewRecent remembers up to a limit.
func NewRecent(limit int) *Recent {
	return &Recent{recent[string, int]{limit: limit, weigh: func(n int) int { return n }}}
}

// Put adds something, Turn makes room, Get says what there is.
func (r *Recent) Put(name string, n int) { r.r.put(name, n) }

// Turn makes room.
func (r *Recent) Turn() { r.r.turn() }

// Get is 0 for what is forgotten.
func (r *Recent) Get(name string) int {
	n, _ := r.r.get(name)
	return n
}

// MaxRemembered is the limit of an engine.
const MaxRemembered = maxRemembered

// LookAtMost has a page look at so many records to fill.
func (e *Engine) LookAtMost(n int) { e.pages.LookAtMost = n }

// MoveAtOnce has subtrees move so many records at once.
func (e *Engine) MoveAtOnce(n int) { e.rescopeAtOnce = n }

// PlaceOf reads a cursor.
func (e *Engine) PlaceOf(who access.Caller, text string) (pages.Cursor, error) {
	return e.pages.Cursor(who, text)
}

// Watch has an engine count and log what it does.
func (e *Engine) Watch(tracer *telemetry.Tracer, metrics *telemetry.Metrics, log *slog.Logger) {
	e.Tracer, e.Metrics, e.Log = tracer, metrics, log
	e.pages.Tracer, e.pages.Metrics = tracer, metrics
}

// Together is one of several things that reach the committer in one gather: a
// push, or a schema.
type Together struct {
	Ctx    context.Context // may be nil
	Who    access.Caller
	Frame  *wire.Push
	Schema *record.Schema
	Answer *wire.PushAnswer
	Err    error
}

// PushTogether commits them in one transaction, in the order given, and does
// not try again what fails.
func (e *Engine) PushTogether(_ context.Context, org record.OrgID, all []Together) {
	e.together(org, all, func(c *committer, jobs []*job) error { return c.transaction(jobs, true) })
}

// Gather commits them as one gather, which runs again job by job if it fails.
func (e *Engine) Gather(org record.OrgID, all []Together) {
	e.together(org, all, func(c *committer, jobs []*job) error {
		if err := c.transaction(jobs, false); err != nil {
			c.again(jobs, err)
		}
		return nil
	})
}

func (e *Engine) together(org record.OrgID, all []Together, commit func(*committer, []*job) error) {
	jobs, c := make([]*job, len(all)), e.newCommitter(org)
	for i, t := range all {
		jobs[i] = &job{who: t.Who, schema: t.Schema, done: make(chan struct{}), queue: &c.queue}
		c.queue.enter()
		if t.Ctx != nil {
			jobs[i].span = telemetry.SpanOf(t.Ctx)
		}
		if t.Frame != nil {
			replica, _ := store.ReplicaNo(t.Frame.Replica)
			jobs[i].replica, jobs[i].prev, jobs[i].muts = replica, t.Frame.Prev, t.Frame.Mutations
		}
	}
	failed := commit(c, jobs)
	for i, j := range jobs {
		if all[i].Err = cmp.Or(failed, j.err); all[i].Err == nil {
			all[i].Answer = &wire.PushAnswer{Outcomes: j.outcomes}
			e.finish(all[i].Answer, j)
		}
	}
}

// PurgeRests is how many times as long as a step a purge rests.
const PurgeRests = purgeRests
