package pg

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"roadbook/errs"
)

// promoteWithin is how many seconds a standby gets to apply what it has
// received.
const promoteWithin = 300

// Follower is how a standby stands to its primary.
type Follower struct {
	Standby   bool
	Streaming bool // the primary sends
	Received  LSN  // and so far it is on this disk
	Applied   LSN  // and so far it can be read
}

var followerRead = Statement("follower_read", `
	SELECT pg_is_in_recovery(),
	       EXISTS (SELECT FROM pg_stat_wal_receiver r WHERE r.status = 'streaming'),
	       coalesce(pg_last_wal_receive_lsn()::text, '0/0'),
	       coalesce(pg_last_wal_replay_lsn()::text, '0/0')`)

// FollowerOf reads how a standby stands.
func FollowerOf(ctx context.Context, pool *Pool) (Follower, error) {
	var f Follower
	var received, applied string
	err := pool.QueryRow(ctx, followerRead).Scan(&f.Standby, &f.Streaming, &received, &applied)
	if err != nil {
		return f, Classify(fmt.Errorf("the state of a standby: %w", err))
	}
	if f.Received, err = ParseLSN(received); err != nil {
		return f, err
	}
	f.Applied, err = ParseLSN(applied)
	return f, err
}

var promoteNow = Statement("promote", `SELECT pg_promote(true, $1)`)

// promoteTries is how often it is asked to, if what it still applies cuts the
// question.
const promoteTries = 5

// Promote makes a standby a primary, and waits until it is.
func Promote(ctx context.Context, pool *Pool) error {
	var done bool
	for try := 1; ; try++ {
		err := pool.QueryRow(ctx, promoteNow, promoteWithin).Scan(&done)
		if err == nil {
			break
		}
		p, ours := errors.AsType[*pgconn.PgError](err)
		if ours && try > 1 && p.Code == notInRecovery {
			return nil // the first time it was only the waiting that was cut: it is a primary already
		}
		if !ours || try == promoteTries || p.Code != serializationFailure {
			return Classify(fmt.Errorf("promoting: %w", err))
		}
	}
	if !done {
		return errs.New("pg.Promote", errs.Busy, "PostgreSQL has not taken over within %d s: it goes on trying; see its log",
			promoteWithin)
	}
	return nil
}
