package online

import (
	"context"
	"fmt"
	"sync"
	"time"

	"roadbook/record"
)

const (
	// sieveFor is how long the sieve of an org is handed out before it is looked
	// whether there is more: it takes a second to make, and what it lacks is found
	// online, or when the customer is entered.
	sieveFor = 10 * time.Minute

	// maxSieves is how many are kept, of about a megabyte each.
	maxSieves = 64

	// maxMaking is how many are made at once. Each keeps a core busy, and eight
	// bytes for every key.
	maxMaking = 2
)

// Sieve is the keys of all records of a kind, for devices without a signal, and
// its tag.
type Sieve struct {
	Bytes []byte
	Tag   string

	head record.Seq
	made time.Time
}

// sieves are those that were handed out lately, and those that are being made:
// each once, however many ask, in the name of those who wait for it. Whoever
// comes meanwhile gets the one from before and waits for nothing; only where
// there was none he waits as well. When nobody waits any more it is given up.
type sieves struct {
	mu     sync.Mutex
	all    map[string]Sieve
	making map[string]*making
	turns  chan struct{} // one for each that is made
}

// making is a sieve that is being made.
type making struct {
	waiting int
	giveUp  context.CancelFunc
	done    chan struct{}
	sieve   Sieve
	err     error
}

func newSieves() *sieves {
	return &sieves{all: map[string]Sieve{}, making: map[string]*making{}, turns: make(chan struct{}, maxMaking)}
}

// get is the sieve of a name, as old as it may be or as it is made now.
func (s *sieves) get(
	ctx context.Context, name string, head record.Seq, now time.Time, build func(context.Context) (Sieve, error),
) (Sieve, error) {
	s.mu.Lock()
	known, is := s.all[name]
	m := s.making[name]
	if is && (m != nil || known.head == head || now.Sub(known.made) < sieveFor) {
		s.mu.Unlock()
		return known, nil
	}
	if m == nil {
		m = s.begin(ctx, name, build)
	}
	m.waiting++
	s.mu.Unlock()

	select {
	case <-m.done:
		return m.sieve, m.err
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.waiting--; m.waiting == 0 && s.making[name] == m {
		delete(s.making, name) // who comes now begins anew
		m.giveUp()
	}
	return Sieve{}, ctx.Err()
}

// begin has one made behind whoever asks first: others may come to wait for it,
// and he may leave.
func (s *sieves) begin(ctx context.Context, name string, build func(context.Context) (Sieve, error)) *making {
	ctx, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	m := &making{giveUp: giveUp, done: make(chan struct{})}
	s.making[name] = m
	go func() {
		defer giveUp()
		sieve, err := s.inTurn(ctx, build)
		s.mu.Lock()
		defer s.mu.Unlock()
		m.sieve, m.err = sieve, err
		close(m.done)
		if s.making[name] != m {
			return // it was given up
		}
		delete(s.making, name)
		if err == nil {
			s.put(name, sieve)
		}
	}()
	return m
}

// inTurn makes one when fewer than may be are being made.
func (s *sieves) inTurn(ctx context.Context, build func(context.Context) (Sieve, error)) (made Sieve, err error) {
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	case <-ctx.Done():
		return Sieve{}, ctx.Err()
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("making a sieve: %v", p)
		}
	}()
	return build(ctx)
}

// put keeps one, in the place of the oldest if there are as many as may be.
func (s *sieves) put(name string, made Sieve) {
	if _, known := s.all[name]; !known && len(s.all) >= maxSieves {
		oldest := ""
		for other, o := range s.all {
			if oldest == "" || o.made.Before(s.all[oldest].made) {
				oldest = other
			}
		}
		delete(s.all, oldest)
	}
	s.all[name] = made
}
