package sync

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
)

// rescopeAtOnce is how many records of a subtree move in one transaction:
// enough to be quick, few enough not to hold up a push.
const rescopeAtOnce = 1000

// RescopeChunk works out anew the scopes of up to a thousand records below one
// that changed its owner, its collaborators or its parent, and reports whether
// there is more to do. It compares with what is right now instead of moving
// from one to another, so it may be repeated, interrupted and overtaken.
func (e *Engine) RescopeChunk(ctx context.Context, org record.OrgID) (more bool, err error) {
	turn := e.Store.Turn(org, nil, nil)
	defer turn.End(ctx)
	w, err := e.begin(ctx, turn, newMemory(0), true)
	if err != nil {
		return false, err
	}
	next, found, err := w.tx.NextRescope(ctx)
	if err != nil || !found {
		return false, err
	}
	done, err := w.moveSubtree(next)
	if err != nil {
		return false, err
	}
	if done {
		w.rescoped = append(w.rescoped, next)
	}
	sealed, err := w.end()
	if err != nil || sealed == nil {
		return true, err
	}
	return true, turn.Send(ctx, sealed)
}

// moveSubtree moves what is not where it belongs; done means that nothing is
// left.
func (w *work) moveSubtree(top store.Rescope) (done bool, err error) {
	rows, err := w.tx.Subtree(w.ctx, top.Rec)
	if err != nil {
		return false, err
	}
	above, err := w.record(top.Rec)
	if err != nil || above == nil {
		return true, err
	}
	below, err := w.adopt(rows)
	if err != nil {
		return false, err
	}
	if led, err := w.leadOn(top, above, below); led || err != nil {
		return false, err
	}
	root, err := w.record(above.Root)
	if err != nil {
		return false, err
	}
	moved := 0
	for _, rec := range append(below, above) { // that one is right, but for what an older server has left
		var want []record.ScopeID
		if rec.State == record.Live {
			names, err := w.namesOf(rec, root)
			if err != nil {
				return false, err
			}
			if want, err = w.scopeIDs(names); err != nil {
				return false, err
			}
		}
		if slices.Equal(want, rec.Scopes) && rec.Root == above.Root {
			continue
		}
		if moved == w.e.rescopeAtOnce {
			w.logMove(top)
			return false, nil
		}
		moved++
		now := rec.Clone()
		now.Root = above.Root
		if enter(now, want, w.head.Seq+1) {
			w.left[rec.ID] = w.head.Seq + 1
		}
		w.put(now)
	}
	if moved > 0 {
		w.logMove(top)
	}
	return true, nil
}

// logMove writes the one row of the log that a chunk takes.
func (w *work) logMove(top store.Rescope) {
	w.logOwn(w.next(), `[{"op":"rescope","id":"`+top.Rec.String()+`","at":"`+strconv.FormatInt(int64(top.Seq), 10)+`"}]`)
}

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
