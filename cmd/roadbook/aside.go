package main

import (
	"context"
	"time"

	"roadbook/store"
	"roadbook/store/pg"
)

// readAside lets pulls read a standby, if there is one. That it does not answer
// is no reason not to serve.
func (s *server) readAside(ctx context.Context) error {
	if s.cfg.StandbyURL.IsZero() {
		return nil
	}
	pool, err := pg.OpenLater(ctx, s.cfg.StandbyURL.Reveal(), pg.Traced(s.tracer))
	if err != nil {
		return err
	}
	standby := store.NewStandby(pool, s.in.pool, s.lives.Life)
	s.engine.ReadAside(standby)
	s.behind.Go(func() error {
		defer pool.Close()
		ticks := time.NewTicker(store.StandbyEvery)
		defer ticks.Stop()
		standby.Run(ctx, ticks.C, now, s.fault)
		return nil
	})
	return nil
}
