package main

import (
	"context"
	"errors"
	"net/url"
	"os"
	"time"

	"roadbook/config"
	"roadbook/errs"
	"roadbook/localpg"
	"roadbook/migrations"
	"roadbook/modules/people"
	"roadbook/store/pg"
)

const (
	// ownDatabase is the database's name in a PostgreSQL of Roadbook's own.
	ownDatabase = "roadbook"

	// oldestServer is the first PostgreSQL with everything that the store
	// relies on, as PostgreSQL counts.
	oldestServer = 150000

	// stopWithin is what PostgreSQL gets to write a last checkpoint.
	stopWithin = 40 * time.Second
)

// installation is what every command that touches records stands on: a
// database, and the folder in which the key is.
type installation struct {
	local  *localpg.Server // nil over a PostgreSQL of the operator's
	pool   *people.Pool
	folder string // of the key
}

// open finds the database, and starts it if it is Roadbook's own.
func (c *console) open(ctx context.Context, cfg config.Config, opts ...pg.Option) (*installation, error) {
	if !cfg.DatabaseURL.IsZero() {
		return openTheirs(ctx, cfg, opts)
	}
	local, err := localpg.Open(ctx, localpg.Config{Dir: cfg.Data, Bin: cfg.PGBin, Logf: c.say})
	if err != nil {
		return nil, err
	}
	in := &installation{local: local, folder: local.Dir()}
	address, err := local.Database(ctx, ownDatabase)
	if err == nil {
		in.pool, err = pg.Open(ctx, address, opts...)
	}
	if err != nil {
		in.close(ctx)
		return nil, err
	}
	return in, nil
}

// openTheirs connects to a PostgreSQL that somebody else looks after.
func openTheirs(ctx context.Context, cfg config.Config, opts []pg.Option) (*installation, error) {
	const op = "roadbook.open"

	pool, err := pg.Open(ctx, cfg.DatabaseURL.Reveal(), opts...)
	if err != nil {
		return nil, unreachable(cfg, err)
	}
	in := &installation{pool: pool, folder: cfg.Data}
	var version int
	err = pool.QueryRow(ctx, `SELECT current_setting('server_version_num')::int`).Scan(&version)
	switch {
	case err != nil:
		err = unreachable(cfg, pg.Classify(err))
	case version < oldestServer:
		err = errs.New(op, errs.Invalid, "the database is PostgreSQL %d, and Roadbook needs %d or later: name another in "+
			"ROADBOOK_DATABASE_URL, or leave that empty for one that Roadbook starts itself",
			version/10000, oldestServer/10000)
	case cfg.Key() == nil:
		if err = os.MkdirAll(cfg.Data, 0o700); err != nil {
			err = errs.New(op, errs.Invalid, "the folder %s, where the key is kept, cannot be made: name another in "+
				"ROADBOOK_DATA, or give a key in ROADBOOK_SECRET", cfg.Data).Because(err)
		}
	}
	if err != nil {
		in.close(ctx)
		return nil, err
	}
	return in, nil
}

// unreachable says what to do about a database that does not let us in. Its
// address is named without user and password.
func unreachable(cfg config.Config, err error) error {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok {
		return err // the end of the context
	}
	if e.Kind != errs.Busy {
		return errs.New(e.Op, e.Kind, "%s. It is the one in ROADBOOK_DATABASE_URL, at %s.", e.Msg, place(cfg)).Because(e.Cause)
	}
	return errs.New("roadbook.open", errs.Busy, "no PostgreSQL answers at %s: start it, or correct ROADBOOK_DATABASE_URL; "+
		"without that variable Roadbook starts one of its own", place(cfg)).Because(e.Cause)
}

func place(cfg config.Config) string {
	u, err := url.Parse(cfg.DatabaseURL.Reveal())
	if err != nil {
		return "ROADBOOK_DATABASE_URL"
	}
	return u.Host + u.Path
}

// migrate brings the schema to where this program needs it.
func (in *installation) migrate(ctx context.Context) error { return migrations.Up(ctx, in.pool) }

// gone is closed when the database ends by itself, as far as that can be
// known: of a PostgreSQL that is not ours, only its answers tell.
func (in *installation) gone() <-chan struct{} {
	if in.local == nil {
		return nil
	}
	return in.local.Done()
}

// database says in a few words what the records are in.
func (in *installation) database(cfg config.Config) string {
	if in.local != nil {
		return in.local.Dir() + " (PostgreSQL " + in.local.Version() + ", started for it)"
	}
	return place(cfg) + " (a PostgreSQL of yours)"
}

// close leaves the database, and ends it if it is ours. It is done even when
// ctx has ended, which is why it is called as a rule.
func (in *installation) close(ctx context.Context) {
	if in.pool != nil {
		in.pool.Close()
	}
	if in.local == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	_ = in.local.Stop(ctx) // what it leaves, the next start puts in order
}
