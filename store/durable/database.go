package durable

import (
	"context"

	"roadbook/store"
	"roadbook/store/pg"
)

// Database is a tracker's source: a database, and beside its own standbys an
// archive that only we know of.
type Database struct {
	Pool *pg.Pool

	// Archived is how far an encrypted archive is; nil without one.
	Archived func() pg.LSN
}

// Life implements Source.
func (d Database) Life(ctx context.Context) (string, error) {
	c, err := pg.LifeOf(ctx, d.Pool)
	return c, err
}

// Ends implements Source.
func (d Database) Ends(ctx context.Context) ([]store.LogEnd, error) {
	return store.LogEnds(ctx, d.Pool)
}

// WALEnd implements Source.
func (d Database) WALEnd(ctx context.Context) (pg.LSN, error) { return pg.WALEnd(ctx, d.Pool) }

// Confirmed implements Source. Whoever is last counts: he may be the one that
// is left.
func (d Database) Confirmed(ctx context.Context) (pg.LSN, bool, error) {
	at, known, err := pg.Confirmed(ctx, d.Pool)
	if err != nil || d.Archived == nil {
		return at, known, err
	}
	if archived := d.Archived(); !known || archived < at {
		return archived, true, nil
	}
	return at, true, nil
}
