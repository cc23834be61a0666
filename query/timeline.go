package query

import (
	"context"

	"github.com/jackc/pgx/v5"

	"roadbook/access"
	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg"
)

// What hangs below a record or refers to it, each kind by the field that says
// when it happened. The times are of one spelling, but that an instant ends in
// Z, where one with milliseconds goes on.
var queryAround = pg.Statement("query_around", `
	WITH near AS (
	     SELECT i.id FROM records i WHERE i.org = $1 AND i.parent = $2
	      UNION
	     SELECT l.rec
	       FROM unnest($3::smallint[]) u(field)
	      CROSS JOIN LATERAL (SELECT i.rec FROM lookups i WHERE i.org = $1 AND i.field = u.field AND i.val = $2::uuid::text OFFSET 0) l)
	SELECT h.id, h.kind, h.seq, h.fields, h.at
	  FROM (SELECT r.id, r.kind, r.seq, r.fields,
	               rtrim(coalesce(r.fields #>> k.path::text[], r.fields ->> 'created_at', ''), 'Z') COLLATE "C" AS at
	          FROM near n
	         CROSS JOIN LATERAL (SELECT * FROM records r WHERE r.org = $1 AND r.id = n.id AND r.state = 0 AND r.scopes && $4::int[] OFFSET 0) r
	          JOIN unnest($5::smallint[], $6::text[]) k(kind, path) ON k.kind = r.kind
	        OFFSET 0) h
	 WHERE (h.at, h.id) < ($7, $8::uuid)
	 ORDER BY h.at DESC, h.id DESC
	 LIMIT $9`)

// Around is what a timeline is asked for.
type Around struct {
	Schema *record.Schema
	Kind   *record.Kind
	ID     record.ID
	Limit  int    // 0 means DefaultLimit
	After  string // of the page before
	Key    []byte // signs After
}

// Happening is a record of a timeline.
type Happening struct {
	Row

	Kind *record.Kind
	At   string // a day, or an instant
}

// quiet are the kinds that are no happening: the server's own questions.
const quiet = "conflict"

// Timeline reads what happened around a record, the newest first: everything
// that hangs below it or refers to it and that the actor may see. It costs as
// much as there is around the record, some 10 µs each.
func Timeline(ctx context.Context, tx store.Tx, actor *access.Actor, a Around) ([]Happening, string, error) {
	l := &list{Request: Request{Kind: a.Kind, Filter: a.ID.String(), Sort: "timeline", Limit: a.Limit, After: a.After, Key: a.Key}, tx: tx, actor: actor}
	if err := l.prepareTimeline(); err != nil {
		return nil, "", err
	}
	var refers, kinds []int16
	var paths []string
	for _, k := range a.Schema.Kinds {
		if k.Name == quiet || !actor.Reads(k) {
			continue
		}
		kinds, paths = append(kinds, k.No), append(paths, happensAt(k, actor))
		for _, f := range k.Lookups() {
			if f.Type == "reference" && f.To == a.Kind.Name && !actor.Hides(k, f.Name) {
				refers = append(refers, k.LookupNo(f))
			}
		}
	}
	rows, err := tx.Query(ctx, queryAround, tx.Org, [16]byte(a.ID), refers, l.scopes, kinds, paths, l.place.key, [16]byte(l.place.id), l.Limit+1)
	if err != nil {
		return nil, "", err
	}
	found, err := pgx.CollectRows(rows, func(rows pgx.CollectableRow) (h Happening, err error) {
		var kind int16
		err = rows.Scan((*[16]byte)(&h.ID), &kind, &h.Seq, &h.Fields, &h.At)
		h.Kind = a.Schema.KindNo(kind)
		return h, err
	})
	if err != nil || len(found) <= l.Limit {
		return told(found), "", err
	}
	found = found[:l.Limit]
	end := found[l.Limit-1]
	return told(found), l.writePlace(place{key: end.At, id: end.ID}), nil
}

func (l *list) prepareTimeline() (err error) {
	if err = l.limit(); err != nil {
		return err
	}
	l.see()
	if l.place, err = l.readPlace(); err == nil && !l.place.set {
		l.place.key, l.place.id = last, lastID
	}
	return err
}

// told gives instants their Z back.
func told(all []Happening) []Happening {
	for i := range all {
		if len(all[i].At) > len("2006-01-02") {
			all[i].At += "Z"
		}
	}
	return all
}

// happensAt is the path in a record's fields to when it happened: what its kind
// says, else when it was made.
func happensAt(k *record.Kind, actor *access.Actor) string {
	f := k.Field(k.Month)
	switch {
	case f == nil || actor.Hides(k, f.Name):
		return "{created_at}"
	case f.Type == "evidence":
		return "{" + f.Name + ",time_device}"
	}
	return "{" + f.Name + "}"
}
