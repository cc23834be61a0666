package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store/pg"
	"roadbook/version"
)

// Head is the row that orders an org: the place that its log has reached.
type Head struct {
	Server  record.ReplicaID // the server's own replica
	Epoch   string           // the life of this log
	Seq     record.Seq       // last one given out
	High    version.Stamp    // greatest effective stamp so far
	Granted record.Seq       // of the last change of an actor or a grant
	Schema  record.Seq       // of the schema in force
	Floor   record.Seq       // vectors are pruned up to here
	Horizon record.Seq       // oldest seq whose leaves are kept
	Parked  int              // mutations that wait for what is not back yet
	Chain   []byte           // hash of the last row
	Now     time.Time        // the database's clock, when the row was read
}

var headLock = pg.Statement("head_lock", `
	SELECT server, epoch, seq, high, granted, schema, floor, horizon, parked, chain, clock_timestamp()
	  FROM heads
	 WHERE org = $1
	   FOR NO KEY UPDATE`)

var headRead = pg.Statement("head_read", `
	SELECT server, epoch, seq, high, granted, schema, floor, horizon, parked, chain, clock_timestamp()
	  FROM heads
	 WHERE org = $1`)

func scanHead(row pgx.Row, org record.OrgID) (Head, error) {
	var h Head
	var high int64
	err := row.Scan(&h.Server, &h.Epoch, &h.Seq, &high, &h.Granted,
		&h.Schema, &h.Floor, &h.Horizon, &h.Parked, &h.Chain, &h.Now)
	if errors.Is(err, pgx.ErrNoRows) {
		return h, errs.New("store.Head", errs.Missing, "there is no such organisation").Coded("org")
	}
	if err != nil {
		return h, fmt.Errorf("head of org %d: %w", org, err)
	}
	h.High = version.Unpack(high)
	return h, nil
}

// headMove is the first statement of a commit: it takes the org's lock, makes
// sure that the log ends where the commit was thought to begin, and advances.
// If it ends elsewhere, it divides by zero, and nothing behind it runs.
var headMove = pg.Statement("head_move", `
	WITH moved AS (
	     UPDATE heads
	        SET seq = $4, high = $5, granted = $6, schema = $7, chain = $8, parked = $9, floor = $10, horizon = $11
	      WHERE org = $1 AND seq = $2 AND chain = $3
	     RETURNING 1)
	SELECT 1 / count(*) FROM moved`)

func (h Head) move(b *batch, org record.OrgID, to Head) {
	b.Queue(headMove, org, h.Seq, h.Chain, to.Seq, to.High.Packed(), to.Granted, to.Schema, to.Chain, to.Parked, to.Floor, to.Horizon)
}

// Same reports whether the log ends at the same place.
func (h Head) Same(o Head) bool { return h.Seq == o.Seq && bytes.Equal(h.Chain, o.Chain) }

var wake = pg.Statement("wake", `SELECT pg_notify('head', $1)`)

var schemaRead = pg.Statement("schema_read", `SELECT body::text FROM schemas WHERE org = $1 AND seq = $2`)

// Schema reads the schema of one place in the log.
func (tx Tx) Schema(ctx context.Context, seq record.Seq) (*record.Schema, error) {
	var body string
	if err := tx.QueryRow(ctx, schemaRead, tx.Org, seq).Scan(&body); err != nil {
		return nil, fmt.Errorf("schema at %d: %w", seq, err)
	}
	return record.ParseSchema([]byte(body))
}

var schemaWrite = pg.Statement("schema_write", `INSERT INTO schemas (org, seq, body) VALUES ($1, $2, $3)`)
