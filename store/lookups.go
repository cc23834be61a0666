package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
)

var lookupsInsert = pg.Statement("lookups_insert", `
	INSERT INTO lookups (org, field, val, rec)
	SELECT $1, u.*
	  FROM unnest($2::smallint[], $3::text[], $4::uuid[]) u
	ON CONFLICT DO NOTHING`)

// A record that is new has no rows yet, or its own key would have refused it.
// Not to ask PostgreSQL to look first halves what each costs.
var lookupsNew = pg.Statement("lookups_new", `
	INSERT INTO lookups (org, field, val, rec)
	SELECT $1, u.*
	  FROM unnest($2::smallint[], $3::text[], $4::uuid[]) u`)

var lookupsDelete = pg.Statement("lookups_delete", `
	DELETE FROM lookups l
	 USING (SELECT $1::int AS org, u.*
	          FROM unnest($2::smallint[], $3::text[], $4::uuid[]) u(field, val, rec)
	        OFFSET 0) u
	 WHERE l.org = u.org AND l.field = u.field AND l.val = u.val AND l.rec = u.rec`)

// lookupRows gathers rows for one of the statements above.
type lookupRows struct {
	field []int16
	val   texts
	rec   [][16]byte
}

func (l *lookupRows) add(rec record.ID, rows []record.LookupRow) {
	for _, r := range rows {
		l.field, l.val, l.rec = append(l.field, r.Field), append(l.val, []byte(r.Val)), append(l.rec, rec)
	}
}

// queueLookups writes what changed of look-up fields, which is nothing in most
// commits of edits.
func queueLookups(b *batch, org record.OrgID, dirty []Dirty) {
	var gone, come, fresh lookupRows
	for _, d := range dirty {
		out, in := record.ChangedLookups(d.Was, d.Now)
		if d.Was == nil {
			fresh.add(d.Now.ID, in)
			continue
		}
		gone.add(d.Now.ID, out)
		come.add(d.Now.ID, in)
	}
	if len(gone.rec) > 0 {
		b.Queue(lookupsDelete, org, gone.field, gone.val, gone.rec)
	}
	if len(come.rec) > 0 {
		b.Queue(lookupsInsert, org, come.field, come.val, come.rec)
	}
	if len(fresh.rec) > 0 {
		b.Queue(lookupsNew, org, fresh.field, fresh.val, fresh.rec)
	}
}

var lookupsAlike = pg.Statement("lookups_alike", `
	SELECT u.val, l.rec
	  FROM unnest($3::text[]) u(val)
	 CROSS JOIN LATERAL (SELECT l.rec
	                       FROM lookups l
	                      WHERE l.org = $1 AND l.field = $2 AND l.val = u.val
	                      ORDER BY l.rec
	                      LIMIT $4 OFFSET 0) l`)

// Alike finds the first records that each value of a look-up field is of.
func (tx Tx) Alike(ctx context.Context, field int16, vals []string, limit int) (map[string][]record.ID, error) {
	rows, err := tx.Query(ctx, lookupsAlike, tx.Org, field, vals, limit)
	if err != nil {
		return nil, fmt.Errorf("records that are alike: %w", err)
	}
	out := make(map[string][]record.ID, len(vals))
	var val string
	var rec record.ID
	_, err = pgx.ForEachRow(rows, []any{&val, (*[16]byte)(&rec)}, func() error {
		out[val] = append(out[val], rec)
		return nil
	})
	return out, err
}

var lookupsKeys = pg.Statement("lookups_keys", `
	SELECT l.val, l.rec
	  FROM lookups l
	 WHERE l.org = $1 AND l.field = $2 AND (l.val, l.rec) > ($3, $4)
	 ORDER BY l.val, l.rec
	 LIMIT $5`)

// KeyPlace is a place among the values of a look-up field.
type KeyPlace struct {
	Val string
	Rec record.ID
}

// Keys tells of a page of the values of a look-up field, in their order and one
// as often as there are records that have it; what is told is good until the
// next. The next place is where the page ends; with fewer than the limit it is
// the last.
func (tx Tx) Keys(ctx context.Context, field int16, after KeyPlace, limit int, tell func(val []byte)) (n int, next KeyPlace, err error) {
	rows, err := tx.Query(ctx, lookupsKeys, tx.Org, field, after.Val, [16]byte(after.Rec), limit)
	if err != nil {
		return 0, after, fmt.Errorf("keys: %w", err)
	}
	defer rows.Close()
	for next = after; rows.Next(); n++ {
		raw := rows.RawValues()
		tell(raw[0])
		if n == limit-1 {
			next.Val = string(raw[0])
			if err := rows.Scan(nil, (*[16]byte)(&next.Rec)); err != nil {
				return n, after, fmt.Errorf("keys: %w", err)
			}
		}
	}
	if err := rows.Err(); err != nil {
		return n, after, fmt.Errorf("keys: %w", err)
	}
	return n, next, nil
}

var reindexesAsk = pg.Statement("reindexes_ask", `
	INSERT INTO reindexes (org, kinds, after)
	VALUES ($1, $2, '00000000-0000-0000-0000-000000000000')
	ON CONFLICT (org) DO UPDATE
	   SET kinds = (SELECT array_agg(DISTINCT k) FROM unnest(reindexes.kinds || excluded.kinds) k), after = excluded.after`)

// queueReindex asks for the rows of some kinds to be made anew.
func queueReindex(b *batch, org record.OrgID, kinds []int16) {
	if len(kinds) > 0 {
		b.Queue(reindexesAsk, org, kinds)
	}
}

var reindexesNext = pg.Statement("reindexes_next", `SELECT q.kinds, q.after FROM reindexes q WHERE q.org = $1`)

var reindexesMove = pg.Statement("reindexes_move", `UPDATE reindexes q SET after = $2 WHERE q.org = $1`)

