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
//
// The rows come scope by scope, in the order in which they were asked for, so
// that no more than one scope's are gone through at a time: what says which rows
// are a record's stays small enough to be near at hand.
func (tx Tx) Held(ctx context.Context, scopes []record.ScopeID) (map[record.ScopeID][]Held, error) {
	rows, err := tx.Query(ctx, indexHeld, tx.Org, scopes)
	if err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	defer rows.Close()
	out := make(map[record.ScopeID][]Held, len(scopes))
	one := latest{at: map[record.ID]int{}}
	for rows.Next() {
		var r IndexRow
		if err := readIndexRow(rows, &r); err != nil {
			return nil, fmt.Errorf("digest: %w", err)
		}
		if r.Scope != one.scope {
			one.close(out)
			one.scope = r.Scope
		}
		one.add(&r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	one.close(out)
	return out, nil
}

// latest are the rows of one scope, of each record the last.
type latest struct {
	scope record.ScopeID
	at    map[record.ID]int
	rows  []IndexRow
}

func (l *latest) add(r *IndexRow) {
	at, known := l.at[r.Rec]
	switch {
	case !known:
		l.at[r.Rec] = len(l.rows)
		l.rows = append(l.rows, *r)
	case l.rows[at].Seq < r.Seq:
		l.rows[at] = *r
	}
}

// close adds what is in the scope to what has been found, and begins anew.
func (l *latest) close(out map[record.ScopeID][]Held) {
	if len(l.rows) == 0 {
		return
	}
	held := make([]Held, 0, len(l.rows))
	for i := range l.rows {
		if r := &l.rows[i]; r.Op == Touched {
			held = append(held, Held{ID: r.Rec, Kind: r.Kind, Month: r.Month, Seq: r.Mark})
		}
	}
	if len(held) > 0 {
		out[l.scope] = held
	}
	clear(l.at)
	l.rows = l.rows[:0]
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
