package push

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"roadbook/record"
)

const (
	// maxUnanswered is how often something is sent at most to a channel that gives
	// no answer: it may have arrived each time.
	maxUnanswered = 2
	// sendWithin is how long a channel may take, its own tries among it.
	sendWithin = 10 * time.Second
	// againAfter is when something is tried again that a channel will not take now
	// and does not say until when; each time twice as long, up to againAtMost.
	againAfter  = time.Minute
	againAtMost = time.Hour
	// putOffFor is how long a channel may go on saying: later. Then the next has
	// its turn.
	putOffFor = 24 * time.Hour
)

// went is what sending by one channel has come to.
type went struct {
	tried  bool          // there was somebody to send to
	taken  bool          // or it is held, and will be
	again  time.Duration // it is to be tried again after that
	reason string        // why not, of the last who did not take it
}

// through sends by one channel. Each address is claimed before and answered for
// after, so that whoever takes the job up from a server that died knows what may
// have arrived.
func (c *Courier) through(
	ctx context.Context, org record.OrgID, who somebody, ch Channel, m Message, all []Address,
) (w went, err error) {
	if rest := c.paused.of(ch.Name(), c.Now()); rest > 0 {
		return went{again: rest}, nil
	}
	var to []Address
	var claims []claimed
	for _, a := range all {
		claim, err := c.db.claim(ctx, org, m.ID, a.Device, ch.Name(), c.Now())
		if err == nil && claim.fresh && !m.free {
			claim, err = c.bounded(ctx, org, who, m, route{Device: a.Device, Channel: ch.Name()}, claim)
		}
		switch {
		case err != nil:
			return w, err
		case claim.ours:
			to, claims = append(to, a), append(claims, claim)
		case claim.state == stateSending: // somebody else is at it, or has died over it
			w.again = max(w.again, abandoned)
		case claim.state == stateFailed, claim.state == stateUnknown:
			w.reason = cmp.Or(w.reason, claim.state)
		default:
			w.taken = true
		}
	}
	if len(to) == 0 {
		return w, nil
	}
	within, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	var failed []error
	for i, a := range ch.Send(within, m, to) {
		failed = append(failed, c.hear(ctx, org, ch, m.ID, to[i], claims[i], a, &w))
	}
	return w, errors.Join(failed...)
}

// bounded holds what would be too much for a device.
func (c *Courier) bounded(ctx context.Context, org record.OrgID, who somebody, m Message, r route, claim claimed) (claimed, error) {
	since, n, err := c.db.spend(ctx, org, r.Device, m.Category, c.Now())
	if err != nil || n <= mostOf(m.Category) {
		return claim, err
	}
	return claimed{state: stateHeld}, c.hold(ctx, org, m.ID, who.id, r, since.Add(rateOver))
}

// hear keeps what a channel says of one address.
func (c *Courier) hear(ctx context.Context, org record.OrgID, ch Channel, n record.ID, to Address, claim claimed, a Answer, w *went) error {
	state, reason, now := stateSent, "", c.Now()
	var failed error
	switch {
	case a.Silent:
		state, reason = stateAsked, a.Err.Error()
		failed = fmt.Errorf("%s has not answered: %w", ch.Name(), a.Err)
	case a.Err == nil:
		w.taken = true
	case a.Again && now.Sub(claim.begun) < putOffFor:
		state, reason = stateWaiting, a.Err.Error()
		w.again = max(w.again, cmp.Or(a.After, pause(claim.putOff)))
		c.paused.until(ch.Name(), now.Add(a.After))
	default:
		state, reason = stateFailed, a.Err.Error()
		w.reason = reason
	}
	c.Metrics.Delivered(ch.Name(), state)
	kept := c.db.answered(ctx, org, n, to.Device, ch.Name(), state, reason, a.Receipt, now)
	if a.Gone {
		kept = errors.Join(kept, c.db.bury(ctx, org, to.Device, ch.Name(), now))
	}
	return errors.Join(failed, kept)
}

// pause is how long to wait before asking a channel again that has put something
// off so often.
func pause(putOff int) time.Duration {
	const most = 6 // doublings until againAtMost
	return min(againAfter<<min(putOff, most), againAtMost)
}

// pauses are until when channels want to be left alone: what one delivery was
// told holds for all of them on this server.
type pauses struct {
	mu sync.Mutex
	by map[string]time.Time
}

func (p *pauses) until(channel string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.by == nil {
		p.by = map[string]time.Time{}
	}
	if at.After(p.by[channel]) {
		p.by[channel] = at
	}
}

func (p *pauses) of(channel string, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.by[channel].Sub(now)
}
