package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
)

// Row is a record as it lies in the database, its fields not yet cut.
type Row struct {
	Kind    int16
	State   record.State
	Month   record.Month
	ID      record.ID
	Owner   record.ID
	Parent  record.ID
	Root    record.ID
	Scopes  []record.ScopeID
	Entered []record.Seq
	Fields  []byte
	Meta    []byte
	Seq     record.Seq
}

// Record cuts the row's fields.
func (r *Row) Record(schema *record.Schema) (*record.Record, error) {
	kind := schema.KindNo(r.Kind)
	if kind == nil {
		return nil, fmt.Errorf("record %s is of kind %d, which the schema does not know", r.ID, r.Kind)
	}
	rec := &record.Record{
		Kind: kind, ID: r.ID, State: r.State, Month: r.Month, Owner: r.Owner, Parent: r.Parent, Root: r.Root,
		Scopes: r.Scopes, Entered: r.Entered, Seq: r.Seq,
	}
	if err := rec.Load(r.Fields, r.Meta); err != nil {
		return nil, fmt.Errorf("record %s: %w", r.ID, err)
	}
	return rec, nil
}

func scanRow(rows pgx.CollectableRow) (Row, error) {
	var r Row
	var parent *[16]byte
	err := rows.Scan(&r.Kind, &r.State, &r.Month, (*[16]byte)(&r.ID), (*[16]byte)(&r.Owner), &parent,
		(*[16]byte)(&r.Root), &r.Scopes, &r.Entered, &r.Fields, &r.Meta, &r.Seq)
	if parent != nil {
		r.Parent = record.ID(*parent)
	}
	return r, err
}

// Statements over many keys begin with the list of keys and look each up in a
// LATERAL subquery that OFFSET 0 keeps apart. Left to itself the planner,
// knowing nothing of a young table, reads all of the org's rows and searches
// the list for each. Where rows are changed, the org goes into the list too: then
// the table has no condition of its own by which it could be read first.
const recordColumns = ` r.kind, r.state, r.month, r.id, r.owner, r.parent, r.root, r.scopes, r.entered, r.fields, r.meta, r.seq `

var recordsByID = pg.Statement("records_by_id", `
	SELECT`+recordColumns+`
	  FROM unnest($2::uuid[]) u(id)
	 CROSS JOIN LATERAL (SELECT * FROM records r WHERE r.org = $1 AND r.id = u.id OFFSET 0) r`)

// Records loads records by id; those that are not there are left out.
func (tx Tx) Records(ctx context.Context, ids []record.ID) ([]Row, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return collect(ctx, tx, "records", recordsByID, scanRow, tx.Org, raw(ids))
}

var recordsOfKind = pg.Statement("records_of_kind", `
	SELECT`+recordColumns+`
	  FROM members m
	 CROSS JOIN LATERAL (SELECT * FROM records r WHERE r.org = $1 AND r.id = m.rec OFFSET 0) r
	 WHERE m.org = $1 AND m.scope = $2 AND m.rank = $3
	   AND r.kind = $4 AND r.state = 0`)

// OfKind loads the live records of a kind in one scope.
func (tx Tx) OfKind(ctx context.Context, scope record.ScopeID, kind *record.Kind) ([]Row, error) {
	return collect(ctx, tx, "records of a kind", recordsOfKind, scanRow, tx.Org, scope, kind.Rank, kind.No)
}

var recordsInsert = pg.Statement("records_insert", `
	INSERT INTO records (org, kind, state, month, id, owner, parent, root, scopes, entered, fields, meta, seq)
	SELECT $1, u.kind, u.state, u.month, u.id, u.owner, u.parent, u.root, u.scopes::int[], u.entered::bigint[],
	       u.fields::json, u.meta, u.seq
	  FROM unnest($2::smallint[], $3::smallint[], $4::smallint[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[],
	              $9::text[], $10::text[], $11::text[], $12::bytea[], $13::bigint[])
	       u(kind, state, month, id, owner, parent, root, scopes, entered, fields, meta, seq)`)

// An edit that moves nothing rewrites only what every edit changes.
var recordsEdit = pg.Statement("records_edit", `
	UPDATE records r
	   SET fields = u.fields::json, meta = u.meta, seq = u.seq
	  FROM (SELECT $1::int AS org, u.*
	          FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bigint[]) u(id, fields, meta, seq)
	        OFFSET 0) u
	 WHERE r.org = u.org AND r.id = u.id`)

