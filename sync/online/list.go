package online

import (
	"context"
	"strings"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/query"
	"roadbook/record"
	"roadbook/sync"
)

// List reads a part of the records of a kind: those that the caller may see by
// what he holds now, the newest first unless he asks for another order.
func (s *Service) List(ctx context.Context, who access.Caller, q Query) (out Page, err error) {
	err = s.engine.Look(ctx, who, func(v sync.Sight) error {
		out, err = s.list(ctx, v, q)
		return err
	})
	return out, err
}

func (s *Service) list(ctx context.Context, v sync.Sight, q Query) (Page, error) {
	kind := v.Schema.Kind(q.Kind)
	if kind == nil || !v.Actor.Reads(kind) {
		return Page{}, errs.New("online.List", errs.Missing, "there is no such kind of record, or not for you").Coded("missing")
	}
	page, err := query.Run(ctx, v.Tx, v.Actor, query.Request{
		Kind: kind, Filter: q.Filter, Sort: q.Sort, Limit: q.Limit, After: q.After, Key: s.key,
		Gather: s.gather, Walk: s.walk,
	})
	if err != nil {
		return Page{}, err
	}
	out := Page{Records: make([]Record, 0, len(page.Rows)), After: page.After}
	hidden := v.Actor.Hidden(kind)
	for i := range page.Rows {
		rec, err := cutRow(kind, hidden, &page.Rows[i])
		if err != nil {
			return Page{}, err
		}
		out.Records = append(out.Records, rec)
	}
	return out, nil
}

// cutRow cuts a row's fields and leaves out what is hidden.
func cutRow(kind *record.Kind, hidden map[string]bool, row *query.Row) (Record, error) {
	values, err := record.ParseValues(row.Fields)
	if err != nil {
		return Record{}, err
	}
	shown := values[:0]
	for _, v := range values {
		base, _, _ := strings.Cut(v.Field, ".")
		if !hidden[base] {
			shown = append(shown, v)
		}
	}
	return Record{Kind: kind.Name, ID: row.ID, Seq: row.Seq, Values: shown}, nil
}
