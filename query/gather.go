package query

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// gather sorts some candidates and cuts the page out of them.
func (l *list) gather(ctx context.Context, ids [][16]byte) (Page, error) {
	p := l.printer()
	of := p.arg(ids)
	found := l.found(p, "s.rec", l.where)
	after := l.after(p)
	dir := " ASC"
	if l.sort.desc {
		dir = " DESC"
	}
	sql := `
	SELECT f.id, f.seq, f.fields, f.key::text
	  FROM unnest(` + of + `::uuid[]) s(rec)
	 CROSS JOIN LATERAL ` + found + ` f
	 WHERE ` + after + `
	 ORDER BY f.key` + dir + ` NULLS LAST, f.id` + dir + `
	 LIMIT ` + p.arg(l.Limit+1)
	rows, err := l.tx.Query(ctx, sql, p.args...)
	if err != nil {
		return Page{}, err
	}
	got, err := pgx.CollectRows(rows, scanListed)
	if err != nil {
		return Page{}, err
	}
	return l.page(got, nil), nil
}

// listed is a record and its place.
type listed struct {
	Row
	place
}

func scanListed(rows pgx.CollectableRow) (listed, error) {
	var r listed
	var key *string
	err := rows.Scan((*[16]byte)(&r.ID), &r.Seq, &r.Fields, &key)
	r.place = placed(r.Row, key)
	return r, err
}

// placed is the place of a record. A key of a seq list is its number as text,
// which the place keeps as it is.
func placed(r Row, key *string) place {
	p := place{set: true, null: key == nil, id: r.ID}
	if key != nil {
		p.key = *key
	}
	return p
}

// after is the condition that a record comes after the page before.
func (l *list) after(p *printer) string {
	if !l.place.set {
		return "true"
	}
	than := " > "
	if l.sort.desc {
		than = " < "
	}
	id := "f.id" + than + p.arg([16]byte(l.place.id)) + "::uuid"
	if l.sort.by == nil && !l.sort.seq {
		return id
	}
	if l.place.null {
		return "f.key IS NULL AND " + id
	}
	key := p.arg(l.place.key) + "::text"
	if l.sort.seq {
		key += "::bigint"
	}
	return "(f.key" + than + key + " OR f.key = " + key + " AND " + id + " OR f.key IS NULL)"
}

// page cuts what was found to its length. rest is where to go on if not all of
// the list has been looked at.
func (l *list) page(got []listed, rest *place) Page {
	var page Page
	if len(got) > l.Limit {
		got = got[:l.Limit]
		rest = &got[l.Limit-1].place
	}
	for _, r := range got {
		page.Rows = append(page.Rows, r.Row)
	}
	if rest != nil {
		page.After = l.writePlace(*rest)
	}
	return page
}
