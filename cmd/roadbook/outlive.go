package main

import (
	"context"
	"time"

	"roadbook/config"
	"roadbook/store/pg"
)

const (
	// renewEvery is how often a database that has come back as another is looked
	// at until its epochs have begun.
	renewEvery = time.Second

	// renewConns is what beginning epochs needs, beside those that serve.
	renewConns = 4
)

// renew begins new epochs on a database that has come back at another point
// than the one at which it was left. From here on only this life of it is
// served.
func (s *server) renew(ctx context.Context) error {
	life, err := pg.LifeOf(ctx, s.in.pool)
	if err != nil {
		return err
	}
	s.lives.Approve(life)
	s.in.pool.Reset() // what was connected before has not been looked at
	begun, err := s.engine.Renew(ctx, "the server started on a database that was restored or promoted")
	s.renewed(begun)
	return err
}

func (s *server) renewed(begun int) {
	if begun > 0 {
		s.say("this database was restored or promoted since it was last served: %d orgs have a new epoch, and devices "+
			"compare what they have", begun)
	}
}

// outlive goes on where the database has failed over to another while we serve.
// Until the new epochs have begun nobody is served, for no connection of the
// pool comes through.
func (s *server) outlive(ctx context.Context) error {
	ticks := time.NewTicker(renewEvery)
	defer ticks.Stop()
	for {
		select {
		case <-s.lives.Other():
		case <-ctx.Done():
			return nil
		}
		for err := s.failOver(ctx); err != nil && ctx.Err() == nil; err = s.failOver(ctx) {
			s.fault(err)
			select {
			case <-ticks.C:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// failOver begins new epochs in the life that the database has now, and lets
// that be served. It has connections of its own, all to the one life: if the
// database fails over once more meanwhile, none comes through, and the next
// time looks again.
func (s *server) failOver(ctx context.Context) error {
	gate := pg.After(s.lives.Life())
	pool, err := pg.Open(ctx, s.in.address(s.cfg), pg.MaxConns(renewConns), gate.Through())
	if err != nil {
		return err
	}
	defer pool.Close()
	life, err := pg.LifeOf(ctx, pool)
	if err != nil {
		return err
	}
	gate.Approve(life)
	pool.Reset()
	engine := newEngine(pool, make([]byte, config.KeyBytes), observers{log: s.log}, nil) // it signs nothing
	defer engine.Close()
	begun, err := engine.Renew(ctx, "the database failed over to another under a running server")
	if err != nil {
		return err
	}
	s.lives.Approve(life)
	s.in.pool.Reset()
	s.say("the database has failed over to another")
	s.renewed(begun)
	return nil
}

// address is where the database is.
func (in *installation) address(cfg config.Config) string {
	if in.local != nil {
		return in.local.DSN(ownDatabase)
	}
	return cfg.DatabaseURL.Reveal()
}
