package query

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// maxEntries bounds how many entries of an index one step of a walk reads:
// somebody who holds hundreds of scopes walks them side by side.
const maxEntries = 50_000

// firstID and lastID come before and after every record.
var (
	firstID = [16]byte{}
	lastID  = [16]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}
)

// walk looks at records in the order of the list, more with every step, until
// the page is full, the list ends or MaxWalk have been looked at.
func (l *list) walk(ctx context.Context) (Page, error) {
	var got []listed
	at := l.place
	if !at.set {
		at = l.start(false)
	}
	step := l.Limit + 1
	for looked := 0; ; {
		most := min(step, l.Walk-looked, max(l.Limit+1, maxEntries/len(l.scopes)))
		steps, err := l.step(ctx, at, most)
		if err != nil {
			return Page{}, err
		}
		for _, s := range steps {
			at = s.place
			if s.there {
				got = append(got, s.listed)
			}
		}
		looked += most
		switch {
		case len(got) > l.Limit:
			return l.page(got, nil), nil
		case len(steps) == most && looked < l.Walk:
			step *= 4
		case len(steps) == most:
			return l.page(got, &at), nil
		case l.sort.by != nil && !at.null && !l.needsKey():
			at = l.start(true) // those without a value come last
			if looked >= l.Walk {
				return l.page(got, &at), nil
			}
		default:
			return l.page(got, nil), nil
		}
	}
}

// start is the place before the first record, or before the first without a
// value.
func (l *list) start(null bool) place {
	p := place{set: true, null: null || l.sort.by == nil && !l.sort.seq, id: firstID, key: ""}
	if l.sort.desc {
		p.id, p.key = lastID, last
	}
	if l.sort.seq {
		p.key = "0"
		if l.sort.desc {
			p.key = "9223372036854775807"
		}
	}
	return p
}

// needsKey reports whether the filter asks for a value of the very field that
// the list is sorted by.
func (l *list) needsKey() bool {
	for _, c := range must(l.where) {
		switch c := c.(type) {
		case oneOf:
			if c.no == l.sort.by.no {
				return true
			}
		case between:
			if c.no == l.sort.by.no {
				return true
			}
		}
	}
	return false
}

// stepped is a record that was looked at, and whether it is of the list.
type stepped struct {
	listed

	there bool
}

// step looks at the next records of the order.
func (l *list) step(ctx context.Context, at place, most int) ([]stepped, error) {
	p := l.printer()
	dir, than := " ASC", " > "
	if l.sort.desc {
		dir, than = " DESC", " < "
	}
	where := l.where
	var next string
	switch {
	case l.sort.by != nil && !at.null:
		next = l.byKey(p, at, than, dir, most)
	case l.sort.seq:
		next = l.bySeq(p, at, than, dir, most)
	default:
		next = l.byID(p, at, than, dir, most)
		if l.sort.by != nil {
			without := cond(not{between{column: *l.sort.by}})
			if where != nil {
				without = all{where, without}
			}
			where = without
		}
	}
	match := ""
	if l.sort.seq {
		match = " AND f.key = c.key" // its latest entry, and not one of before
	}
	sql := `
	  WITH c AS MATERIALIZED (` + next + `)
	SELECT c.key::text, c.rec, f.id IS NOT NULL, coalesce(f.seq, 0), f.fields
	  FROM c
	  LEFT JOIN LATERAL ` + l.found(p, "c.rec", where) + ` f ON true` + match + `
	 ORDER BY c.key` + dir + `, c.rec` + dir
	rows, err := l.tx.Query(ctx, sql, p.args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanStepped)
}

func scanStepped(rows pgx.CollectableRow) (stepped, error) {
	var s stepped
	var key *string
	err := rows.Scan(&key, (*[16]byte)(&s.ID), &s.there, &s.Seq, &s.Fields)
	s.place = placed(s.Row, key)
	return s, err
}

// byKey walks the rows of a look-up field.
func (l *list) byKey(p *printer, at place, than, dir string, most int) string {
	bounds := ""
	for _, c := range merged(must(l.where)) {
		if b, ok := c.(between); ok && b.no == l.sort.by.no {
			bounds += p.bounds(b, "l.val")
		}
	}
	return `
	SELECT l.val AS key, l.rec
	  FROM lookups l
	 WHERE l.org = $1 AND l.field = ` + p.arg(l.sort.by.no) + bounds + `
	   AND (l.val, l.rec)` + than + `(` + p.arg(at.key) + `, ` + p.arg([16]byte(at.id)) + `::uuid)
	 ORDER BY l.val` + dir + `, l.rec` + dir + `
	 LIMIT ` + p.arg(most)
}

// byID walks the members of the actor's scopes side by side.
func (l *list) byID(p *printer, at place, than, dir string, most int) string {
	limit := p.arg(most)
	return `
	SELECT DISTINCT NULL::text AS key, m.rec
	  FROM unnest($3::int[]) g(scope)
	 CROSS JOIN LATERAL (
	       SELECT i.rec
	         FROM members i
	        WHERE i.org = $1 AND i.scope = g.scope AND i.rank = ` + p.arg(l.Kind.Rank) + ` AND i.rec` + than + p.arg([16]byte(at.id)) + `::uuid
	        ORDER BY i.rec` + dir + `
	        LIMIT ` + limit + `) m
	 ORDER BY m.rec` + dir + `
	 LIMIT ` + limit
}

// bySeq walks the index of the actor's scopes side by side.
func (l *list) bySeq(p *printer, at place, than, dir string, most int) string {
	limit, seq, id := p.arg(most), p.arg(at.key)+"::text::bigint", p.arg([16]byte(at.id))+"::uuid"
	orEqual := than[:2] + "= "
	return `
	SELECT DISTINCT i.seq AS key, i.rec
	  FROM unnest($3::int[]) g(scope)
	 CROSS JOIN LATERAL (
	       SELECT i.seq, i.rec
	         FROM scope_index i
	        WHERE i.org = $1 AND i.scope = g.scope AND i.seq` + orEqual + seq + ` AND (i.seq` + than + seq + ` OR i.rec` + than + id + `) AND i.op = 0
	        ORDER BY i.seq` + dir + `, i.rec` + dir + `
	        LIMIT ` + limit + `) i
	 ORDER BY i.seq` + dir + `, i.rec` + dir + `
	 LIMIT ` + limit
}
