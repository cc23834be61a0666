package sync

import (
	"sync"
	"time"

	"roadbook/telemetry"
)

// forgetAfter is how long a queue in which the last commit failed counts as
// stopped when nobody waits in it: those who were sent away come back.
const forgetAfter = time.Minute

// queue watches the jobs of one org: how many wait, and whether any of them has
// got through.
type queue struct {
	now func() time.Time

	mu      sync.Mutex
	waiting int
	since   time.Time // somebody has been waiting and nothing has got through; zero if all is well
	failed  time.Time // when somebody was last sent away since then
}

func (q *queue) enter() {
	now := q.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lapsed(now) {
		q.since, q.failed = now, time.Time{}
	}
	q.waiting++
}

// left is told that one waits no longer, and whether it got what it waited for.
func (q *queue) left(through bool) {
	now := q.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting--
	switch {
	case !through:
		q.failed = now
	case q.waiting > 0:
		q.since, q.failed = now, time.Time{}
	default:
		q.since, q.failed = time.Time{}, time.Time{}
	}
}

// lapsed reports whether nobody waits, and nobody is expected back.
func (q *queue) lapsed(now time.Time) bool {
	return q.waiting == 0 && (q.failed.IsZero() || now.Sub(q.failed) > forgetAfter)
}

// stuck is how long nothing has got through.
func (q *queue) stuck(now time.Time) (waiting int, stuck time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lapsed(now) {
		return 0, 0
	}
	return q.waiting, max(0, now.Sub(q.since)) // a clock may be set back
}

// Queue is how the queues of all orgs stand: how many wait, and how long the
// worst has not moved.
func (e *Engine) Queue() telemetry.Queue {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all telemetry.Queue
	now := e.Now()
	for _, c := range e.committers {
		waiting, stuck := c.queue.stuck(now)
		all.Waiting += waiting
		all.Stuck = max(all.Stuck, stuck)
	}
	return all
}
