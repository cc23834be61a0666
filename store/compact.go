package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"roadbook/store/pg"
)

// A row of the scope index dies wherever its record was last, so the pages of
// the index empty slowly and not one by one: after a million edits it is twice
// as large as it need be. To build it anew takes a second, and nobody waits for
// it.
const (
	entryBytes   = 30      // of one row in a fresh index, with what its page adds
	mostWaste    = 1.5     // times a fresh one
	leastCompact = 8 << 20 // below, nobody would notice
)

var indexSize = pg.Statement("index_size", `
	SELECT pg_relation_size('scope_index_seq'), c.reltuples
	  FROM pg_class c
	 WHERE c.relname = 'scope_index' AND pg_table_is_visible(c.oid)`)

// The first removes what a try that failed has left behind.
const (
	compactDrop = `DROP INDEX CONCURRENTLY IF EXISTS scope_index_seq_ccnew`
	compactMake = `REINDEX INDEX CONCURRENTLY scope_index_seq`
)

// Compact builds the scope index anew if much of it is empty, and reports
// whether it did. Reads and writes go on meanwhile.
func (s *Store) Compact(ctx context.Context) (done bool, err error) {
	var size int64
	var rows float32
	if err := s.pool.QueryRow(ctx, indexSize).Scan(&size, &rows); err != nil {
		return false, pg.Classify(err)
	}
	if !wasteful(size, rows) {
		return false, nil
	}
	for _, sql := range []string{compactDrop, compactMake} {
		if _, err := s.pool.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			return false, pg.Classify(fmt.Errorf("building the scope index anew: %w", err))
		}
	}
	return true, nil
}

// wasteful judges a size by the rows that the planner last counted, below zero
// if it never has.
func wasteful(size int64, rows float32) bool {
	return rows >= 0 && size > leastCompact && float64(size) > mostWaste*entryBytes*float64(rows)
}
