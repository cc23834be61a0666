package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
)

// Place is a position in a fill: behind a scope, a rank and a record.
type Place struct {
	Scope record.ScopeID
	Rank  int16
	After record.ID
}

// It has no ORDER BY of its own, which would make PostgreSQL fetch every place
// to its end before it returns the first row: nested loops keep the order of
// the list, and Fill makes sure.
var membersAfter = pg.Statement("members_after", `
	SELECT p.i,`+recordColumns+`
	  FROM unnest($2::int[], $3::smallint[], $4::uuid[]) WITH ORDINALITY p(scope, rank, after, i)
	 CROSS JOIN LATERAL (
	       SELECT m.rec
	         FROM members m
	        WHERE m.org = $1 AND m.scope = p.scope AND m.rank = p.rank AND m.rec > p.after
	        ORDER BY m.rec
	        LIMIT $5) m
	 CROSS JOIN LATERAL (SELECT * FROM records r WHERE r.org = $1 AND r.id = m.rec OFFSET 0) r
	 LIMIT $5`)

// Fill hands out the next records of a fill, place by place in the order given:
// index of the place and row. The row is good until the call returns; nothing
// may be asked of the transaction meanwhile. Records come while PostgreSQL
// looks for the next. It says how many came, fewer than limit if there are no
// more, or those up to the one at which each said that it has enough.
func (tx Tx) Fill(ctx context.Context, places []Place, limit int, each func(place int, r *Row) (enough bool, err error)) (n int, err error) {
	scope, rank, after := make([]int32, len(places)), make([]int16, len(places)), make([][16]byte, len(places))
	for i, p := range places {
		scope[i], rank[i], after[i] = int32(p.Scope), p.Rank, p.After
	}
	rows, err := tx.Query(ctx, membersAfter, tx.Org, scope, rank, after, limit)
	if err != nil {
		return 0, fmt.Errorf("fill: %w", err)
	}
	defer rows.Close()
	var r Row
	var last position
	for rows.Next() {
		at, err := readFilled(rows, &r)
		if err != nil {
			return n, fmt.Errorf("fill: %w", err)
		}
		if last.compare(at) > 0 {
			return n, errors.New("fill: the records came out of order")
		}
		last = at
		n++
		if enough, err := each(at.place, &r); enough || err != nil {
			return n, err
		}
	}
	return n, rows.Err()
}

type position struct {
	place int
	id    record.ID
}

func (p position) compare(o position) int {
	return cmp.Or(cmp.Compare(p.place, o.place), bytes.Compare(p.id[:], o.id[:]))
}

// readFilled reads a row as it came over the wire. A page has thousands, and
// the driver's ways of reading them cost more than all else that is done to
// each in this program.
func readFilled(rows pgx.Rows, r *Row) (at position, err error) {
	raw := rows.RawValues()
	d := decoder{formats: rows.FieldDescriptions(), raw: raw}
	at.place = int(d.int64(0)) - 1
	r.Kind, r.State, r.Month = d.int16(1), record.State(d.int16(2)), record.Month(d.int16(3))
	d.id(4, &r.ID)
	d.id(5, &r.Owner)
	d.id(6, &r.Parent)
	d.id(7, &r.Root)
	r.Scopes = r.Scopes[:0]
	d.array(8, 4, func(b []byte) { r.Scopes = append(r.Scopes, record.ScopeID(be32(b))) })
	r.Entered = r.Entered[:0]
	d.array(9, 8, func(b []byte) { r.Entered = append(r.Entered, record.Seq(be64(b))) })
	r.Fields, r.Meta = raw[10], d.column(11, 0)
	r.Seq = record.Seq(d.int64(12))
	at.id = r.ID
	return at, d.err
}
