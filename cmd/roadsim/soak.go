package main

import (
	"context"
	"fmt"
	"io"
	stdsync "sync"
	"time"

	"roadbook/sim"
)

// perDatabase is how many histories share a database: the more, the larger its
// tables, the fewer, the more time goes into making databases.
const perDatabase = 500

// soak plays seeds, several at once.
type soak struct {
	options
	base   *base
	stdout io.Writer
	begun  time.Time

	mu    stdsync.Mutex
	next  uint64
	seeds int
	steps int
	bad   int
	err   error
}

func newSoak(o options, b *base, stdout io.Writer) *soak {
	return &soak{options: o, base: b, stdout: stdout, begun: time.Now(), next: o.first}
}

func (s *soak) run(ctx context.Context) (bad int, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var work stdsync.WaitGroup
	for range s.parallel {
		work.Go(func() { s.fail(s.play(ctx, stop)) })
	}
	over := make(chan struct{})
	go func() { work.Wait(); close(over) }()
	for tick := time.NewTicker(s.every); ; {
		select {
		case <-tick.C:
			s.tell()
		case <-over:
			tick.Stop()
			s.tell()
			return s.bad, s.err
		}
	}
}

func (s *soak) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

// play plays one seed after the other.
func (s *soak) play(ctx context.Context, stop func()) error {
	for ctx.Err() == nil {
		s.mu.Lock()
		r, done, err := s.base.runner(ctx, s.tries)
		s.mu.Unlock()
		if err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the time is over
			}
			return err
		}
		more := s.some(ctx, r, stop)
		done()
		if !more {
			return nil
		}
	}
	return nil
}

// some plays as many seeds as one database should hold.
func (s *soak) some(ctx context.Context, r *sim.Runner, stop func()) (more bool) {
	r.Alike = s.alike
	for range perDatabase {
		seed, ok := s.take()
		if !ok || ctx.Err() != nil {
			return false
		}
		script, f := r.Seed(context.WithoutCancel(ctx), seed, s.options.steps)
		s.mu.Lock()
		s.seeds++
		s.steps += len(script.Steps)
		if f != nil {
			s.bad++
			_, _ = fmt.Fprintln(s.stdout, f) // there is nobody else to tell
		}
		s.mu.Unlock()
		if f != nil && !s.goOn {
			stop()
		}
	}
	return true
}

func (s *soak) take() (seed uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last > 0 && s.next > s.last {
		return 0, false
	}
	s.next++
	return s.next - 1, true
}

func (s *soak) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	took := time.Since(s.begun)
	_, _ = fmt.Fprintf(s.stdout, "%s  %d histories, %d steps, %.0f steps/s, %d bad\n",
		took.Round(time.Second), s.seeds, s.steps, float64(s.steps)/took.Seconds(), s.bad)
}
