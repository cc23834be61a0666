package main

import (
	"context"
	"time"

	"roadbook/errs"
	"roadbook/store/pg"
)

// wake lets orgs go on whose row another server holds that has stopped in the
// middle of a commit. A database that is away is told of by others.
func (s *server) wake(ctx context.Context) error {
	ticks := time.NewTicker(pg.SilentEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return nil
		}
		if ended, err := pg.EndSilent(ctx, s.in.pool, pg.SilentFor); err == nil && ended > 0 {
			s.fault(errs.New("roadbook.wake", errs.Busy, "%d commits were ended that another server has left in the middle: "+
				"it is paused, starved or cut off from the network", ended))
		}
	}
}