var recordsMove = pg.Statement("records_move", `
	UPDATE records r
	   SET state = u.state, month = u.month, owner = u.owner, parent = u.parent, root = u.root,
	       scopes = u.scopes::int[], entered = u.entered::bigint[], fields = u.fields::json, meta = u.meta, seq = u.seq
	  FROM (SELECT $1::int AS org, u.*
	          FROM unnest($2::smallint[], $3::smallint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[],
	                      $8::text[], $9::text[], $10::text[], $11::bytea[], $12::bigint[])
	               u(state, month, id, owner, parent, root, scopes, entered, fields, meta, seq)
	        OFFSET 0) u
	 WHERE r.org = u.org AND r.id = u.id`)

// columns gathers records for one of the statements above.
type columns struct {
	kind, state, month      []int16
	id, owner               [][16]byte
	parent, root            []*[16]byte
	scopes, entered, fields texts
	meta                    [][]byte
	seq                     []int64
}

func columnsOf(recs []*record.Record) *columns {
	n := len(recs)
	c := &columns{
		kind: make([]int16, 0, n), state: make([]int16, 0, n), month: make([]int16, 0, n),
		id: make([][16]byte, 0, n), owner: make([][16]byte, 0, n), parent: make([]*[16]byte, 0, n), root: make([]*[16]byte, 0, n),
		scopes: make(texts, 0, n), entered: make(texts, 0, n), fields: make(texts, 0, n), meta: make([][]byte, 0, n), seq: make([]int64, 0, n),
	}
	for _, r := range recs {
		c.add(r)
	}
	return c
}

func (c *columns) add(r *record.Record) {
	c.kind = append(c.kind, r.Kind.No)
	c.state = append(c.state, int16(r.State))
	c.month = append(c.month, int16(r.Month))
	c.id = append(c.id, r.ID)
	c.owner = append(c.owner, r.Owner)
	c.parent = append(c.parent, null(r.Parent))
	c.root = append(c.root, null(r.Root))
	c.scopes = append(c.scopes, array(r.Scopes))
	c.entered = append(c.entered, array(r.Entered))
	c.fields = append(c.fields, r.Pack())
	c.meta = append(c.meta, r.AppendMeta(make([]byte, 0, 96)))
	c.seq = append(c.seq, int64(r.Seq))
}

// array writes numbers as SQL writes an array, because unnest takes no arrays
// of arrays of different length.
func array[T ~int32 | ~int64](ns []T) []byte {
	b := make([]byte, 0, 2+8*len(ns))
	b = append(b, '{')
	for i, n := range ns {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendInt(b, int64(n))
	}
	return append(b, '}')
}

// Dirty is a record that a commit changed: as it was loaded, nil if new, and
// as it is now.
type Dirty struct {
	Was, Now *record.Record
	// Left is the seq at which it last left a scope.
	Left record.Seq
}

// moved reports whether more than fields and metadata changed.
func (d Dirty) moved() bool {
	w, n := d.Was, d.Now
	return w.State != n.State || w.Month != n.Month || w.Owner != n.Owner || w.Parent != n.Parent ||
		w.Root != n.Root || !slices.Equal(w.Scopes, n.Scopes) || !slices.Equal(w.Entered, n.Entered)
}

func queueRecords(b *batch, org record.OrgID, dirty []Dirty) {
	var news, moves, edits []*record.Record
	for _, d := range dirty {
		switch {
		case d.Was == nil:
			news = append(news, d.Now)
		case d.moved():
			moves = append(moves, d.Now)
		default:
			edits = append(edits, d.Now)
		}
	}
	fresh, moved, edited := columnsOf(news), columnsOf(moves), columnsOf(edits)
	if c := edited; len(c.id) > 0 {
		b.Queue(recordsEdit, org, c.id, c.fields, c.meta, c.seq)
	}
	if c := moved; len(c.id) > 0 {
		b.Queue(recordsMove, org, c.state, c.month, c.id, c.owner, c.parent, c.root, c.scopes, c.entered,
			c.fields, c.meta, c.seq)
	}
	if c := fresh; len(c.id) > 0 {
		b.Queue(recordsInsert, org, c.kind, c.state, c.month, c.id, c.owner, c.parent, c.root, c.scopes,
			c.entered, c.fields, c.meta, c.seq)
	}
}
