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
	                        AND (r.fields->>$4) IS NOT DISTINCT FROM $5 OFFSET 0) r
	 WHERE r.id > $6
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

var recordsSubtree = pg.Statement("records_subtree", `
	WITH RECURSIVE tree AS (
	     SELECT c.id, c.root FROM records c WHERE c.org = $1 AND c.parent = $2
	      UNION
	     SELECT c.id, c.root FROM tree t
	      CROSS JOIN LATERAL (SELECT * FROM records c WHERE c.org = $1 AND c.parent = t.id OFFSET 0) c)
	SELECT`+recordColumns+`
	  FROM tree t
	 CROSS JOIN LATERAL (SELECT * FROM records r WHERE r.org = $1 AND r.id = t.id OFFSET 0) r
	 ORDER BY r.id`)

// Subtree loads the records below one, however deep, tombstones too: one that
// is restored later must know its root.
func (tx Tx) Subtree(ctx context.Context, top record.ID) ([]Row, error) {
	return collect(ctx, tx, "subtree", recordsSubtree, scanRow, tx.Org, [16]byte(top))
}
