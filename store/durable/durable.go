// Package durable knows how much of each org's log is on a second machine:
// what PostgreSQL's standbys and archives say they have, in the words of the
// log. What it says is never too much; how late it says it is of no importance.
package durable

import (
	"context"
	"slices"
	"sync"
	"time"

	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg"
)

const (
	// Every is how often it should be asked for news.
	Every = time.Second

	// maxSamples bounds what waits for a standby that is far behind. Past it
	// samples are thinned out, which only makes the steps larger.
	maxSamples = 512
)

// Source is where a tracker reads.
type Source interface {
	// Life is the cluster and timeline that answers.
	Life(ctx context.Context) (string, error)
	// Ends are where the logs end.
	Ends(ctx context.Context) ([]store.LogEnd, error)
	// WALEnd is a place behind all that was visible when it was asked for.
	WALEnd(ctx context.Context) (pg.LSN, error)
	// Confirmed is the place up to which the WAL is elsewhere; false: nowhere.
	Confirmed(ctx context.Context) (pg.LSN, bool, error)
}

// sample says: once the WAL is elsewhere up to at, these logs are so far.
type sample struct {
	at   pg.LSN
	ends map[record.OrgID]store.LogEnd // that have moved since the sample before
}

// Tracker follows what is confirmed. It begins with nothing at each start.
type Tracker struct {
	source Source

	mu      sync.RWMutex
	life    string
	waiting []sample // oldest first
	last    map[record.OrgID]store.LogEnd
	durable map[record.OrgID]store.LogEnd
}

// New is a tracker that knows nothing yet.
func New(source Source) *Tracker {
	t := &Tracker{source: source}
	t.forget("")
	return t
}

// Durable is the place up to which an org's log is on a second machine, 0 if
// that is not known. It only grows, as long as the database lives on.
func (t *Tracker) Durable(org record.OrgID) record.Seq {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.durable[org].Seq
}

// Run asks at each tick until ctx ends. tell is told what went wrong; nothing
// that was known is less true for it.
func (t *Tracker) Run(ctx context.Context, ticks <-chan time.Time, tell func(error)) {
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
		err := t.Ask(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			tell(err)
		}
		failing = err != nil
	}
}

// Ask takes a sample and finds out what has been confirmed. The order counts:
// the logs first and then the WAL, behind which they are, or a commit between
// the two would be taken for older than it is. The life is asked for on both
// sides, for the database may be another one from one question to the next.
func (t *Tracker) Ask(ctx context.Context) error {
	before, err := t.source.Life(ctx)
	if err != nil {
		return err
	}
	ends, err := t.source.Ends(ctx)
	if err != nil {
		return err
	}
	at, err := t.source.WALEnd(ctx)
	if err != nil {
		return err
	}
	confirmed, known, err := t.source.Confirmed(ctx)
	if err != nil {
		return err
	}
	life, err := t.source.Life(ctx)
	if err != nil || life != before {
		return err // the next time all of it is of one life
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.take(life, ends, at)
	if known {
		t.confirm(confirmed)
	}
	return nil
}

// take keeps a sample. A database that is another, or less than it was, has
// come back from elsewhere: what was known of it counts no more.
func (t *Tracker) take(life string, ends []store.LogEnd, at pg.LSN) {
	if life != t.life || t.rewound(ends) {
		t.forget(life)
	}
	moved := map[record.OrgID]store.LogEnd{}
	for _, e := range ends {
		if t.last[e.Org] != e {
			t.last[e.Org], moved[e.Org] = e, e
		}
	}
	if len(moved) == 0 {
		return
	}
	t.waiting = append(t.waiting, sample{at, moved})
	if len(t.waiting) > maxSamples {
		t.thin()
	}
}

func (t *Tracker) rewound(ends []store.LogEnd) bool {
	return slices.ContainsFunc(ends, func(e store.LogEnd) bool { return e.Seq < t.last[e.Org].Seq })
}

func (t *Tracker) forget(life string) {
	t.life, t.waiting = life, nil
	t.last, t.durable = map[record.OrgID]store.LogEnd{}, map[record.OrgID]store.LogEnd{}
}

// thin lets every other sample pass over into the one behind it, which is
// confirmed later.
func (t *Tracker) thin() {
	kept := t.waiting[:0]
	for i := 0; i < len(t.waiting); i += 2 {
		s := t.waiting[i]
		if i+1 < len(t.waiting) {
			for org, e := range t.waiting[i+1].ends {
				s.ends[org] = e
			}
			s.at = t.waiting[i+1].at
		}
		kept = append(kept, s)
	}
	clear(t.waiting[len(kept):])
	t.waiting = kept
}

// confirm lets everything count that is before a place.
func (t *Tracker) confirm(at pg.LSN) {
	n := 0
	for ; n < len(t.waiting) && t.waiting[n].at <= at; n++ {
		for org, e := range t.waiting[n].ends {
			t.durable[org] = e
		}
	}
	t.waiting = t.waiting[n:]
}
