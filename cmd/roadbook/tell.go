package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"roadbook/jobs"
	"roadbook/modules/approvals"
	"roadbook/modules/people"
	"roadbook/modules/reminders"
	"roadbook/push"
	"roadbook/store"
	"roadbook/sync/feed"
	"roadbook/sync/reactions"
	"roadbook/telemetry"
)

// tell begins to react to what is committed, and to tell people what they must
// know of it.
func (s *server) tell(ctx context.Context, devices *people.Service) (*push.Registry, *push.Courier, error) {
	channels, err := s.channels(ctx)
	if err != nil {
		return nil, nil, err
	}
	names := make([]string, len(channels))
	for i, ch := range channels {
		names[i] = ch.Name()
	}
	var queue *jobs.Queue
	courier := push.New(push.Config{
		Pool: s.in.pool, Engine: s.engine, Jobs: func() *jobs.Queue { return queue }, Channels: channels,
		Devices: devices, Now: now, Metrics: s.metrics,
	})
	workers := jobs.NewWorkers()
	courier.Register(workers)
	(&approvals.Clock{Engine: s.engine, Now: now}).Register(workers)
	bells := reminders.New(reminders.Config{Pool: s.in.pool, Engine: s.engine, Devices: devices, Now: now})
	bells.Register(workers)
	queue, err = jobs.New(jobs.Config{Pool: s.in.pool, Workers: workers, Log: s.log})
	if err != nil {
		return nil, nil, err
	}
	runner := &reactions.Runner{
		Engine: s.engine, Now: now, Fault: s.fault, Metrics: s.metrics,
		Reactions: []reactions.Reaction{
			push.News{}, &approvals.News{Jobs: queue}, &push.Outbox{Jobs: queue}, &reminders.Reaction{Jobs: queue}, &reminders.Watching{Jobs: queue},
		},
	}
	registry := push.NewRegistry(s.in.pool, names, now)
	moved := s.feed.FollowAll()
	s.behind.Go(func() error {
		ticks := time.NewTicker(feed.Every)
		defer ticks.Stop()
		runner.Run(ctx, moved, ticks.C)
		return nil
	})
	s.behind.Go(func() error { return queue.Run(ctx) })
	s.behind.Go(func() error { return s.remind(ctx, bells) })
	var standing atomic.Pointer[telemetry.Jobs]
	standing.Store(&telemetry.Jobs{})
	s.metrics.WatchJobs(func() telemetry.Jobs { return *standing.Load() })
	s.behind.Go(func() error { return s.present(ctx, registry, &standing) })
	return registry, courier, nil
}

// remind rings now and then for what no job has taken up, and looks what time has
// made of what rules are about. To fail at it is no
// reason to end.
func (s *server) remind(ctx context.Context, bells *reminders.Service) error {
	ticks := time.NewTicker(reminders.SweepEvery)
	defer ticks.Stop()
	for {
		if err := errors.Join(bells.Sweep(ctx), bells.Passes(ctx)); err != nil && ctx.Err() == nil {
			s.fault(err)
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// present says now and then who listens here, so that nobody's phone rings for
// what he has on his screen, and looks how the jobs stand. To fail at it is no
// reason to end.
func (s *server) present(ctx context.Context, registry *push.Registry, standing *atomic.Pointer[telemetry.Jobs]) error {
	node := newID()
	ticks := time.NewTicker(push.PresentEvery)
	defer ticks.Stop()
	for {
		if err := registry.Present(ctx, node, s.sockets.People()); err != nil && ctx.Err() == nil {
			s.fault(err)
		}
		if stands, err := s.jobs(ctx); err == nil {
			standing.Store(&stands)
		} else if ctx.Err() == nil {
			s.fault(err)
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// jobs is how the work stands that is done behind the requests.
func (s *server) jobs(ctx context.Context) (telemetry.Jobs, error) {
	all, err := jobs.ReadStats(ctx, s.in.pool)
	if err != nil {
		return telemetry.Jobs{}, err
	}
	passed, err := store.GivenUp(ctx, s.in.pool)
	return telemetry.Jobs{Due: all.Due, Late: all.Late, GivenUp: all.Failed + passed}, err
}
