package device

import (
	"encoding/json"
	"slices"

	"roadbook/errs"
	"roadbook/record"
)

// Amendment is a refused mutation in the hands of its author, who mends it.
type Amendment struct {
	edits []record.Edit
	err   error
}

// Set gives a field of a record of the mutation another value; nil clears it.
func (a *Amendment) Set(id record.ID, field string, value any) {
	raw, err := encode(value)
	if err != nil {
		a.err = errs.New("device.Resend", errs.Invalid, "the value of %s cannot be written down", field).Coded("value")
		return
	}
	last := -1
	for i := range a.edits {
		e := &a.edits[i]
		if e.ID != id || e.Op != record.OpCreate && e.Op != record.OpEdit {
			continue
		}
		last = i
		if e.Set.Get(field) != nil {
			e.Set = e.Set.With(field, raw)
			return
		}
	}
	if last < 0 {
		a.err = errs.New("device.Resend", errs.Missing, "this change has nothing to do with that record").Coded("missing")
		return
	}
	a.edits[last].Set = a.edits[last].Set.With(field, raw)
}

// Drop takes a field out of the mutation, however it was to change.
func (a *Amendment) Drop(id record.ID, field string) {
	for i := range a.edits {
		e := &a.edits[i]
		if e.ID != id {
			continue
		}
		for _, values := range []*record.Values{&e.Set, &e.Add, &e.Remove, &e.Inc, &e.Base} {
			*values = slices.DeleteFunc(slices.Clone(*values), func(v record.Value) bool { return v.Field == field })
		}
	}
}

// Depending are the refused mutations that build on one that was refused,
// directly or through another: they name it, or edit what it would have made.
func (d *Device) Depending(mutation record.ID) []RefusedMutation {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var out []RefusedMutation
	for i, r := range d.family(mutation) {
		if i > 0 {
			out = append(out, *r)
		}
	}
	return out
}

// family is a refused mutation and those that build on it, in the order of
// typing.
func (d *Device) family(mutation record.ID) (all []*RefusedMutation) {
	named, made := map[record.ID]bool{}, map[record.ID]bool{}
	for _, r := range d.refused {
		m := &r.Mutation
		in := m.ID == mutation
		if r.Refusal.Code == "depends_on" {
			in = in || slices.ContainsFunc(m.After, func(raw json.RawMessage) bool {
				id, ok := record.RawID(raw)
				return ok && named[id]
			})
			in = in || slices.ContainsFunc(m.Edits, func(e record.Edit) bool { return made[e.ID] || d.belongsTo(&e, made) })
		}
		if !in {
			continue
		}
		all, named[m.ID] = append(all, r), true
		for _, e := range m.Edits {
			made[e.ID] = made[e.ID] || e.Op == record.OpCreate
		}
	}
	return all
}

// belongsTo reports whether an edit hangs its record under one of some.
func (d *Device) belongsTo(e *record.Edit, made map[record.ID]bool) bool {
	above, err := record.ParseID(e.Set.Text(d.schema.parents[e.Kind]))
	return err == nil && made[above]
}

// Resend sends a refused mutation once more, mended, and after it those that
// were refused because of it. Each is a new mutation with a new id, tied as the
// old ones were, and says what its author had seen when he first typed it: what
// others have written since is still merged, and never overwritten unread. The
// old ones leave the list. It returns the new ids, in the order in which they
// will be judged.
func (d *Device) Resend(mutation record.ID, mend func(*Amendment)) (ids []record.ID, err error) {
	err = d.change(func(b *batch) error {
		all := d.family(mutation)
		if len(all) == 0 {
			return errs.New("device.Resend", errs.Missing, "this is not among what was refused").Coded("missing")
		}
		anew := map[record.ID]record.ID{}
		entries := make([]*entry, len(all))
		count := d.count
		for i, r := range all {
			var fix func(*Amendment)
			if i == 0 {
				fix = mend
			}
			en, err := d.again(r, fix, anew)
			if err != nil {
				d.count = count // nothing of it is typed
				return err
			}
			entries[i] = en
			anew[r.Mutation.ID] = en.Mutation.ID
			d.count = counter{N: en.Mutation.N, Last: en.Mutation.ID, Stamp: en.Mutation.Stamp, Order: en.Order}
		}
		for i, en := range entries {
			d.append(en, b)
			b.delete(tableRefused, orderKey(all[i].Order))
			ids = append(ids, en.Mutation.ID)
		}
		d.refused = slices.DeleteFunc(d.refused, func(r *RefusedMutation) bool { return slices.Contains(all, r) })
		return nil
	})
	return ids, err
}

// again is a refused mutation as it is typed anew.
func (d *Device) again(r *RefusedMutation, mend func(*Amendment), anew map[record.ID]record.ID) (*entry, error) {
	a := &Amendment{edits: slices.Clone(r.Mutation.Edits)}
	if r.Epoch != "" && r.Epoch != d.sight.Epoch {
		for i := range a.edits {
			a.edits[i].Seen = nil // a place in a log that is gone says nothing here
		}
	}
	if mend != nil {
		mend(a)
	}
	if a.err != nil {
		return nil, a.err
	}
	a.edits = slices.DeleteFunc(a.edits, func(e record.Edit) bool {
		return e.Op == record.OpEdit && len(e.Set)+len(e.Add)+len(e.Remove)+len(e.Inc) == 0
	})
	if len(a.edits) == 0 {
		return nil, errs.New("device.Resend", errs.Invalid, "nothing is left of this change").Coded("empty")
	}
	m := record.Mutation{
		N: d.count.N + 1, ID: d.cfg.NewID(), Schema: d.schemaVersion(), Stamp: d.stamp(),
		After: d.ties(r, anew), Edits: a.edits,
	}
	text, err := json.Marshal(m)
	if err != nil {
		return nil, errs.New("device.Resend", errs.Invalid, "this cannot be written down").Coded("value").Because(err)
	}
	if len(text) > record.MaxMutationBytes {
		return nil, errs.New("device.Resend", errs.Invalid, "this is too much for one action").Coded("size")
	}
	return &entry{Order: d.count.Order + 1, Prev: d.count.Last, Bytes: len(text), Mutation: m}, nil
}

// ties are the names of those whose fate it shares: as before, by their new
// names. One that stays refused would take it down again.
func (d *Device) ties(r *RefusedMutation, anew map[record.ID]record.ID) (out []json.RawMessage) {
	for _, raw := range r.Mutation.After {
		id, ok := record.RawID(raw)
		switch {
		case !ok:
		case !anew[id].IsZero():
			out = append(out, record.AppendString(nil, anew[id].String()))
		case !slices.ContainsFunc(d.refused, func(o *RefusedMutation) bool { return o.Mutation.ID == id }):
			out = append(out, raw)
		}
	}
	return out
}
