package sync

import (
	"roadbook/record"
	"roadbook/sync/history"
)

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
