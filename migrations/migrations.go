// Package migrations holds the steps that lead from an empty database to the
// schema this program works on. Steps go forward only: to take one back, add
// another. They run at start, under a lock, so that of several replicas one
// does the work and the others wait.
package migrations

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"roadbook/errs"
)

// FS are the steps: NNNNN_name.sql, each with its "-- +goose Up".
//
//go:embed *.sql
var FS embed.FS

// A replica that comes second asks for the lock once a second, for as long as
// a large table can take.
const (
	lockPeriodSeconds = 1
	lockTries         = 600
)

// Up brings the database to this program's schema. On one that is there
// already it does nothing, in a millisecond or two.
//
// A database with steps that this program does not know is an error: what they
// mean to the data is known only to the program that made them.
func Up(ctx context.Context, pool *pgxpool.Pool) error {
	return up(ctx, pool, FS, goSteps(pool)...)
}

func up(ctx context.Context, pool *pgxpool.Pool, steps fs.FS, more ...*goose.Migration) error {
	const op = "migrations.Up"

	known := last(steps)
	for _, step := range more {
		known = max(known, step.Version)
	}
	if err := checkNotNewer(ctx, pool, known); err != nil {
		return err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(lockPeriodSeconds, lockTries))
	if err != nil {
		return errs.New(op, errs.Internal, "the lock for migrations cannot be made").Because(err)
	}
	db := stdlib.OpenDBFromPool(pool)
	defer func() { _ = db.Close() }() // the pool stays open

	provider, err := goose.NewProvider(goose.DialectPostgres, db, steps,
		goose.WithSessionLocker(locker),
		goose.WithDisableGlobalRegistry(true),
		goose.WithGoMigrations(more...),
		goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return errs.New(op, errs.Internal, "the steps in migrations/ cannot be read").Because(err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return failed(err)
	}
	return checkNotNewer(ctx, pool, known) // a newer program may have been at work while we waited
}

// failed names the step that failed. Each is a transaction, so the database
// is as the step before left it.
func failed(err error) error {
	const op = "migrations.Up"

	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if partial, ok := errors.AsType[*goose.PartialError](err); ok {
		return errs.New(op, errs.Internal, "step %s failed and left the database as it was: mend what it names, "+
			"then start again", path.Base(partial.Failed.Source.Path)).Because(err)
	}
	return errs.New(op, errs.Internal, "the database could not be brought to step %d", Version()).Because(err)
}

// Version is the last step this program knows.
func Version() int64 { return max(last(FS), jobsStep) }

func last(steps fs.FS) (version int64) {
	names, _ := fs.Glob(steps, "*.sql")
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			version = max(version, n)
		}
	}
	return version
}

func checkNotNewer(ctx context.Context, pool *pgxpool.Pool, known int64) error {
	const op = "migrations.Up"

	var at int64
	err := pool.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&at)
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == "42P01" {
		return nil // an empty database has no such table
	}
	switch {
	case err != nil:
		return fmt.Errorf("%s: what the database's step is: %w", op, err)
	case at > known:
		return errs.New(op, errs.Invalid, "the database is at step %d, and this program knows the steps up to %d: "+
			"run the program that brought it there or a later one, or restore a backup from before", at, known)
	}
	return nil
}
