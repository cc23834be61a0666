package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
)

// What an inspection reads: the tables that follow from the records, next to
// the records, in stretches.

// Member says that a record is in a scope.
type Member struct {
	Scope record.ScopeID
	Rank  int16
	Rec   record.ID
}

// MemberRow is one as it was found, beside its record.
type MemberRow struct {
	Member

	Kind int16 // of the record, 0 if there is none
	In   bool  // the record says the same
}

var membersWalk = pg.Statement("members_walk", `
	SELECT m.scope, m.rank, m.rec, coalesce(r.kind, 0), coalesce(m.scope = ANY (r.scopes), false)
	  FROM (SELECT m.scope, m.rank, m.rec
	          FROM members m
	         WHERE m.org = $1 AND m.scope = $2 AND (m.rank, m.rec) > ($3, $4)
	         ORDER BY m.rank, m.rec
	         LIMIT $5) m
	  LEFT JOIN LATERAL (SELECT * FROM records r WHERE r.org = $1 AND r.id = m.rec OFFSET 0) r ON true
	 ORDER BY m.rank, m.rec`)

// MembersAfter reads a stretch of a scope's members in the order of their key.
func (tx Tx) MembersAfter(ctx context.Context, after Member, limit int) ([]MemberRow, error) {
	return collect(ctx, tx, "members", membersWalk, func(rows pgx.CollectableRow) (m MemberRow, err error) {
		err = rows.Scan(&m.Scope, &m.Rank, (*[16]byte)(&m.Rec), &m.Kind, &m.In)
		return m, err
	}, tx.Org, after.Scope, after.Rank, [16]byte(after.Rec), limit)
}

var membersFind = pg.Statement("members_find", `
	SELECT u.scope, u.rank, u.rec
	  FROM unnest($2::int[], $3::smallint[], $4::uuid[]) u(scope, rank, rec)
	 CROSS JOIN LATERAL (SELECT 1 FROM members m
	                      WHERE m.org = $1 AND m.scope = u.scope AND m.rank = u.rank AND m.rec = u.rec OFFSET 0) m`)

// Members finds which of these there are.
func (tx Tx) Members(ctx context.Context, asked []Member) (map[Member]bool, error) {
	scope, rank, rec := make([]int32, len(asked)), make([]int16, len(asked)), make([][16]byte, len(asked))
	for i, m := range asked {
		scope[i], rank[i], rec[i] = int32(m.Scope), m.Rank, m.Rec
	}
	found, err := collect(ctx, tx, "members", membersFind, func(rows pgx.CollectableRow) (m Member, err error) {
		err = rows.Scan(&m.Scope, &m.Rank, (*[16]byte)(&m.Rec))
		return m, err
	}, tx.Org, scope, rank, rec)
	out := make(map[Member]bool, len(found))
	for _, m := range found {
		out[m] = true
	}
	return out, err
}

var indexFind = pg.Statement("index_find", `
	SELECT i.scope, i.seq, i.mark, i.rec, i.op, i.kind, i.month
	  FROM unnest($2::int[], $3::bigint[], $4::uuid[]) u(scope, seq, rec)
	 CROSS JOIN LATERAL (SELECT * FROM scope_index i
	                      WHERE i.org = $1 AND i.scope = u.scope AND i.seq = u.seq AND i.rec = u.rec OFFSET 0) i`)

// IndexRows finds those rows of the index that stand at these places.
func (tx Tx) IndexRows(ctx context.Context, at []Dead) (map[IndexRow]bool, error) {
	scope, seq, rec := deadColumns(at)
	found, err := collect(ctx, tx, "index rows", indexFind, scanIndexRow, tx.Org, scope, seq, rec)
	out := make(map[IndexRow]bool, len(found))
	for _, r := range found {
		out[r] = true
	}
	return out, err
}

func scanIndexRow(rows pgx.CollectableRow) (r IndexRow, err error) {
	err = rows.Scan(&r.Scope, &r.Seq, &r.Mark, (*[16]byte)(&r.Rec), &r.Op, &r.Kind, &r.Month)
	return r, err
}

func deadColumns(rows []Dead) (scope []int32, seq []int64, rec [][16]byte) {
	for _, d := range rows {
		scope, seq, rec = append(scope, int32(d.Scope)), append(seq, int64(d.Seq)), append(rec, d.Rec)
	}
	return scope, seq, rec
}

// Beside is a row of the index beside its record.
type Beside struct {
	IndexRow

	Own     record.Seq // the record's own seq, 0 if there is none
	Entered record.Seq // when it came into the scope, 0 if it is not in it
}

var indexBack = pg.Statement("index_back", `
	SELECT coalesce(min(s.seq), 0)
	  FROM (SELECT i.seq
	          FROM scope_index i
	         WHERE i.org = $1 AND i.scope = $2 AND i.seq < $3
	         ORDER BY i.seq DESC
	         LIMIT $4) s`)

var indexBeside = pg.Statement("index_beside", `
	SELECT i.scope, i.seq, i.mark, i.rec, i.op, i.kind, i.month,
	       coalesce(r.seq, 0), coalesce(r.entered[array_position(r.scopes, i.scope)], 0)
	  FROM (SELECT *
	          FROM scope_index i
	         WHERE i.org = $1 AND i.scope = $2 AND i.seq >= $3 AND i.seq < $4
	         ORDER BY i.seq DESC) i
	  LEFT JOIN LATERAL (SELECT * FROM records r WHERE r.org = $1 AND r.id = i.rec OFFSET 0) r ON true
	 ORDER BY i.seq DESC`)

