// Package feed is the live tail of the logs: it knows how far each org's log
// has come, whichever server moved it on, and wakes whoever follows that org.
//
// It carries no data. A wake that is lost, late or doubled does no harm, for
// whoever is woken reads from where he stands; and heads are read every few
// seconds all the same.
package feed

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"roadbook/record"
)

// Every is how often heads are read in any case: as long as a wake that was
// lost may delay anybody.
const Every = 5 * time.Second

// Source is where heads are: a store.Tail.
type Source interface {
	// Listen tells of each commit until ctx ends or something fails, and calls
	// ready once it hears.
	Listen(ctx context.Context, ready func(), moved func(record.OrgID, record.Seq)) error
	// Heads reads how far some orgs have come.
	Heads(ctx context.Context, orgs []record.OrgID) (map[record.OrgID]record.Seq, error)
}

// Feed follows the heads of the orgs that somebody is interested in. It can be
// followed before it runs.
type Feed struct {
	fault func(error)

	mu   sync.Mutex
	orgs map[record.OrgID]*topic
	over chan struct{} // closed when nothing more will be told

	everything []*Everything
}

// topic is one org that is followed.
type topic struct {
	head record.Seq
	subs map[*Subscription]bool
}

// New is a feed that nobody follows yet. fault hears of what goes wrong; the
// feed goes on.
func New(fault func(error)) *Feed {
	return &Feed{fault: fault, orgs: map[record.OrgID]*topic{}, over: make(chan struct{})}
}

// Run hears what happens until ctx ends. At each tick it reads the heads, and
// listens anew if it has lost its connection.
func (f *Feed) Run(ctx context.Context, source Source, ticks <-chan time.Time) {
	defer close(f.over)
	var listening sync.WaitGroup
	defer listening.Wait()
	deaf := make(chan error, 1)
	listen := func() {
		listening.Go(func() {
			ready := func() { f.read(ctx, source) }
			deaf <- source.Listen(ctx, ready, f.Moved)
		})
	}
	listen()
	lost := false
	for {
		select {
		case <-ctx.Done():
			return
		case err := <-deaf:
			lost = true
			f.fail(ctx, fmt.Errorf("the feed has lost its connection: %w", err))
		case <-ticks:
			f.read(ctx, source)
			if lost {
				lost = false
				listen()
			}
		}
	}
}

// read asks how far the orgs are that somebody follows.
func (f *Feed) read(ctx context.Context, source Source) {
	f.mu.Lock()
	orgs := slices.Sorted(maps.Keys(f.orgs))
	f.mu.Unlock()
	if len(orgs) == 0 {
		return
	}
	heads, err := source.Heads(ctx, orgs)
	if err != nil {
		f.fail(ctx, err)
		return
	}
	for org, seq := range heads {
		f.Moved(org, seq)
	}
}

func (f *Feed) fail(ctx context.Context, err error) {
	if f.fault != nil && ctx.Err() == nil {
		f.fault(err)
	}
}

// Moved says that an org's log goes at least up to seq. Saying it again, or of
// an earlier place, wakes nobody.
func (f *Feed) Moved(org record.OrgID, seq record.Seq) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.everything {
		a.tell(org, seq)
	}
	t := f.orgs[org]
	if t == nil || seq <= t.head {
		return
	}
	t.head = seq
	for s := range t.subs {
		select {
		case s.woken <- struct{}{}:
		default: // he has not come round to the last one
		}
	}
}

// Head is as far as the feed knows an org's log to go; 0 while nobody follows
// it, or before it has heard of it.
func (f *Feed) Head(org record.OrgID) record.Seq {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := f.orgs[org]; t != nil {
		return t.head
	}
	return 0
}

// Done is closed when the feed has ended and wakes nobody any more.
func (f *Feed) Done() <-chan struct{} { return f.over }

// Subscription is one follower of one org.
type Subscription struct {
	feed  *Feed
	org   record.OrgID
	woken chan struct{}
}

// Follow tells of an org from now on. Whoever follows first and reads then
// misses nothing.
func (f *Feed) Follow(org record.OrgID) *Subscription {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.orgs[org]
	if t == nil {
		t = &topic{subs: map[*Subscription]bool{}}
		f.orgs[org] = t
	}
	s := &Subscription{feed: f, org: org, woken: make(chan struct{}, 1)}
	t.subs[s] = true
	return s
}

// Woken receives when the head has moved since it last did. Wakes that nobody
// waited for become one.
func (s *Subscription) Woken() <-chan struct{} { return s.woken }

// Done is closed when nobody will be woken any more.
func (s *Subscription) Done() <-chan struct{} { return s.feed.over }

// Head is as far as the feed knows the log to go; 0 before it has heard of it.
func (s *Subscription) Head() record.Seq {
	return s.feed.Head(s.org)
}

// Close ends a subscription.
func (s *Subscription) Close() {
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	t := s.feed.orgs[s.org]
	if t == nil || !t.subs[s] {
		return
	}
	if delete(t.subs, s); len(t.subs) == 0 {
		delete(s.feed.orgs, s.org)
	}
}
