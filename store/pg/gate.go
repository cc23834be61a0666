package pg

import (
	"context"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"roadbook/errs"
)

// Gate lets a pool connect to one life of a database only. Behind an address
// with several hosts, or one that moves, the database can be another one from
// one connection to the next: a standby was promoted. What was given out in the
// life before may be missing there, so nobody is served from it until a new
// epoch has begun. Of several hosts, the one that has the right life is taken.
//
// A connection stays in the life in which it was made: PostgreSQL does not
// change its timeline under one that takes changes.
type Gate struct {
	mu    sync.Mutex
	life  string // "" lets everything through
	after bool   // lets what comes after life through, and not that itself
	other chan struct{}
}

// NewGate lets everything through until something is approved.
func NewGate() *Gate { return &Gate{other: make(chan struct{}, 1)} }

// After is a gate that lets through only what may take the place of a life.
func After(life string) *Gate {
	g := NewGate()
	g.life, g.after = life, true
	return g
}

// Through has all connections of a pool go through the gate.
func (g *Gate) Through() Option {
	return func(c *pgxpool.Config) {
		asked := c.ConnConfig.ValidateConnect // for what the address wants of a host
		c.ConnConfig.ValidateConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
			if asked != nil {
				if err := asked(ctx, conn); err != nil {
					return err
				}
			}
			return g.check(ctx, conn)
		}
	}
}

// Approve lets one life through from now on, and no other. Connections that
// were made before stay: whoever owns the pool resets it.
func (g *Gate) Approve(life string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.life, g.after = life, false
}

// Life is what is let through, "" if nothing was approved.
func (g *Gate) Life() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.life
}

// Other receives when somebody has met a life that may take the place of the
// one that is let through.
func (g *Gate) Other() <-chan struct{} { return g.other }

func (g *Gate) check(ctx context.Context, conn *pgconn.PgConn) error {
	g.mu.Lock()
	want, after := g.life, g.after
	g.mu.Unlock()
	if want == "" {
		return nil
	}
	is, err := lifeOn(ctx, conn)
	switch {
	case err != nil: // it may be about to be promoted
		return errs.New("pg.Gate", errs.Busy, "the database does not take changes at the moment: try again in a moment").Because(err)
	case is == want && !after, after && succeeds(is, want):
		return nil
	case !succeeds(is, want):
		return errs.New("pg.Gate", errs.Busy, "this database was followed by another: stop it for good")
	}
	select {
	case g.other <- struct{}{}:
	default: // it was told before
	}
	return errs.New("pg.Gate", errs.Busy, "the database has come back as another, and is looked at first: try again in a moment")
}

// lifeOn is LifeOf on a connection that is being made.
func lifeOn(ctx context.Context, conn *pgconn.PgConn) (string, error) {
	results, err := conn.Exec(ctx, lifeRead).ReadAll()
	if err != nil {
		return "", err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 {
		return "", errs.New("pg.Gate", errs.Internal, "the database does not say which one it is")
	}
	return string(results[0].Rows[0][0]), nil
}

// succeeds reports whether a life may take the place of another. An earlier
// timeline of the same cluster may not: it is a primary that was given up, and
// has come back.
func succeeds(is, was string) bool {
	system, timeline, _ := strings.Cut(is, "/")
	before, earlier, _ := strings.Cut(was, "/")
	return system != before || timeline > earlier
}
