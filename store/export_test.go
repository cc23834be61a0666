package store

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Wasteful is when an index is built anew.
var Wasteful = wasteful

// Texts are texts as bytes.
type Texts = texts

// PoolConn is a connection of a pool.
type PoolConn = *pgxpool.Conn

// SendBatch sends one statement as a commit does.
func SendBatch(ctx context.Context, conn *pgx.Conn, sql string, args ...any) error {
	b := &batch{}
	b.Queue(sql, args...)
	return b.send(ctx, conn)
}