var reindexesDone = pg.Statement("reindexes_done", `DELETE FROM reindexes q WHERE q.org = $1`)

var recordsAfter = pg.Statement("records_after", `
	SELECT`+recordColumns+`
	  FROM records r
	 WHERE r.org = $1 AND r.id > $2
	 ORDER BY r.id
	 LIMIT $3`)

var lookupsForget = pg.Statement("lookups_forget", `
	DELETE FROM lookups l
	 USING (SELECT $1::int AS org, u.* FROM unnest($2::uuid[]) u(rec) OFFSET 0) u
	 WHERE l.org = u.org AND l.rec = u.rec`)

// Reindexing are the kinds whose look-up rows are being made anew, so that
// nothing can be looked up by them yet.
func (tx Tx) Reindexing(ctx context.Context) (kinds []int16, after record.ID, err error) {
	err = tx.QueryRow(ctx, reindexesNext, tx.Org).Scan(&kinds, (*[16]byte)(&after))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, record.NoID, nil
	}
	return kinds, after, err
}

// Reindex makes the look-up rows of an org's next records anew, in a
// transaction that holds the org's row, and reports whether there are more. It
// may be interrupted and repeated.
func (s *Store) Reindex(
	ctx context.Context, org record.OrgID, schema func(Tx, Head) (*record.Schema, error), atOnce int,
) (more bool, err error) {
	err = pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(ptx pgx.Tx) error {
		tx := Tx{Reader: ptx, Org: org}
		head, err := scanHead(ptx.QueryRow(ctx, headLock, org), org)
		if err != nil {
			return err
		}
		by, err := schema(tx, head)
		if err != nil {
			return err
		}
		b := &batch{}
		if more, err = tx.reindex(ctx, b, by, atOnce); err != nil || len(b.all) == 0 {
			return err
		}
		return b.send(ctx, ptx.Conn())
	})
	return more, err
}

func (tx Tx) reindex(ctx context.Context, b *batch, schema *record.Schema, atOnce int) (more bool, err error) {
	kinds, after, err := tx.Reindexing(ctx)
	if err != nil || len(kinds) == 0 {
		return false, err
	}
	rows, err := collect(ctx, tx, "records to look up", recordsAfter, scanRow, tx.Org, [16]byte(after), atOnce)
	if err != nil {
		return false, err
	}
	if err := tx.queueAnew(b, schema, kinds, rows); err != nil {
		return false, err
	}
	if more = len(rows) == atOnce; more {
		b.Queue(reindexesMove, tx.Org, [16]byte(rows[len(rows)-1].ID))
	} else {
		b.Queue(reindexesDone, tx.Org)
	}
	return more, nil
}

// queueAnew writes the rows of those records that are of some kinds.
func (tx Tx) queueAnew(b *batch, schema *record.Schema, kinds []int16, rows []Row) error {
	wanted := make(map[int16]bool, len(kinds))
	for _, k := range kinds {
		wanted[k] = true
	}
	var anew [][16]byte
	var come lookupRows
	for i := range rows {
		if !wanted[rows[i].Kind] {
			continue
		}
		rec, err := rows[i].Record(schema)
		if err != nil {
			return err
		}
		anew = append(anew, rec.ID)
		come.add(rec.ID, rec.AppendLookups(nil))
	}
	if len(anew) > 0 {
		b.Queue(lookupsForget, tx.Org, anew)
	}
	if len(come.rec) > 0 {
		b.Queue(lookupsInsert, tx.Org, come.field, come.val, come.rec)
	}
	return nil
}

var lookupsAfter = pg.Statement("lookups_after", `
	SELECT l.rec
	  FROM lookups l
	 WHERE l.org = $1 AND l.field = $2 AND l.val = $3 AND l.rec > $4
	 ORDER BY l.rec
	 LIMIT $5`)

// LookedUp finds records by one value of a look-up field, in the order of their
// ids, after one of them.
func (tx Tx) LookedUp(ctx context.Context, field int16, val string, after record.ID, limit int) ([]record.ID, error) {
	return collect(ctx, tx, "records by a field", lookupsAfter, func(rows pgx.CollectableRow) (id record.ID, err error) {
		err = rows.Scan((*[16]byte)(&id))
		return id, err
	}, tx.Org, field, val, [16]byte(after), limit)
}

var reindexesOrgs = pg.Statement("reindexes_orgs", `SELECT q.org FROM reindexes q`)

// ReindexingOrgs are the orgs that have look-up rows to be made.
func (s *Store) ReindexingOrgs(ctx context.Context) ([]record.OrgID, error) {
	return all(ctx, s, reindexesOrgs, pgx.RowTo[record.OrgID])
}

var headsOrgs = pg.Statement("heads_orgs", `SELECT h.org FROM heads h WHERE h.schema > 0`)

// Orgs are those that have a schema.
func (s *Store) Orgs(ctx context.Context) ([]record.OrgID, error) {
	return all(ctx, s, headsOrgs, pgx.RowTo[record.OrgID])
}

var lookupsBefore = pg.Statement("lookups_before", `
	SELECT l.rec
	  FROM lookups l
	 WHERE l.org = $1 AND l.field = $2 AND l.val < $3
	 ORDER BY l.val, l.rec
	 LIMIT $4`)

// LookedUpBefore finds the records whose value of a look-up field comes before
// another, the first first.
func (tx Tx) LookedUpBefore(ctx context.Context, field int16, val string, limit int) ([]record.ID, error) {
	return collect(ctx, tx, "records before a value", lookupsBefore, func(rows pgx.CollectableRow) (id record.ID, err error) {
		err = rows.Scan((*[16]byte)(&id))
		return id, err
	}, tx.Org, field, val, limit)
}
