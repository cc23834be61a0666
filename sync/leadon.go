package sync

import (
	"roadbook/record"
	"roadbook/record/field"
	"roadbook/store"
	"roadbook/sync/history"
)

// leadOn makes what refers to a record refer to what it goes on as, up to a
// thousand references in one row of the log, and reports whether there was any.
// A reference remembers what it was typed to, and what it should be is worked
// out from that and from how the redirects stand now. So the same pass follows a
// merge and an undone one, and may be repeated, interrupted and overtaken like
// that of scopes.
func (w *work) leadOn(top store.Rescope, above *record.Record, below []*record.Record) (bool, error) {
	if above.Kind.Match == nil || w.schema.Kind(redirectKind) == nil {
		return false, nil
	}
	all, err := w.referring(above)
	if err != nil {
		return false, err
	}
	for _, rec := range below {
		if rec.Parent == top.Rec {
			all = append(all, rec)
		}
	}
	seq := w.head.Seq + 1
	var edits []history.Edit
	for _, rec := range distinct(all) {
		e, err := w.leadRecord(rec, above.Kind, seq)
		if err != nil {
			return false, err
		}
		if e != nil {
			edits = append(edits, *e)
		}
		if len(edits) == w.e.rescopeAtOnce {
			break
		}
	}
	if len(edits) > 0 {
		w.logOwn(w.next(), string(history.Text(edits)))
	}
	return len(edits) > 0, nil
}

// maxReferring is how many records that refer to one otherwise than as what they
// belong to are found at once.
const maxReferring = 1000

// referring are the records that refer to one otherwise than as what they belong
// to, as far as such a field is looked up by.
func (w *work) referring(to *record.Record) (all []*record.Record, err error) {
	for _, kind := range w.schema.Kinds {
		for _, f := range kind.Lookups() {
			if f.To != to.Kind.Name || f.Policy == record.Set {
				continue
			}
			key, err := field.Key(f.Type, quoteID(to.ID))
			if err != nil {
				return nil, err
			}
			found, err := w.tx.Alike(w.ctx, kind.LookupNo(f), []string{key}, maxReferring)
			if err != nil {
				return nil, err
			}
			for _, id := range found[key] {
				rec, err := w.record(id)
				if err != nil {
					return nil, err
				}
				all = append(all, rec)
			}
		}
	}
	return all, nil
}

// leadRecord leads the references of one record on to what they should be, nil
// if they are.
func (w *work) leadRecord(rec *record.Record, kind *record.Kind, seq record.Seq) (*history.Edit, error) {
	e := &record.Edit{Op: record.OpEdit, Kind: rec.Kind.Name, ID: rec.ID}
	body := &history.Edit{Edit: e, P: rec.Seq, Server: true}
	now := rec.Clone()
	for _, f := range rec.Kind.Fields {
		slot := now.Slot(f.Name)
		if slot == nil || f.Policy == record.Set || f.To != kind.Name && f.Name != rec.Kind.Parent || record.IsNull(slot.Raw) {
			continue
		}
		typed := typedTo(slot)
		to, err := w.heir(typed, w.record)
		if err != nil {
			return nil, err
		}
		if to == now.Ref(f.Name) {
			continue
		}
		body.Was = append(body.Was, record.Value{Field: f.Name, Raw: slot.Raw})
		slot.Raw, slot.By.Seq = quoteID(to), seq
		setTyped(slot, typed)
		e.Set = append(e.Set, record.Value{Field: f.Name, Raw: slot.Raw})
		if f.Name == rec.Kind.Parent {
			w.rescope = append(w.rescope, store.Rescope{Rec: to, Seq: seq}) // what hangs below this one follows it
		}
	}
	if len(e.Set) == 0 {
		return nil, nil //nolint:nilnil // there is nothing to change
	}
	now.Seq = seq
	return body, w.rehang(now, seq)
}

// rehang puts a record where its fields say that it belongs.
func (w *work) rehang(now *record.Record, seq record.Seq) error {
	find := func(id record.ID) (*record.Record, error) {
		if id == now.ID {
			return now, nil
		}
		return w.record(id)
	}
	f, err := followsFrom(now, find, w.namesOf)
	if err != nil {
		return err
	}
	now.Parent, now.Root = f.parent, f.root
	var want []record.ScopeID
	if now.State == record.Live {
		if want, err = w.scopeIDs(f.names); err != nil {
			return err
		}
	}
	if enter(now, want, seq) {
		w.left[now.ID] = seq
	}
	w.put(now)
	return nil
}
