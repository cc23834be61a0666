package device

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	"roadbook/record"
)

// View is a record as it is shown: what was pulled, with the own edits that
// have not come back drawn on top.
type View struct {
	Kind    string
	ID      record.ID
	Seq     record.Seq    // as last pulled; 0 if it never was
	Values  record.Values // shared; not to be changed in place
	Pending bool          // an own edit of it has not come back yet
	Asked   record.Values // own edits of fields that others answer for: what stands is in Values, and stays until they have answered
	Deleted bool          // by the person, and not yet come back
	Refused string        // why the last own edit that was refused was, until dismissed
}

// Raw is a field's value as JSON, nil if it has none or was cleared.
func (v View) Raw(field string) json.RawMessage {
	if raw := v.Values.Get(field); !record.IsNull(raw) {
		return raw
	}
	return nil
}

// Text is a field's value as text, "" if it has none or is something else.
func (v View) Text(field string) string { return v.Values.Text(field) }

// Number is a field's value as a whole number, 0 if it has none.
func (v View) Number(field string) int64 { return number(v.Values.Get(field)) }

// Texts are the elements of a set of texts.
func (v View) Texts(field string) []string {
	var texts []string
	if json.Unmarshal(v.Values.Get(field), &texts) != nil {
		return nil
	}
	return texts
}

// Get shows one record, with or without a network. A record that the person
// has deleted is still shown, as deleted, until that has come back.
func (d *Device) Get(id record.ID) (View, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.view(id)
}

// List shows all records of a kind that are not deleted, by id.
func (d *Device) List(kind string) []View {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var views []View
	for id, h := range d.base.records {
		if h.Kind == kind && d.base.heir(id) == id {
			views = d.listed(views, id)
		}
	}
	for id := range d.touches {
		if d.base.records[id] == nil && d.base.heir(id) == id {
			views = d.listed(views, id)
		}
	}
	views = slices.DeleteFunc(views, func(v View) bool { return v.Kind != kind })
	slices.SortFunc(views, func(a, b View) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return views
}

func (d *Device) listed(views []View, id record.ID) []View {
	if v, ok := d.view(id); ok && !v.Deleted {
		return append(views, v)
	}
	return views
}

// view draws a record. An own edit of a record that is not here, because it
// left or was deleted elsewhere, makes nothing of it appear; only a create
// does.
func (d *Device) view(id record.ID) (View, bool) {
	id = d.base.heir(id)
	v := View{ID: id, Refused: d.refusal(id)}
	h := d.base.records[id]
	if h != nil {
		v.Kind, v.Seq, v.Values = h.Kind, h.Seq, h.Set
	}
	there := h != nil
	d.onTopOf(id, func(_ *entry, e *record.Edit) {
		v.Pending = true
		switch e.Op {
		case record.OpDelete:
			v.Deleted = true
		case record.OpRestore:
			v.Deleted = false
		case record.OpCreate:
			v.Kind, there = cmp.Or(v.Kind, e.Kind), true
		case record.OpEdit:
		}
		if there {
			e, v.Asked = d.asks(e, v.Asked)
			v.Values = d.schema.draw(v.Values, e)
		}
	})
	v.Values = d.led(v.Values)
	return v, there
}

// refusal is why the last refused edit of a record was refused.
func (d *Device) refusal(id record.ID) string {
	for _, r := range slices.Backward(d.refused) {
		if slices.ContainsFunc(r.Mutation.Edits, func(e record.Edit) bool { return e.ID == id }) {
			return cmp.Or(r.Refusal.Detail, r.Refusal.Code, "refused")
		}
	}
	return ""
}
