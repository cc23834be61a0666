package sync

import (
	"context"
	"time"

	"roadbook/access"
	"roadbook/record"
	"roadbook/store"
	"roadbook/version"
)

// DecideWithin is how long a conflict waits for a person. Then what stands goes
// on standing: the later value, both texts with their marks, the row that was
// edited, the step from before. Nothing is written but the conflict, so who was
// away longer and decides after all is still heard.
const DecideWithin = 7 * 24 * time.Hour

// overdueAtOnce is how many conflicts a step looks at and closes.
const overdueAtOnce = 100

// ExpireConflicts closes the conflicts that nobody has decided in time, in the
// name of the server, and reports how many.
func (e *Engine) ExpireConflicts(ctx context.Context, org record.OrgID) (closed int, err error) {
	for after, more := record.NoID, true; more && err == nil; {
		var late []record.ID
		if late, after, err = e.overdue(ctx, org, after); err != nil {
			return closed, err
		}
		more = !after.IsZero()
		if len(late) == 0 {
			continue
		}
		n := 0
		err = e.submit(ctx, org, &job{who: access.Caller{Org: org}, run: func(w *work) (err error) {
			n, err = w.expireConflicts(late) // a transaction may be run again
			return err
		}})
		closed += n
	}
	return closed, err
}

// overdue finds those among the next open conflicts that have waited for too
// long, and where to go on, nowhere at the end.
func (e *Engine) overdue(ctx context.Context, org record.OrgID, after record.ID) (late []record.ID, next record.ID, err error) {
	err = e.Store.Snapshot(ctx, org, func(tx store.Tx, head store.Head) error {
		schema, err := e.schema(ctx, org, tx, head.Schema)
		if err != nil {
			return err
		}
		kind := schema.Kind(conflictKind)
		if kind == nil || kind.Field("state") == nil || kind.Field("state").Lookup == 0 {
			return nil
		}
		ids, err := tx.LookedUp(ctx, kind.LookupNo(kind.Field("state")), "open", after, overdueAtOnce)
		if err != nil {
			return err
		}
		if len(ids) == overdueAtOnce {
			next = ids[len(ids)-1]
		}
		rows, err := tx.Records(ctx, ids)
		if err != nil {
			return err
		}
		for i := range rows {
			rec, err := rows[i].Record(schema)
			if err != nil {
				return err
			}
			if isLate(rec, e.Now()) {
				late = append(late, rec.ID)
			}
		}
		return nil
	})
	return late, next, err
}

func isLate(asked *record.Record, now time.Time) bool {
	at, err := time.Parse(time.RFC3339, asked.Text("created_at"))
	return err == nil && isOpen(asked) && !now.Before(at.Add(DecideWithin))
}

// expireConflicts closes those that are still open, each as a mutation of the
// server's own.
func (w *work) expireConflicts(late []record.ID) (closed int, err error) {
	writer := w.writers[w.head.Server]
	for _, id := range late {
		asked, err := w.record(id)
		if err != nil {
			return closed, err
		}
		if asked == nil || !isLate(asked, w.now) {
			continue
		}
		set := record.Values{{Field: "state", Raw: quote("expired")}}
		if asked.Kind.Field("decided_at") != nil {
			set = append(set, record.Value{Field: "decided_at", Raw: instant(w.now.UnixMilli())})
		}
		m := &record.Mutation{N: writer.N + 1, ID: w.rowID(writer), Stamp: version.StampAt(w.now), Edits: []record.Edit{{
			Op: record.OpEdit, Kind: conflictKind, ID: id, Seen: version.Vector{version.Log: uint64(w.start)}, Set: set,
		}}}
		if _, err := w.settle(writer, m, record.NoID); err != nil {
			return closed, err
		}
		closed++
	}
	return closed, nil
}
