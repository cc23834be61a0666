package store

import (
	"context"

	"roadbook/record"
	"roadbook/store/pg"
)

var recordsChildren = pg.Statement("records_children", `
	SELECT`+recordColumns+`
	  FROM unnest($2::uuid[]) u(parent)
	 CROSS JOIN LATERAL (SELECT * FROM records r
	                      WHERE r.org = $1 AND r.parent = u.parent AND r.state = 0 AND r.kind <> ALL($3::smallint[]) OFFSET 0) r
	 LIMIT $4`)

// Children loads the live records under some parents, but not those of some
// kinds.
func (tx Tx) Children(ctx context.Context, parents []record.ID, but []int16, limit int) ([]Row, error) {
	if len(parents) == 0 {
		return nil, nil
	}
	return collect(ctx, tx, "children", recordsChildren, scanRow, tx.Org, raw(parents), but, limit)
}

var recordsChildrenOf = pg.Statement("records_children_of", `
	SELECT`+recordColumns+`
	  FROM unnest($2::uuid[]) u(parent)
	 CROSS JOIN LATERAL (SELECT * FROM records r WHERE r.org = $1 AND r.parent = u.parent AND r.state = 0 AND r.kind = $3 OFFSET 0) r
	 LIMIT $4`)

// ChildrenOf loads those that are of one kind.
func (tx Tx) ChildrenOf(ctx context.Context, parents []record.ID, kind *record.Kind, limit int) ([]Row, error) {
	if len(parents) == 0 {
		return nil, nil
	}
	return collect(ctx, tx, "children of a kind", recordsChildrenOf, scanRow, tx.Org, raw(parents), kind.No, limit)
}

var recordsOpenBelow = pg.Statement("records_open_below", `
	SELECT`+recordColumns+`
	  FROM unnest($2::uuid[]) u(parent)
	 CROSS JOIN LATERAL (SELECT * FROM records r
	                      WHERE r.org = $1 AND r.parent = u.parent AND r.state = 0 AND r.kind = $3
	                        AND (r.fields->>$4) IS NOT DISTINCT FROM $5 AND r.id > $6 OFFSET 0) r
	 ORDER BY r.id
	 LIMIT $7`)

// Open is what tells records of a kind that are not yet done with from those
// that are: a field that has this text, nil for none.
type Open struct {
	Kind  int16
	Field string
	Text  *string
}

// OpenBelow loads the live records of a kind under some parents that are not yet
// done with, in the order of their ids and from behind one on.
func (tx Tx) OpenBelow(ctx context.Context, parents []record.ID, open Open, after record.ID, limit int) ([]Row, error) {
	if len(parents) == 0 {
		return nil, nil
	}
	return collect(ctx, tx, "what is open", recordsOpenBelow, scanRow,
		tx.Org, raw(parents), open.Kind, open.Field, open.Text, [16]byte(after), limit)
}

var recordsBelow = pg.Statement("records_below", `
	SELECT`+recordColumns+`
	  FROM unnest($2::uuid[], $3::uuid[]) u(parent, after)
	 CROSS JOIN LATERAL (SELECT *
	                       FROM records r
	                      WHERE r.org = $1 AND r.parent = u.parent AND r.id > u.after
	                      ORDER BY r.id
	                      LIMIT $4 OFFSET 0) r
	 LIMIT $4`)

// Below loads what hangs directly under some records, each from behind a place
// of its own on and in the order of ids. Tombstones too: one that is restored
// later must know its root. Where there are as many as the limit there may be
// more under any of them.
func (tx Tx) Below(ctx context.Context, tops []Rescope, limit int) ([]Row, error) {
	if len(tops) == 0 {
		return nil, nil
	}
	parents, after := make([][16]byte, len(tops)), make([][16]byte, len(tops))
	for i, t := range tops {
		parents[i], after[i] = t.Rec, t.After
	}
	return collect(ctx, tx, "what is below", recordsBelow, scanRow, tx.Org, parents, after, limit)
}

var recordsParents = pg.Statement("records_parents", `
	SELECT u.id
	  FROM unnest($2::uuid[]) u(id)
	 CROSS JOIN LATERAL (SELECT r.id FROM records r WHERE r.org = $1 AND r.parent = u.id LIMIT 1 OFFSET 0) r`)

// Parents are those of some records that something hangs under.
func (tx Tx) Parents(ctx context.Context, ids []record.ID) ([]record.ID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return collect(ctx, tx, "parents", recordsParents, scanID, tx.Org, raw(ids))
}
