package sync

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"roadbook/access"
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

// resumeLookups goes on where a stopped server was interrupted, and gives what
// has come into the standard schema to orgs from before.
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
	return e.RenewSchemas(ctx, false)
}

// RenewSchemas gives all orgs what has come into the standard schema since they began.
// alone says that no server of an older release is left, which could not read
// all of it.
func (e *Engine) RenewSchemas(ctx context.Context, alone bool) error {
	orgs, err := e.Store.Orgs(ctx)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		if err := e.renew(ctx, org, alone); err != nil {
			return err
		}
	}
	return nil
}

// renew puts into force what has come into the standard schema since an org got
// its own. Whether there is anything is looked at first, because mostly there is
// not; what it is, is worked out where commits of the org queue, so that several
// servers that start at once do it once.
func (e *Engine) renew(ctx context.Context, org record.OrgID, alone bool) error {
	var renewed *record.Schema
	err := e.Store.Snapshot(ctx, org, func(tx store.Tx, head store.Head) error {
		schema, err := e.schema(ctx, tx.Org, tx, head.Schema)
		if err == nil {
			renewed, err = shipped.Renewed(schema, alone)
		}
		return err
	})
	if err != nil || renewed == nil {
		return err
	}
	err = e.submit(ctx, org, &job{who: access.Caller{Org: org}, run: func(w *work) error {
		renewed, err := shipped.Renewed(w.schema, alone)
		if err != nil || renewed == nil {
			return err
		}
		return w.setSchema(renewed)
	}})
	if err != nil {
		return fmt.Errorf("the schema of org %d: %w", org, err)
	}
	return e.reindex(ctx, org)
}
