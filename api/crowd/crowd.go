// Package crowd decides who is served when more devices ask than can be served
// at once. So many are served, so many wait in a queue, and the others are sent
// away with a time at which to come again: an appointment, given out as fast as
// the work gets done, so that a thousand who came together come back one after
// another.
//
// Nobody is starved. A device that is sent away keeps its place by the time at
// which it first asked: when it comes again it stands before all who came
// later, and if the queue is full the one who has waited least goes in its
// stead. It knows nothing of HTTP.
package crowd

import (
	"context"
	"math"
	"sync"
	"time"

	"roadbook/errs"
	"roadbook/record"
)

// Limits say how much of one class of request is borne.
type Limits struct {
	Served  int           // at once
	Waiting int           // for their turn
	Within  time.Duration // the longest that one waits before he is sent away
	Usual   time.Duration // how long serving one takes, as long as nobody has measured it
}

const (
	// leastAfter and mostAfter bound an appointment: seconds are what
	// Retry-After counts in, and in five minutes a thousand devices get through
	// if each takes a third of a second.
	leastAfter = time.Second
	mostAfter  = 5 * time.Minute

	// keepPlaces is how many devices' places are kept, each under 100 bytes, and
	// keepFor how long a device has to come again.
	keepPlaces = 10_000
	keepFor    = 3 * mostAfter
)

// Class is one class of requests. Its methods may be called by anybody at once.
type Class struct {
	limits Limits
	now    func() time.Time

	mu     sync.Mutex
	served int
	queue  []*waiter               // by the time at which they first asked
	places map[record.ID]time.Time // when those who were sent away first asked
	swept  time.Time               // when places was last rid of the old ones
	took   time.Duration           // how long serving takes, on average
	booked time.Time               // the last appointment that was given
}

// waiter is one in the queue.
type waiter struct {
	who    record.ID
	since  time.Time
	called chan struct{} // closed when he is served or sent away
	served bool
}

// NewClass is a class in which nobody is.
func NewClass(l Limits, now func() time.Time) *Class {
	return &Class{limits: l, now: now, places: map[record.ID]time.Time{}, took: l.Usual}
}

// Enter waits until who may be served. leave must be called when he has been.
// An error says that he was sent away, and when to come again (RetryAfter), or
// is that of ctx. A stranger, NoID, has no place to keep.
func (c *Class) Enter(ctx context.Context, who record.ID) (leave func(), err error) {
	w, err := c.join(who)
	if err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeout(ctx, c.limits.Within)
	defer cancel()
	select {
	case <-w.called:
	case <-wait.Done():
		c.giveUp(w)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case w.served:
		return c.leaver(), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, c.sendAway(w)
}

// join serves who at once, or puts him into the queue.
func (c *Class) join(who record.ID) (*waiter, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := &waiter{who: who, since: c.since(who), called: make(chan struct{})}
	if c.served < c.limits.Served { // then nobody waits
		c.served++
		c.serve(w)
		return w, nil
	}
	at := len(c.queue)
	for at > 0 && c.queue[at-1].since.After(w.since) {
		at--
	}
	if at == c.limits.Waiting {
		return nil, c.sendAway(w)
	}
	c.queue = append(c.queue, nil)
	copy(c.queue[at+1:], c.queue[at:])
	c.queue[at] = w
	if last := len(c.queue) - 1; last == c.limits.Waiting {
		close(c.queue[last].called) // he is sent away
		c.queue = c.queue[:last]
	}
	return w, nil
}

func (c *Class) since(who record.ID) time.Time {
	now := c.now()
	if first, ok := c.places[who]; ok && now.Sub(first) < keepFor {
		return first
	}
	return now
}

func (c *Class) serve(w *waiter) {
	w.served = true
	delete(c.places, w.who)
	close(w.called)
}

// leaver gives the place of who is served to the next.
func (c *Class) leaver() func() {
	began := c.now()
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.took += (c.now().Sub(began) - c.took) / 8
		if len(c.queue) == 0 {
			c.served--
			return
		}
		next := c.queue[0]
		c.queue = append(c.queue[:0], c.queue[1:]...)
		c.serve(next)
	})
}

// giveUp takes w out of the queue, unless he was called meanwhile.
func (c *Class) giveUp(w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, o := range c.queue {
		if o == w {
			c.queue = append(c.queue[:i], c.queue[i+1:]...)
			return
		}
	}
}

// sendAway keeps w's place and gives him an appointment.
func (c *Class) sendAway(w *waiter) error {
	if !w.who.IsZero() {
		c.sweep()
		if len(c.places) < keepPlaces {
			c.places[w.who] = w.since
		}
	}
	return &Full{After: c.appointment()}
}

// sweep forgets those who have not come again. It looks at all of them once in
// a while, so that doing so costs nobody anything.
func (c *Class) sweep() {
	now := c.now()
	if now.Sub(c.swept) < keepFor/10 {
		return
	}
	c.swept = now
	for who, first := range c.places {
		if now.Sub(first) >= keepFor {
			delete(c.places, who)
		}
	}
}

// appointment is the next free moment behind those who wait and those who have
// one already. Where that is too far off, they are spread over the later half
// of the most there is.
func (c *Class) appointment() time.Duration {
	now := c.now()
	each := max(c.took, time.Millisecond) / time.Duration(c.limits.Served)
	if earliest := now.Add(time.Duration(len(c.queue)) * each); c.booked.Before(earliest) {
		c.booked = earliest
	}
	c.booked = c.booked.Add(each)
	after := c.booked.Sub(now)
	if after > mostAfter {
		after = mostAfter/2 + after%(mostAfter/2)
	}
	return max(after, leastAfter)
}

// Full tells a device to come again.
type Full struct{ After time.Duration }

func (f *Full) Error() string { return f.Unwrap().Error() }

// RetryAfter is when to come again.
func (f *Full) RetryAfter() time.Duration { return f.After }

// Unwrap lets the kind be found.
func (f *Full) Unwrap() error {
	return errs.New("crowd.Enter", errs.Busy, "Many devices are syncing at once. Nothing is lost; yours has kept its place and tries again in %d seconds.",
		int(math.Ceil(f.After.Seconds()))).Coded("crowded")
}
