package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
)

// Held is a record as a digest counts it.
type Held struct {
	ID    record.ID
	Kind  int16
	Month record.Month
	Seq   record.Seq
}

// The index has all that a digest counts, so that not one of a hundred thousand
// records need be fetched for it.
var indexHeld = pg.Statement("index_held", `
	SELECT i.scope, i.seq, i.mark, i.rec, i.op, i.kind, i.month
	  FROM unnest($2::int[]) g(scope)
	 CROSS JOIN LATERAL (SELECT * FROM scope_index i WHERE i.org = $1 AND i.scope = g.scope OFFSET 0) i`)

// Held lists what is in some scopes: of each record the last row that the index
// has of it in a scope says whether it is there, and as what. Rows that another
// has taken the place of may not have been swept yet.
func (tx Tx) Held(ctx context.Context, scopes []record.ScopeID) (map[record.ScopeID][]Held, error) {
	rows, err := tx.Query(ctx, indexHeld, tx.Org, scopes)
	if err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	defer rows.Close()
	type held struct {
		scope record.ScopeID
		rec   record.ID
	}
	last := map[held]int{}
	var all []IndexRow
	for rows.Next() {
		var r IndexRow
		if err := readIndexRow(rows, &r); err != nil {
			return nil, fmt.Errorf("digest: %w", err)
		}
		key := held{r.Scope, r.Rec}
		at, known := last[key]
		switch {
		case !known:
			last[key], all = len(all), append(all, r)
		case all[at].Seq < r.Seq:
			all[at] = r
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	out := make(map[record.ScopeID][]Held, len(scopes))
	for _, r := range all {
		if r.Op == Touched {
			out[r.Scope] = append(out[r.Scope], Held{ID: r.Rec, Kind: r.Kind, Month: r.Month, Seq: r.Mark})
		}
	}
	return out, nil
}

// readIndexRow reads a row of the index as it came over the wire.
func readIndexRow(rows pgx.Rows, r *IndexRow) error {
	d := decoder{formats: rows.FieldDescriptions(), raw: rows.RawValues()}
	r.Scope, r.Seq, r.Mark = record.ScopeID(d.int32(0)), record.Seq(d.int64(1)), record.Seq(d.int64(2))
	d.id(3, &r.Rec)
	r.Op, r.Kind, r.Month = IndexOp(d.int16(4)), d.int16(5), record.Month(d.int16(6))
	return d.err
}

var membersHeldIn = pg.Statement("members_held_in", `
	SELECT r.id, r.kind, r.month, r.seq
	  FROM members m
	 CROSS JOIN LATERAL (SELECT * FROM records r WHERE r.org = $1 AND r.id = m.rec OFFSET 0) r
	 WHERE m.org = $1 AND m.scope = $2 AND get_byte(uuid_send(m.rec), 15) = ANY ($3::int[])`)

// HeldIn lists what is in some leaves of a scope.
func (tx Tx) HeldIn(ctx context.Context, scope record.ScopeID, leaves []uint8) ([]Held, error) {
	ask := make([]int32, len(leaves))
	for i, leaf := range leaves {
		ask[i] = int32(leaf)
	}
	return collect(ctx, tx, "leaves", membersHeldIn, scanHeld, tx.Org, scope, ask)
}

func scanHeld(rows pgx.CollectableRow) (Held, error) {
	var h Held
	return h, rows.Scan((*[16]byte)(&h.ID), &h.Kind, &h.Month, &h.Seq)
}
