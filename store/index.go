package store

import (
	"context"
	"strconv"

	"roadbook/record"
	"roadbook/store/pg"
)

func appendInt(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

// IndexOp is what a row of the scope index says.
type IndexOp int16

// The two rows.
const (
	Touched IndexOp = 0 // the record changed or came in
	Gone    IndexOp = 1 // it left
)

// IndexRow is where a delta finds that a record changed in a scope.
type IndexRow struct {
	Scope record.ScopeID
	Seq   record.Seq
	Mark  record.Seq // Touched: the record's own seq; Gone: where it had entered
	Rec   record.ID
	Op    IndexOp
	Kind  int16
	Month record.Month
}

var indexInsert = pg.Statement("index_insert", `
	INSERT INTO scope_index (org, scope, seq, mark, rec, op, kind, month)
	SELECT $1, u.*
	  FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::uuid[], $6::smallint[], $7::smallint[], $8::smallint[]) u`)

var indexDelete = pg.Statement("index_delete", `
	DELETE FROM scope_index s
	 USING (SELECT $1::int AS org, u.*
	          FROM unnest($2::int[], $3::bigint[], $4::uuid[]) u(scope, seq, rec)
	        OFFSET 0) u
	 WHERE s.org = u.org AND s.scope = u.scope AND s.seq = u.seq AND s.rec = u.rec`)

// Dead names an index row that another has taken the place of. Readers judge
// every row against its record, so it does no harm until it is swept.
type Dead struct {
	Scope record.ScopeID
	Seq   record.Seq
	Rec   record.ID
}

// index works out the rows that a commit adds for one record. Rows follow from
// what the record was and is, never from what happened in between, so any
// number of edits in one commit cost one row for each scope.
func (d Dirty) index() (rows []IndexRow, dead []Dead) {
	now := d.Now
	for i, scope := range now.Scopes {
		since, was := record.Seq(0), false
		if d.Was != nil {
			since, was = d.Was.In(scope)
		}
		entered := now.Entered[i]
		if was && entered == since && d.Was.Seq == now.Seq {
			continue // nothing changed but what other scopes it is in
		}
		rows = append(rows, IndexRow{
			Scope: scope, Seq: max(now.Seq, entered), Mark: now.Seq, Rec: now.ID, Op: Touched, Kind: now.Kind.No, Month: now.Month,
		})
		if was {
			dead = append(dead, Dead{Scope: scope, Seq: max(d.Was.Seq, since), Rec: now.ID})
		}
	}
	if d.Was == nil {
		return rows, dead
	}
	for i, scope := range d.Was.Scopes {
		if _, still := now.In(scope); still {
			continue
		}
		since := d.Was.Entered[i]
		rows = append(rows, IndexRow{
			Scope: scope, Seq: d.Left, Mark: since, Rec: now.ID, Op: Gone, Kind: now.Kind.No, Month: d.Was.Month,
		})
		dead = append(dead, Dead{Scope: scope, Seq: max(d.Was.Seq, since), Rec: now.ID})
	}
	return rows, dead
}

func queueIndex(b *batch, org record.OrgID, dirty []Dirty) (dead []Dead) {
	var rows indexRows
	var fresh, came, went memberRows
	for _, d := range dirty {
		added, died := d.index()
		rows, dead = append(rows, added...), append(dead, died...)
		if d.Was == nil {
			fresh.add(d.Now, d.Now.Scopes)
			continue
		}
		in, out := d.members()
		came.add(d.Now, in)
		went.add(d.Now, out)
	}
	rows.queue(b, org)
	went.queue(b, membersDelete, org)
	came.queue(b, membersInsert, org)
	fresh.queue(b, membersNew, org)
	return dead
}

type indexRows []IndexRow

func (rows indexRows) queue(b *batch, org record.OrgID) {
	if len(rows) == 0 {
		return
	}
	n := len(rows)
	scope, seq, mark, rec := make([]int32, n), make([]int64, n), make([]int64, n), make([][16]byte, n)
	op, kind, month := make([]int16, n), make([]int16, n), make([]int16, n)
	for i, r := range rows {
		scope[i], seq[i], mark[i], rec[i] = int32(r.Scope), int64(r.Seq), int64(r.Mark), r.Rec
		op[i], kind[i], month[i] = int16(r.Op), r.Kind, int16(r.Month)
	}
	b.Queue(indexInsert, org, scope, seq, mark, rec, op, kind, month)
}

// Sweep deletes dead index rows, in a transaction of its own.
func (s *Store) Sweep(ctx context.Context, org record.OrgID, dead []Dead) error {
	scope, seq, rec := deadColumns(dead)
	_, err := s.pool.Exec(ctx, indexDelete, org, scope, seq, rec)
	return err
}

var indexSince = pg.Statement("index_since", `
	SELECT s.scope, s.seq, s.mark, s.rec, s.op, s.kind, s.month
	  FROM unnest($2::int[]) g(scope)
	 CROSS JOIN LATERAL (
	       SELECT i.scope, i.seq, i.mark, i.rec, i.op, i.kind, i.month
	         FROM scope_index i
	        WHERE i.org = $1 AND i.scope = g.scope AND i.seq > $3 AND i.seq <= $4
	        ORDER BY i.seq
	        LIMIT $5) s
	 ORDER BY s.seq, s.rec
	 LIMIT $5`)

// IndexSince returns what changed in some scopes after pos and up to head, in
// log order, and by id within one row of the log. Fewer rows than limit mean
// that there are no more; as many as limit may end inside a row of the log, in
// no order there.
func (tx Tx) IndexSince(ctx context.Context, scopes []record.ScopeID, pos, head record.Seq, limit int) ([]IndexRow, error) {
	return collect(ctx, tx, "index", indexSince, scanIndexRow, tx.Org, scopes, pos, head, limit)
}
