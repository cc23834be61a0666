package sync

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/history"
)

// strays looks at the small tables beside the records: what is parked and what
// it waits for, what was never created, subtrees that have to follow, and what
// devices are shown.
func (i *inspection) strays() error {
	var found []store.Stray
	var waitless []record.Seq
	err := i.e.Store.Snapshot(i.ctx, i.org, func(tx store.Tx, _ store.Head) (err error) {
		if found, err = tx.Strays(i.ctx); err == nil {
			waitless, err = tx.Waitless(i.ctx)
		}
		return err
	})
	if err != nil {
		return err
	}
	if i.mend && len(found)+len(waitless)+len(i.lost) > 0 {
		if err := i.mendStrays(waitless); err != nil {
			return err
		}
	}
	for _, f := range found {
		i.tell(Finding{What: Wrong(f.Table), Text: f.What + " " + f.Why, Mended: i.mend && f.Curable})
	}
	for _, seq := range waitless {
		i.tell(Finding{What: WrongParked, Text: fmt.Sprintf("row %d is parked and waits for nothing", seq), Mended: i.mend})
	}
	for _, o := range i.lost {
		i.tell(Finding{
			What: WrongOrphans, Mended: i.mend,
			Text: fmt.Sprintf("row %d would have created %s and was refused, and what depends on that is not told so", o.Seq, o.Rec),
		})
	}
	return nil
}

// mendStrays puts right what can be.
func (i *inspection) mendStrays(waitless []record.Seq) error {
	var waits []store.Waits
	for _, seq := range waitless {
		names, err := i.e.waitAgain(i.ctx, i.org, seq)
		if err != nil {
			return err
		}
		waits = append(waits, store.Waits{Seq: seq, For: names})
	}
	return i.e.Store.MendStrays(i.ctx, i.org, waits, i.lost)
}

// waitAgain tries what is parked, and says what it waits for from now on.
func (e *Engine) waitAgain(ctx context.Context, org record.OrgID, seq record.Seq) (waits []record.ID, err error) {
	err = e.submit(ctx, org, &job{who: access.Caller{Org: org}, run: func(w *work) error {
		s, err := w.openParked(seq)
		if err != nil || s == nil {
			return err
		}
		waits = s.named()
		if err := w.tryParked(seq); err != nil {
			return err
		}
		if slices.ContainsFunc(w.settled, func(is store.Settled) bool { return is.Parked == seq }) {
			waits = nil
		}
		return nil
	}})
	return waits, err
}

// lostCreates compares what refused rows of the log would have created with what
// is kept of that. What exists after all needs nothing.
func (i *inspection) lostCreates(tx store.Tx, head store.Head, rows []store.Linked) ([]store.Orphan, error) {
	var lost []store.Orphan
	var ids []record.ID
	for k := range rows {
		if e := &rows[k].Entry; e.Result == record.Refused && e.Seq > head.Horizon {
			for _, id := range neverCreated(e) {
				lost, ids = append(lost, store.Orphan{Rec: id, Seq: e.Seq}), append(ids, id)
			}
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	known, err := tx.Orphans(i.ctx, ids)
	if err != nil {
		return nil, err
	}
	there, err := tx.Records(i.ctx, ids)
	for k := range there {
		known[there[k].ID] = true
	}
	return slices.DeleteFunc(lost, func(o store.Orphan) bool { return known[o.Rec] }), err
}

// neverCreated are the records that a refused mutation would have created. Not
// those of one that was refused because such a record is there or has been, and
// not of one that had waited.
func neverCreated(e *store.Entry) (ids []record.ID) {
	var keep history.Verdict
	var edits []record.Edit
	if json.Unmarshal(e.Outcome, &keep) != nil || json.Unmarshal(e.Body, &edits) != nil {
		return nil // which is told of where rows are compared with their hashes
	}
	if keep.As != nil || keep.Refusal != nil && keep.Refusal.Kind == errs.Clash {
		return nil
	}
	for i := range edits {
		if edits[i].Op == record.OpCreate {
			ids = append(ids, edits[i].ID)
		}
	}
	return ids
}
