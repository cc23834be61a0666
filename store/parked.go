package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
)

// Parked is a mutation that waits for what a restored server has not got back
// yet.
type Parked struct {
	Replica record.ReplicaID
	N       uint64
	Seq     record.Seq // of the row that says so
	Expires time.Time
	Waits   []record.ID // records, people and mutations; none for a further name of one that waits already
}

// Settled says what became of a parked mutation, and where.
type Settled struct {
	Parked record.Seq
	At     record.Seq
}

var parkedInsert = pg.Statement("parked_insert", `
	INSERT INTO parked (org, replica, n, seq, expires) VALUES ($1, $2, $3, $4, $5)`)

var waitsInsert = pg.Statement("waits_insert", `
	INSERT INTO parked_waits (org, what, seq)
	SELECT $1, u.what, $3 FROM unnest($2::uuid[]) u(what)
	ON CONFLICT DO NOTHING`)

func (p Parked) queue(b *batch, org record.OrgID) {
	b.Queue(parkedInsert, org, p.Replica, int64(p.N), p.Seq, p.Expires)
	if len(p.Waits) > 0 {
		b.Queue(waitsInsert, org, raw(p.Waits), p.Seq)
	}
}

var parkedSettle = pg.Statement("parked_settle", `UPDATE parked SET settled = $3 WHERE org = $1 AND seq = $2`)

var waitsDelete = pg.Statement("waits_delete", `DELETE FROM parked_waits WHERE org = $1 AND seq = $2`)

func (s Settled) queue(b *batch, org record.OrgID) {
	b.Queue(parkedSettle, org, s.Parked, s.At)
	b.Queue(waitsDelete, org, s.Parked)
}

var waitsFor = pg.Statement("waits_for", `
	SELECT DISTINCT w.seq
	  FROM unnest($2::uuid[]) u(what)
	 CROSS JOIN LATERAL (SELECT i.seq FROM parked_waits i WHERE i.org = $1 AND i.what = u.what OFFSET 0) w
	 ORDER BY w.seq`)

// WaitingFor finds the parked mutations that wait for any of these.
func (tx Tx) WaitingFor(ctx context.Context, what []record.ID) ([]record.Seq, error) {
	if len(what) == 0 {
		return nil, nil
	}
	return collect(ctx, tx, "what is parked", waitsFor, pgx.RowTo[record.Seq], tx.Org, raw(what))
}

var parkedExpired = pg.Statement("parked_expired", `
	SELECT DISTINCT p.seq
	  FROM parked p
	 WHERE p.org = $1 AND p.settled IS NULL AND p.expires <= $2
	 ORDER BY p.seq
	 LIMIT $3`)

// Expired finds the parked mutations that have waited for too long.
func (tx Tx) Expired(ctx context.Context, now time.Time, limit int) ([]record.Seq, error) {
	return collect(ctx, tx, "what is parked", parkedExpired, pgx.RowTo[record.Seq], tx.Org, now, limit)
}

var parkedOrgs = pg.Statement("parked_orgs", `
	SELECT DISTINCT p.org FROM parked p WHERE p.settled IS NULL AND p.expires <= $1`)

// Expiring lists the orgs in which something has been parked for too long.
func (s *Store) Expiring(ctx context.Context, now time.Time) ([]record.OrgID, error) {
	return all(ctx, s, parkedOrgs, pgx.RowTo[record.OrgID], now)
}

// Told is where the log says what became of a parked mutation of some name.
type Told struct {
	N  uint64
	At record.Seq
}

var parkedSince = pg.Statement("parked_since", `
	SELECT p.n, p.settled
	  FROM parked p
	 WHERE p.org = $1 AND p.replica = $2 AND p.settled > $3
	 ORDER BY p.settled`)

// SettledSince finds what has become of a replica's parked mutations after a
// place in the log.
func (tx Tx) SettledSince(ctx context.Context, replica record.ReplicaID, base record.Seq) ([]Told, error) {
	return collect(ctx, tx, "what was parked", parkedSince, func(rows pgx.CollectableRow) (Told, error) {
		var t Told
		var n int64
		err := rows.Scan(&n, &t.At)
		t.N = uint64(n)
		return t, err
	}, tx.Org, replica, base)
}

var parkedFate = pg.Statement("parked_fate", `
	SELECT coalesce(max(p.settled), 0) FROM parked p WHERE p.org = $1 AND p.seq = $2`)

// FateOf is where the log says what became of a parked mutation, 0 while it
// waits.
func (tx Tx) FateOf(ctx context.Context, parked record.Seq) (seq record.Seq, err error) {
	err = tx.QueryRow(ctx, parkedFate, tx.Org, parked).Scan(&seq)
	return seq, err
}
