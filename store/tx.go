// Package store is the only home of SQL on the line's tables: heads, records,
// their log, scopes, grants and replicas. It decides nothing: it loads what the
// engine asks for and writes what the engine has settled, each in a constant
// number of statements.
package store

import (
	"cmp"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"roadbook/record"
	"roadbook/store/pg"
	"roadbook/sync/views"
)

// Store gives transactions in one org.
type Store struct {
	pool *pgxpool.Pool
}

// New is a store over a migrated database.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// Tx is a transaction in one org.
type Tx struct {
	Reader

	Org   record.OrgID
	batch batcher // of a snapshot
}

type batcher interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// Reader is what a transaction reads with.
type Reader interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Snapshot runs fn in a read-only transaction in which every statement sees
// the same state, that of head.
func (s *Store) Snapshot(ctx context.Context, org record.OrgID, fn func(tx Tx, head Head) error) error {
	opts := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return pg.InTx(ctx, s.pool, opts, func(ptx pgx.Tx) error {
		tx := Tx{Reader: ptx, Org: org, batch: ptx}
		head, err := scanHead(tx.QueryRow(ctx, headRead, org), org)
		if err != nil {
			return err
		}
		return fn(tx, head)
	})
}

// Asking is a device that asks for what is new.
type Asking struct {
	Person, Device record.ID
	Replica        record.ReplicaID
	At             record.Seq // the place in the log whose hash it has
	Head           record.Seq // up to here its grants are settled
}

// Standing is where such a device stands, and what it holds.
type Standing struct {
	Writers []Writer
	People  []Person
	Grants  []Grant // what he and the device hold, and what has ended since
	Views   views.List
	Chain   []byte // the log's hash at its place, nil if the log has no such row
}

// Standing reads all of it in one trip to the database, as every page begins
// with it.
func (tx Tx) Standing(ctx context.Context, a Asking) (s Standing, err error) {
	b := &pgx.Batch{}
	b.Queue(writersRead, tx.Org, []record.ReplicaID{a.Replica})
	b.Queue(actorsRead, tx.Org, raw([]record.ID{a.Person}))
	b.Queue(grantsOf, tx.Org, raw([]record.ID{a.Person, a.Device}), a.Head)
	b.Queue(viewsRead, tx.Org, [16]byte(a.Device))
	b.Queue(logChain, tx.Org, a.At)
	answers := tx.batch.SendBatch(ctx, b)
	defer func() { err = cmp.Or(err, answers.Close()) }()
	if s.Writers, err = next(answers, "replicas", scanWriter); err != nil {
		return s, err
	}
	if s.People, err = next(answers, "people", scanPerson); err != nil {
		return s, err
	}
	if s.Grants, err = next(answers, "grants", scanGrant); err != nil {
		return s, err
	}
	if s.Views, err = next(answers, "views", scanView); err != nil {
		return s, err
	}
	chain, err := next(answers, "place in the log", pgx.RowTo[[]byte])
	if len(chain) > 0 {
		s.Chain = chain[0]
	}
	return s, err
}

func next[T any](answers pgx.BatchResults, what string, scan pgx.RowToFunc[T]) ([]T, error) {
	rows, err := answers.Query()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	out, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return out, nil
}

// collect reads all rows of one statement. A damaged row ends it.
func collect[T any](ctx context.Context, tx Tx, what string, sql pg.SQL, scan pgx.RowToFunc[T], args ...any) ([]T, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	out, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return out, nil
}

// all reads all rows of one statement that needs no transaction.
func all[T any](ctx context.Context, s *Store, sql pg.SQL, scan pgx.RowToFunc[T], args ...any) ([]T, error) {
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, pg.Classify(err)
	}
	out, err := pgx.CollectRows(rows, scan)
	return out, pg.Classify(err) // a connection may be lost while one reads
}

// raw turns ids into what the driver writes without help.
func raw(ids []record.ID) [][16]byte {
	out := make([][16]byte, len(ids))
	for i, id := range ids {
		out[i] = id
	}
	return out
}

// null is an id, or SQL's null for none.
func null(id record.ID) *[16]byte {
	if id.IsZero() {
		return nil
	}
	b := [16]byte(id)
	return &b
}
