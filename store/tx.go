// Package store is the only home of SQL on the line's tables: heads, records,
// their log, scopes, grants and replicas. It decides nothing: it loads what the
// engine asks for and writes what the engine has settled, each in a constant
// number of statements.
package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"roadbook/record"
	"roadbook/store/pg"
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

	Org record.OrgID
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
		tx := Tx{Reader: ptx, Org: org}
		head, err := scanHead(tx.QueryRow(ctx, headRead, org), org)
		if err != nil {
			return err
		}
		return fn(tx, head)
	})
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