// IndexBack reads a stretch of one scope's index before a place, newest first:
// some limit of rows, and those at the same place as the last of them. It goes
// on before from, which is 0 at the end.
func (tx Tx) IndexBack(ctx context.Context, scope record.ScopeID, before record.Seq, limit int) (rows []Beside, from record.Seq, err error) {
	if err = tx.QueryRow(ctx, indexBack, tx.Org, scope, before, limit).Scan(&from); err != nil || from == 0 {
		return nil, 0, err
	}
	rows, err = collect(ctx, tx, "index", indexBeside, func(rows pgx.CollectableRow) (r Beside, err error) {
		err = rows.Scan(&r.Scope, &r.Seq, &r.Mark, (*[16]byte)(&r.Rec), &r.Op, &r.Kind, &r.Month, &r.Own, &r.Entered)
		return r, err
	}, tx.Org, scope, from, before)
	return rows, from, err
}

var indexLeft = pg.Statement("index_left", `
	SELECT EXISTS (SELECT 1 FROM scope_index i
	                WHERE i.org = $1 AND i.scope = $2 AND i.seq > $3 AND i.rec = $4 AND i.op = 1)`)

// LeftSince reports whether the index says that a record left a scope after a place.
func (tx Tx) LeftSince(ctx context.Context, scope record.ScopeID, seq record.Seq, rec record.ID) (left bool, err error) {
	err = tx.QueryRow(ctx, indexLeft, tx.Org, scope, seq, [16]byte(rec)).Scan(&left)
	return left, err
}

// RecordsAfter reads a stretch of the records in the order of their ids.
func (tx Tx) RecordsAfter(ctx context.Context, after record.ID, limit int) ([]Row, error) {
	return collect(ctx, tx, "records", recordsAfter, scanRow, tx.Org, [16]byte(after), limit)
}

var lookupsOf = pg.Statement("lookups_of", `
	SELECT l.rec, l.field, l.val
	  FROM unnest($2::uuid[]) u(rec)
	 CROSS JOIN LATERAL (SELECT * FROM lookups l WHERE l.org = $1 AND l.rec = u.rec OFFSET 0) l`)

// Lookups reads the look-up rows of some records.
func (tx Tx) Lookups(ctx context.Context, recs []record.ID) (map[record.ID][]record.LookupRow, error) {
	rows, err := tx.Query(ctx, lookupsOf, tx.Org, raw(recs))
	if err != nil {
		return nil, fmt.Errorf("look-up rows: %w", err)
	}
	out := map[record.ID][]record.LookupRow{}
	var rec record.ID
	var row record.LookupRow
	_, err = pgx.ForEachRow(rows, []any{(*[16]byte)(&rec), &row.Field, &row.Val}, func() error {
		out[rec] = append(out[rec], row)
		return nil
	})
	return out, err
}

var lookupsWalk = pg.Statement("lookups_walk", `
	SELECT l.rec, r.id IS NOT NULL
	  FROM (SELECT l.rec FROM lookups l WHERE l.org = $1 AND l.rec > $2 ORDER BY l.rec LIMIT $3) l
	  LEFT JOIN LATERAL (SELECT r.id FROM records r WHERE r.org = $1 AND r.id = l.rec OFFSET 0) r ON true
	 ORDER BY l.rec`)

// LookedUp is a record that look-up rows name.
type LookedUp struct {
	Rec   record.ID
	There bool
}

// LookedUpAfter reads whose the look-up rows of a stretch are.
func (tx Tx) LookedUpAfter(ctx context.Context, after record.ID, limit int) ([]LookedUp, error) {
	return collect(ctx, tx, "look-up rows", lookupsWalk, func(rows pgx.CollectableRow) (l LookedUp, err error) {
		err = rows.Scan((*[16]byte)(&l.Rec), &l.There)
		return l, err
	}, tx.Org, [16]byte(after), limit)
}

var scopesNamed = pg.Statement("scopes_named", `SELECT s.id, s.name FROM scopes s WHERE s.org = $1 AND s.id = ANY ($2::int[])`)

// ScopeNames names scopes by number. What has no name is no scope.
func (tx Tx) ScopeNames(ctx context.Context, ids []record.ScopeID) (map[record.ScopeID]string, error) {
	out := map[record.ScopeID]string{}
	rows, err := tx.Query(ctx, scopesNamed, tx.Org, ids)
	if err != nil {
		return nil, fmt.Errorf("names of scopes: %w", err)
	}
	var id record.ScopeID
	var name string
	_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error {
		out[id] = name
		return nil
	})
	return out, err
}

var rescopesAll = pg.Statement("rescopes_all", `SELECT q.rec FROM rescopes q WHERE q.org = $1`)

// Moving are the tops of subtrees that have still to follow.
func (tx Tx) Moving(ctx context.Context) (map[record.ID]bool, error) {
	ids, err := collect(ctx, tx, "subtrees", rescopesAll, scanID, tx.Org)
	out := make(map[record.ID]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out, err
}

func scanID(rows pgx.CollectableRow) (id record.ID, err error) {
	err = rows.Scan((*[16]byte)(&id))
	return id, err
}

var grantsHolders = pg.Statement("grants_holders", `
	SELECT DISTINCT g.holder FROM grants g WHERE g.org = $1 AND g.until IS NULL
	UNION
	SELECT DISTINCT p.device FROM pins p WHERE p.org = $1`)

// Holders are all who hold anything now, or have anything pinned.
func (tx Tx) Holders(ctx context.Context) ([]record.ID, error) {
	return collect(ctx, tx, "holders", grantsHolders, scanID, tx.Org)
}
