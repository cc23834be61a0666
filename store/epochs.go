package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
)

// Epoch is how a life of an org's log began, other than its first. What the
// epoch before has beyond From is not in this log.
type Epoch struct {
	Epoch  string
	Began  record.Seq // of the row that began it
	Was    string     // the epoch before
	From   record.Seq // the head that it ended with
	Proved bool       // a device proved a loss that nobody had told of: the logs may have parted long before From
	Life   string     // of the database, see LifeOf
	Reason string
	At     time.Time
}

// SeqsPerSecond is more than any log grows by. An epoch begins at as many times
// this as seconds have passed by the server's clock since 2020, so beyond all
// that any epoch before it has given out, also one that is lost: a server may
// be restored twice, the second time to a point before the first. A jump of a
// fixed length from where the log ends would then meet what was lost. It also
// keeps a seq, and with it a cursor, short: 2^49 is reached in 136 years.
const SeqsPerSecond record.Seq = 1 << 17

var firstSecond = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Unix()

// EpochAt is where an epoch begins that follows a log which ends at a seq.
func EpochAt(now time.Time, head record.Seq) record.Seq {
	return max(head+SeqsPerSecond, record.Seq(now.Unix()-firstSecond)*SeqsPerSecond)
}

var epochsBegin = pg.Statement("epochs_begin", `
	WITH begun AS (
	     INSERT INTO epochs (org, epoch, began, was, from_seq, proved, life, reason, at)
	     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
	     RETURNING org)
	UPDATE heads h
	   SET epoch = $2, server = $10
	 WHERE h.org = $1`)

// queue begins an epoch in which the server writes under a new name.
func (e Epoch) queue(b *batch, org record.OrgID, server record.ReplicaID) {
	b.Queue(epochsBegin, org, e.Epoch, e.Began, e.Was, e.From, e.Proved, e.Life, e.Reason, e.At, server)
}

var epochsRead = pg.Statement("epochs_read", `
	SELECT e.epoch, e.began, e.was, e.from_seq, e.proved, e.life, e.reason, e.at
	  FROM epochs e
	 WHERE e.org = $1
	 ORDER BY e.began`)

// Epochs are the beginnings of all the epochs that the log knows of, oldest
// first. It does not know those that a later restore has undone.
func (tx Tx) Epochs(ctx context.Context) ([]Epoch, error) {
	return collect(ctx, tx, "epochs", epochsRead, func(rows pgx.CollectableRow) (Epoch, error) {
		var e Epoch
		return e, rows.Scan(&e.Epoch, &e.Began, &e.Was, &e.From, &e.Proved, &e.Life, &e.Reason, &e.At)
	}, tx.Org)
}

var livesRead = pg.Statement("lives_read", `SELECT coalesce((SELECT l.life FROM lives l), '')`)

// LifeOf is the life of the database when it was last served, "" if it never
// was, and the one that it has now: its cluster and its timeline, which no
// restart changes, and every restore to a point, every promotion and every copy
// into another cluster does.
func (s *Store) LifeOf(ctx context.Context) (was, is string, err error) {
	if err = s.pool.QueryRow(ctx, livesRead).Scan(&was); err != nil {
		return "", "", pg.Classify(fmt.Errorf("life of the database: %w", err))
	}
	is, err = pg.LifeOf(ctx, s.pool)
	return was, is, err
}

var livesWrite = pg.Statement("lives_write", `
	INSERT INTO lives (life) VALUES ($1)
	    ON CONFLICT (one) DO UPDATE SET life = excluded.life, at = now()`)

// Live notes the life that the database has now.
func (s *Store) Live(ctx context.Context, life string) error {
	if _, err := s.pool.Exec(ctx, livesWrite, life); err != nil {
		return pg.Classify(fmt.Errorf("noting the life of the database: %w", err))
	}
	return nil
}

var orgsAll = pg.Statement("orgs_all", `SELECT h.org, h.epoch, h.seq FROM heads h ORDER BY h.org`)

// LogEnd is where the log of an org ends.
type LogEnd struct {
	Org   record.OrgID `json:"org"`
	Epoch string       `json:"epoch"`
	Seq   record.Seq   `json:"seq"`
}

// Rows is a pool, a connection or a transaction.
type Rows interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// LogEnds are where the logs of all orgs end, from one snapshot.
func LogEnds(ctx context.Context, q Rows) ([]LogEnd, error) {
	rows, err := q.Query(ctx, orgsAll)
	if err == nil {
		var ends []LogEnd
		if ends, err = pgx.CollectRows(rows, pgx.RowToStructByPos[LogEnd]); err == nil {
			return ends, nil
		}
	}
	return nil, pg.Classify(fmt.Errorf("heads of all orgs: %w", err))
}

// LogEnds are where the logs of all orgs end.
func (s *Store) LogEnds(ctx context.Context) ([]LogEnd, error) { return LogEnds(ctx, s.pool) }
