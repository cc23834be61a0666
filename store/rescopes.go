package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
)

// Rescope is a record whose children are to follow it, with how far that has
// come.
type Rescope struct {
	Rec   record.ID
	Seq   record.Seq // of the change that asked for it
	Level int16      // how far below what was changed
	Field int16      // 0 while its children follow, then the look-up field that refers to it
	After record.ID  // the last that has followed
}

// What is asked for anew begins anew.
var rescopesInsert = pg.Statement("rescopes_insert", `
	INSERT INTO rescopes (org, rec, seq, level)
	SELECT $1, u.rec, u.seq, u.level
	  FROM unnest($2::uuid[], $3::bigint[], $4::smallint[]) u(rec, seq, level)
	ON CONFLICT (org, rec) DO UPDATE
	   SET seq = excluded.seq, level = least(rescopes.level, excluded.level), field = excluded.field, after = excluded.after`)

func queueRescopes(b *batch, org record.OrgID, asked []Rescope) {
	if len(asked) == 0 {
		return
	}
	recs, seqs, levels := make([][16]byte, len(asked)), make([]int64, len(asked)), make([]int16, len(asked))
	for i, r := range asked {
		recs[i], seqs[i], levels[i] = r.Rec, int64(r.Seq), r.Level
	}
	b.Queue(rescopesInsert, org, recs, seqs, levels)
}

var rescopesMove = pg.Statement("rescopes_move", `
	UPDATE rescopes q
	   SET field = u.field, after = u.after
	  FROM (SELECT $1::int AS org, u.*
	          FROM unnest($2::uuid[], $3::bigint[], $4::smallint[], $5::uuid[]) u(rec, seq, field, after)
	        OFFSET 0) u
	 WHERE q.org = u.org AND q.rec = u.rec AND q.seq = u.seq`)

var rescopesDone = pg.Statement("rescopes_done", `
	DELETE FROM rescopes q
	 USING (SELECT $1::int AS org, u.* FROM unnest($2::uuid[], $3::bigint[]) u(rec, seq) OFFSET 0) u
	 WHERE q.org = u.org AND q.rec = u.rec AND q.seq = u.seq`)

// queueFollowed writes how far some have come, and takes out those that are
// done.
func queueFollowed(b *batch, org record.OrgID, come, done []Rescope) {
	if len(come) > 0 {
		recs, after := make([][16]byte, len(come)), make([][16]byte, len(come))
		seqs, fields := make([]int64, len(come)), make([]int16, len(come))
		for i, r := range come {
			recs[i], seqs[i], fields[i], after[i] = r.Rec, int64(r.Seq), r.Field, r.After
		}
		b.Queue(rescopesMove, org, recs, seqs, fields, after)
	}
	if len(done) > 0 {
		recs, seqs := make([][16]byte, len(done)), make([]int64, len(done))
		for i, r := range done {
			recs[i], seqs[i] = r.Rec, int64(r.Seq)
		}
		b.Queue(rescopesDone, org, recs, seqs)
	}
}

var rescopesNext = pg.Statement("rescopes_next", `
	SELECT q.rec, q.seq, q.level, q.field, q.after FROM rescopes q WHERE q.org = $1 ORDER BY q.seq, q.rec LIMIT $2`)

// NextRescopes finds the oldest ones.
func (tx Tx) NextRescopes(ctx context.Context, limit int) ([]Rescope, error) {
	return collect(ctx, tx, "subtrees to move", rescopesNext, func(rows pgx.CollectableRow) (r Rescope, err error) {
		err = rows.Scan((*[16]byte)(&r.Rec), &r.Seq, &r.Level, &r.Field, (*[16]byte)(&r.After))
		return r, err
	}, tx.Org, limit)
}

var rescopesOrgs = pg.Statement("rescopes_orgs", `SELECT DISTINCT q.org FROM rescopes q`)

// Rescoping lists the orgs that have subtrees to move.
func (s *Store) Rescoping(ctx context.Context) ([]record.OrgID, error) {
	return all(ctx, s, rescopesOrgs, pgx.RowTo[record.OrgID])
}
