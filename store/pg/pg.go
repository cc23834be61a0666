// Package pg is the door to PostgreSQL: connections, transactions that are
// tried again when that helps, errors in our own words, and the list of every
// statement we send. It knows the database and none of our tables.
package pg

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"roadbook/errs"
)

const (
	// maxConns serves a few hundred requests at once, for none of them holds
	// a connection for longer than its statements take. More would only queue
	// inside PostgreSQL, where waiting costs memory.
	maxConns = 20

	connectTimeout = 5 * time.Second
	pingTimeout    = 5 * time.Second
	connLifetime   = time.Hour
	connIdle       = 5 * time.Minute
)

// Option changes how a pool connects.
type Option func(*pgxpool.Config)

// MaxConns bounds the pool, in place of the usual 20 or the address's pool_max_conns.
func MaxConns(n int32) Option {
	return func(c *pgxpool.Config) { c.MaxConns = n }
}

// Setting gives every connection a PostgreSQL setting, such as
// plan_cache_mode=force_generic_plan for the committer.
func Setting(name, value string) Option {
	return func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams[name] = value }
}

// Open connects to the database at dsn and returns once it has answered.
//
// A connection gives up on a lock after 15 seconds and on an idle transaction
// after 10: a server that stands still in the middle of a commit must not stop
// those of another, which waits for longer than that. Behind
// PgBouncer, list both settings in its ignore_startup_parameters.
//
// Errors: Invalid for an address that cannot be read, otherwise Classify's.
func Open(ctx context.Context, dsn string, opts ...Option) (*pgxpool.Pool, error) {
	pool, err := OpenLater(ctx, dsn, opts...)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, Classify(err)
	}
	return pool, nil
}

// OpenLater is Open for what one can do without: it connects when it is needed.
func OpenLater(ctx context.Context, dsn string, opts ...Option) (*pgxpool.Pool, error) {
	const op = "pg.Open"

	c, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, errs.New(op, errs.Invalid, "the address of the database cannot be read: write it as "+
			"postgres://user:password@host:5432/database").Because(err)
	}
	if !strings.Contains(dsn, "pool_max_conns") {
		c.MaxConns = maxConns
	}
	setDefaults(c)
	for _, opt := range opts {
		opt(c)
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, errs.New(op, errs.Invalid, "the database's pool cannot be made").Because(err)
	}
	return pool, nil
}

// setDefaults also fixes how statements are planned. All of ours look rows up
// by key, and a plan that was made while a table was empty would otherwise
// read it from end to end until somebody analyses it: a hundred times slower,
// on just the day on which somebody tries us out. Reports that scan may switch
// it back for their transaction.
func setDefaults(c *pgxpool.Config) {
	c.MaxConnLifetime = connLifetime
	c.MaxConnLifetimeJitter = connLifetime / 6 // or they would all be renewed at once
	c.MaxConnIdleTime = connIdle
	c.PingTimeout = pingTimeout
	if c.ConnConfig.ConnectTimeout == 0 {
		c.ConnConfig.ConnectTimeout = connectTimeout
	}
	for name, value := range map[string]string{
		"application_name":                    "roadbook",
		"timezone":                            "UTC",
		"plan_cache_mode":                     "force_generic_plan",
		"enable_seqscan":                      "off",
		"enable_hashjoin":                     "off",
		"enable_mergejoin":                    "off",
		"enable_memoize":                      "off",
		"jit":                                 "off",
		"lock_timeout":                        "15s",
		"idle_in_transaction_session_timeout": "10s",
	} {
		if _, set := c.ConnConfig.RuntimeParams[name]; !set {
			c.ConnConfig.RuntimeParams[name] = value
		}
	}
}
