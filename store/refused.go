package store

import (
	"context"

	"roadbook/record"
	"roadbook/store/pg"
)

var logRefused = pg.Statement("log_refused", `
	SELECT`+entryColumns+`
	  FROM mutations m
	 WHERE m.org = $1 AND m.result >= 2 AND m.seq < $2
	 ORDER BY m.seq DESC
	 LIMIT $3`)

// Refused reads rows of what was refused or parked, the newest first, before a
// place in the log.
func (tx Tx) Refused(ctx context.Context, before record.Seq, limit int) ([]Entry, error) {
	return collect(ctx, tx, "what was refused", logRefused, scanEntry, tx.Org, before, limit)
}
