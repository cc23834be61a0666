package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"roadbook/record"
	"roadbook/store/pg"
)

// wakeChannel is where every commit says how far its org's log has come.
const wakeChannel = "head"

// Tail follows the heads of orgs, whichever server moves them.
type Tail struct {
	pool *pgxpool.Pool
}

// NewTail is a tail of a migrated database.
func NewTail(pool *pgxpool.Pool) *Tail { return &Tail{pool: pool} }

// Listen tells of each commit as it happens, until ctx ends or the connection
// does. ready is called once it hears.
func (t *Tail) Listen(ctx context.Context, ready func(), moved func(record.OrgID, record.Seq)) error {
	return pg.Listen(ctx, t.pool, wakeChannel, ready, func(payload string) {
		var org record.OrgID
		var seq record.Seq
		if _, err := fmt.Sscan(payload, &org, &seq); err == nil { // else it is not ours
			moved(org, seq)
		}
	})
}

var headsOf = pg.Statement("heads_of", `
	SELECT h.org, h.seq
	  FROM unnest($1::int[]) u(org)
	 CROSS JOIN LATERAL (SELECT h.org, h.seq FROM heads h WHERE h.org = u.org OFFSET 0) h`)

// Heads reads how far the logs of some orgs have come.
func (t *Tail) Heads(ctx context.Context, orgs []record.OrgID) (map[record.OrgID]record.Seq, error) {
	ids := make([]int32, len(orgs))
	for i, o := range orgs {
		ids[i] = int32(o)
	}
	rows, err := t.pool.Query(ctx, headsOf, ids)
	if err != nil {
		return nil, pg.Classify(fmt.Errorf("reading heads: %w", err))
	}
	heads := make(map[record.OrgID]record.Seq, len(orgs))
	var org record.OrgID
	var seq record.Seq
	_, err = pgx.ForEachRow(rows, []any{&org, &seq}, func() error {
		heads[org] = seq
		return nil
	})
	if err != nil {
		return nil, pg.Classify(fmt.Errorf("reading heads: %w", err))
	}
	return heads, nil
}
