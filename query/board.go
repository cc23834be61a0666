package query

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/record/field"
	"roadbook/store"
	"roadbook/store/pg"
)

// MaxBoard is how many records are counted for a board, some 15 µs each.
const MaxBoard = 20_000

// Records in some states, by owner, as far as the actor sees them, and how many of
// them have a time that is over.
var queryBoard = pg.Statement("query_board", `
	WITH l AS MATERIALIZED (
	     SELECT u.val, i.rec
	       FROM unnest($3::text[]) u(val)
	      CROSS JOIN LATERAL (SELECT i.rec FROM lookups i WHERE i.org = $1 AND i.field = $2 AND i.val = u.val LIMIT $5) i
	      LIMIT $5)
	SELECT r.owner, l.val, count(*), count(d.val) FILTER (WHERE d.val < $7), (SELECT count(*) FROM l)
	  FROM l
	 CROSS JOIN LATERAL (SELECT r.owner FROM records r WHERE r.org = $1 AND r.id = l.rec AND r.state = 0 AND r.scopes && $4::int[] OFFSET 0) r
	  LEFT JOIN LATERAL (SELECT x.val FROM lookups x WHERE x.org = $1 AND x.rec = l.rec AND x.field = $6 LIMIT 1 OFFSET 0) d ON true
	 GROUP BY r.owner, l.val`)

// Column of a board: what one person has in one state.
type Column struct {
	Owner   record.ID
	State   string
	Count   int
	Overdue int
}

// Board counts records of a kind by owner and state. due is the field whose time
// says what is overdue. more says that there are more than it counts.
func Board(
	ctx context.Context, tx store.Tx, actor *access.Actor, kind *record.Kind, state, due string, states []string, now time.Time,
) (all []Column, more bool, err error) {
	by, at := kind.Field(state), kind.Field(due)
	if by == nil || at == nil || by.Lookup == 0 || at.Lookup == 0 || !actor.Reads(kind) || actor.Hides(kind, state) || actor.Hides(kind, due) {
		return nil, false, nil
	}
	kinds, _, err := tx.Reindexing(ctx)
	if err == nil && slices.Contains(kinds, kind.No) {
		err = errs.New("query.Board", errs.Busy, "the lists of this kind are being made; try again in a moment").Coded("indexing")
	}
	if err != nil {
		return nil, false, err
	}
	key, err := field.Key("datetime", record.AppendString(nil, now.UTC().Format(time.RFC3339)))
	if err != nil {
		return nil, false, err
	}
	l := &list{actor: actor}
	l.see()
	rows, err := tx.Query(ctx, queryBoard, tx.Org, kind.LookupNo(by), states, l.scopes, MaxBoard, kind.LookupNo(at), key)
	if err != nil {
		return nil, false, fmt.Errorf("a board: %w", err)
	}
	all, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (c Column, err error) {
		counted := 0
		err = r.Scan((*[16]byte)(&c.Owner), &c.State, &c.Count, &c.Overdue, &counted)
		more = more || counted == MaxBoard
		return c, err
	})
	return all, more, err
}
