package pg

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// maxTries bounds how often one transaction is run. Commits of an org
	// queue behind its lock, so that more than two are rare.
	maxTries = 5

	// firstPause doubles with every try.
	firstPause = 5 * time.Millisecond
)

// Beginner starts transactions: a pool, or one connection.
type Beginner interface {
	BeginTx(ctx context.Context, opts pgx.TxOptions) (pgx.Tx, error)
}

// InTx runs fn in a transaction, which commits if fn returns nil and leaves no
// trace otherwise.
//
// When PostgreSQL aborts it in favour of another (a serialization failure, a
// deadlock), fn runs again, up to five times in all: fn must not touch
// anything but its transaction, nor keep what a run before has found.
//
// The error is fn's own, classified. Busy after a lost connection can mean
// that the commit went through: what is sent again must be recognised.
func InTx(ctx context.Context, db Beginner, opts pgx.TxOptions, fn func(pgx.Tx) error) error {
	pause := firstPause
	for try := 1; ; try++ {
		err := pgx.BeginTxFunc(ctx, db, opts, fn)
		if try == maxTries || !aborted(err) {
			return Classify(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// aborted reports whether PostgreSQL chose this transaction to give way.
func aborted(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pgErr.Code == serializationFailure || pgErr.Code == deadlockDetected)
}

// Tx is a transaction, for packages that hand one on and do not run statements.
type Tx = pgx.Tx
