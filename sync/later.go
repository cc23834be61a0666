package sync

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
)

// Resume finishes what a stopped server has left, for every org: the moves of
// subtrees, and the look-up rows of records.
func (e *Engine) Resume(ctx context.Context) error {
	orgs, err := e.Store.Rescoping(ctx)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		for more := true; more; {
			if more, err = e.RescopeChunk(ctx, org); err != nil {
				return err
			}
		}
	}
	return e.resumeLookups(ctx)
}

// reindexAtOnce is how many records get their look-up rows in one transaction:
// enough to be quick, few enough not to hold up a push.
const reindexAtOnce = 1000

// otherLookups are the kinds that a schema looks up otherwise than the one
// before. An org's first schema comes before its first record.
func otherLookups(was, now *record.Schema) (kinds []int16) {
	if len(was.Kinds) == 0 {
		return nil
	}
	for _, k := range now.Kinds {
		if old := was.KindNo(k.No); old != nil && lookupsOf(old) != lookupsOf(k) {
			kinds = append(kinds, k.No)
		}
	}
	return kinds
}

func lookupsOf(k *record.Kind) string {
	var b strings.Builder
	for _, f := range k.Lookups() {
		fmt.Fprintln(&b, f.Lookup, f.Name, f.Type, f.Policy)
	}
	if k.Match != nil {
		rules, _ := json.Marshal(k.Match) // of texts alone, which can be written
		b.Write(rules)
	}
	return b.String()
}

// reindex makes the look-up rows that a schema asks for, chunk by chunk.
func (e *Engine) reindex(ctx context.Context, org record.OrgID) error {
	schema := func(tx store.Tx, head store.Head) (*record.Schema, error) {
		return e.schema(ctx, tx.Org, tx, head.Schema)
	}
	for more := true; more; {
		var err error
		if more, err = e.Store.Reindex(ctx, org, schema, cmp.Or(e.AtOnce, e.reindexAtOnce)); err != nil {
			return fmt.Errorf("look-up rows of org %d: %w", org, err)
		}
	}
	return nil
}

// resumeLookups goes on where a stopped server was interrupted, and gives the
// shipped look-up fields to orgs from before there were any.
func (e *Engine) resumeLookups(ctx context.Context) error {
	unfinished, err := e.Store.ReindexingOrgs(ctx)
	if err != nil {
		return err
	}
	for _, org := range unfinished {
		if err := e.reindex(ctx, org); err != nil {
			return err
		}
	}
	orgs, err := e.Store.Orgs(ctx)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		if err := e.adoptLookups(ctx, org); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) adoptLookups(ctx context.Context, org record.OrgID) error {
	var adopted *record.Schema
	err := e.Store.Snapshot(ctx, org, func(tx store.Tx, head store.Head) error {
		schema, err := e.schema(ctx, tx.Org, tx, head.Schema)
		if err != nil {
			return err
		}
		if adopted, err = shipped.WithLookups(schema); err != nil {
			return err
		}
		more, err := shipped.WithDuplicates(cmp.Or(adopted, schema))
		adopted = cmp.Or(more, adopted)
		return err
	})
	if err != nil || adopted == nil {
		return err
	}
	return e.Publish(ctx, org, adopted)
}
