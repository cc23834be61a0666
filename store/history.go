package store

import (
	"context"

	"roadbook/record"
	"roadbook/store/pg"
)

// The rows that changed a record hang together: each says at which seq the
// record was before.
var logWalk = pg.Statement("log_walk", `
	WITH RECURSIVE walk AS (
	     SELECT m.seq, m.body, 1 AS step FROM mutations m WHERE m.org = $1 AND m.seq = $2
	      UNION ALL
	     SELECT m.seq, m.body, w.step + 1
	       FROM walk w
	      CROSS JOIN LATERAL (SELECT max((e ->> 'p')::bigint) AS p
	                            FROM json_array_elements(w.body::json) e
	                           WHERE e ->> 'id' = $3::uuid::text) b
	      CROSS JOIN LATERAL (SELECT m.seq, m.body FROM mutations m WHERE m.org = $1 AND m.seq = b.p OFFSET 0) m
	      WHERE w.step < $4)
	SELECT`+entryColumns+`
	  FROM walk w
	 CROSS JOIN LATERAL (SELECT * FROM mutations m WHERE m.org = $1 AND m.seq = w.seq OFFSET 0) m
	 ORDER BY w.step`)

// Changes reads the rows that changed a record, from one of them on back.
func (tx Tx) Changes(ctx context.Context, rec record.ID, from record.Seq, limit int) ([]Entry, error) {
	return collect(ctx, tx, "changes of a record", logWalk, scanEntry, tx.Org, from, [16]byte(rec), limit)
}
