package sync

import (
	"cmp"
	"slices"

	"roadbook/record"
	"roadbook/record/field"
	"roadbook/store"
	"roadbook/sync/history"
)

// What refers to a record that was merged away is made to refer to what that
// goes on as, a page of a re-scoping at a time. A reference remembers what it was
// typed to, and what it should be is worked out from that and from how the
// redirects stand now. So the same pass follows a merge and an undone one, and
// may be repeated, interrupted and overtaken like that of scopes.

// leadsOn reports whether references to a record may have to be led on.
func (w *work) leadsOn(id record.ID) bool {
	rec := w.records[id]
	return rec != nil && rec.Kind.Match != nil && w.schema.Kind(redirectKind) != nil
}

// leadAll leads the references of some records on, in one row of the log, and
// says of which there were any to lead.
func (w *work) leadAll(top store.Rescope, recs []*record.Record) (led map[record.ID]bool, err error) {
	to, seq := w.records[top.Rec].Kind, w.head.Seq+1
	led = map[record.ID]bool{}
	var edits []history.Edit
	for _, rec := range recs {
		e, err := w.leadRecord(rec, to, seq)
		if err != nil {
			return nil, err
		}
		if e != nil {
			led[rec.ID], edits = true, append(edits, *e)
		}
	}
	if len(edits) > 0 {
		w.logOwn(w.next(), string(history.Text(edits)))
	}
	return led, nil
}

// leadReferring leads on up to so many of the records that refer to one otherwise
// than as what they belong to, as far as such a field is looked up by. Where
// there may be more it says so, and the re-scoping remembers how far it has come.
func (w *work) leadReferring(top *store.Rescope, room int) (more bool, err error) {
	to := w.records[top.Rec].Kind
	key, err := field.Key("reference", quoteID(top.Rec))
	if err != nil {
		return false, err
	}
	for _, no := range w.referringFields(to) {
		if no < top.Field {
			continue
		}
		if no > top.Field {
			top.Field, top.After = no, record.NoID
		}
		ids, err := w.tx.LookedUp(w.ctx, no, key, top.After, room)
		if err != nil {
			return false, err
		}
		if err := w.leadThese(*top, ids); err != nil {
			return false, err
		}
		if room -= len(ids); room == 0 {
			top.After = ids[len(ids)-1]
			return true, nil
		}
	}
	return false, nil
}

// referringFields are the numbers of the look-up fields that refer to a kind.
func (w *work) referringFields(to *record.Kind) (all []int16) {
	for _, kind := range w.schema.Kinds {
		for _, f := range kind.Lookups() {
			if f.To == to.Name && f.Policy != record.Set {
				all = append(all, kind.LookupNo(f))
			}
		}
	}
	slices.SortFunc(all, cmp.Compare[int16])
	return all
}

func (w *work) leadThese(top store.Rescope, ids []record.ID) error {
	recs := make(map[record.ID]bool, len(ids))
	for _, id := range ids {
		recs[id] = true
	}
	if err := w.loadRecords(recs); err != nil {
		return err
	}
	var all []*record.Record
	for _, id := range ids {
		if rec := w.records[id]; rec != nil {
			all = append(all, rec)
		}
	}
	led, err := w.leadAll(top, all)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(rec *record.Record) bool { return !led[rec.ID] || w.records[rec.ID].Parent == rec.Parent })
	return w.askBelow(all, func(*record.Record) store.Rescope { return top })
}
