package sync

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"roadbook/access"
	"roadbook/record"
	"roadbook/store"
)

// mend writes anew what follows from some records, as one row of the log. What
// is wrong is worked out again under the lock: it may have become right.
func (e *Engine) mend(ctx context.Context, org record.OrgID, cures []*cure) error {
	return e.submit(ctx, org, &job{who: access.Caller{Org: org}, run: func(w *work) error {
		seq := w.next()
		for _, c := range cures {
			if err := w.mend(c, seq); err != nil {
				return err
			}
		}
		w.logMend(seq, "records", len(cures))
		return nil
	}})
}

// logMend says in the log that the server has mended something.
func (w *work) logMend(seq record.Seq, what string, n int) {
	w.logOwn(seq, `[{"op":"mend","set":{"`+what+`":`+strconv.Itoa(n)+`}}]`)
}

func (w *work) mend(c *cure, seq record.Seq) error {
	m := store.Mended{ID: c.id, Out: c.out, Dead: c.dead}
	rec, err := w.reread(c.id)
	if err != nil {
		return err
	}
	if rec != nil {
		now, err := w.placed(rec, c.enter || straight(rec) != rec, seq)
		switch {
		case errors.Is(err, errPlace):
			return nil // which was said of it
		case err != nil:
			return err
		case !sameColumns(rec, now):
			w.put(now)
		}
		m.Now = now
		m.Out = nil
		for _, out := range c.out {
			if _, in := now.In(out.Scope); !in || now.Kind.Rank != out.Rank {
				m.Out = append(m.Out, out)
			}
		}
	}
	for _, gone := range c.gone {
		if m.Now != nil {
			if _, in := m.Now.In(gone.Scope); in {
				continue
			}
		}
		gone.Seq = seq
		m.Gone = append(m.Gone, gone)
	}
	w.mended = append(w.mended, m)
	return nil
}

// reread loads a record as it lies in the database, whatever is remembered.
func (w *work) reread(id record.ID) (*record.Record, error) {
	if w.records[id] != w.was[id] {
		return w.records[id], nil // changed in this very transaction
	}
	rows, err := w.tx.Records(w.ctx, []record.ID{id})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	rec, err := rows[0].Record(w.schema)
	if err != nil {
		return nil, err
	}
	was := straight(rec)
	w.records[id], w.was[id] = was, was
	return rec, nil
}

// placed is a record with all that follows from its fields. With enter it comes
// anew into all its scopes, so that every device meets it again, in full.
func (w *work) placed(rec *record.Record, enterAll bool, seq record.Seq) (*record.Record, error) {
	f, err := followsFrom(rec, w.record, w.namesOf)
	if err != nil {
		return nil, err
	}
	now := straight(rec).Clone()
	now.Owner, now.Parent, now.Root, now.Month = f.owner, f.parent, f.root, f.month
	var want []record.ScopeID
	if now.State == record.Live {
		if want, err = w.scopeIDs(f.names); err != nil {
			return nil, err
		}
	}
	if enter(now, want, seq) {
		w.left[now.ID] = seq
	}
	if enterAll {
		for k := range now.Entered {
			now.Entered[k] = seq
		}
	}
	return now, nil
}

// sameColumns reports whether nothing that follows from the fields is other.
func sameColumns(a, b *record.Record) bool {
	return a.Owner == b.Owner && a.Parent == b.Parent && a.Root == b.Root && a.Month == b.Month &&
		slices.Equal(a.Scopes, b.Scopes) && slices.Equal(a.Entered, b.Entered)
}
