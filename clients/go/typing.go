package device

import (
	"encoding/json"
	"maps"
	"slices"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/version"
)

// Typing is a mutation on its way: one action of one person, of one or more
// edits that stand or fall together. A mistake ends it, and nothing of it is
// kept.
type Typing struct {
	d      *Device
	drafts []*Draft // in the order in which they were begun
	err    error
}

// Create makes a record and returns its id.
func (d *Device) Create(kind string, values Values) (record.ID, error) {
	var id record.ID
	_, err := d.Mutate(func(t *Typing) error {
		id = t.Create(kind, values)
		return nil
	})
	return id, err
}

// Edit changes some fields of a record.
func (d *Device) Edit(kind string, id record.ID, change func(*Draft)) error {
	_, err := d.Mutate(func(t *Typing) error {
		t.Edit(kind, id, change)
		return nil
	})
	return err
}

// Delete takes a record away.
func (d *Device) Delete(kind string, id record.ID) error {
	_, err := d.Mutate(func(t *Typing) error {
		t.Delete(kind, id)
		return nil
	})
	return err
}

// Restore brings a deleted record back.
func (d *Device) Restore(kind string, id record.ID) error {
	_, err := d.Mutate(func(t *Typing) error {
		t.Restore(kind, id)
		return nil
	})
	return err
}

// Mutate types one mutation and returns its id. When it returns, the mutation
// is in the store and will be judged, whatever happens to the process. What fn
// does goes through t; it must not call the device itself.
func (d *Device) Mutate(fn func(t *Typing) error) (record.ID, error) {
	var id record.ID
	err := d.change(func(b *batch) error {
		t := &Typing{d: d}
		if err := fn(t); err != nil {
			return err
		}
		en, err := t.entry()
		if err != nil {
			return err
		}
		id = en.Mutation.ID
		d.append(en, b)
		return nil
	})
	return id, err
}

// Create makes a record and returns its id.
func (t *Typing) Create(kind string, values Values) record.ID {
	id := t.d.cfg.NewID()
	t.CreateAs(kind, id, values)
	return id
}

// CreateAs makes a record whose id follows from something else. If the record
// is there already, it is an edit of it.
func (t *Typing) CreateAs(kind string, id record.ID, values Values) {
	dr := t.draft(kind, id, record.OpCreate)
	for _, field := range slices.Sorted(maps.Keys(values)) {
		dr.Set(field, values[field])
	}
}

// Edit changes some fields of a record that is shown, or made in this
// mutation.
func (t *Typing) Edit(kind string, id record.ID, change func(*Draft)) {
	if dr := t.draft(kind, id, record.OpEdit); dr != nil {
		change(dr)
	}
}

// Delete takes a record away; it is the last thing that a mutation does to it.
func (t *Typing) Delete(kind string, id record.ID) { t.draft(kind, id, record.OpDelete) }

// Restore brings back a record that the person, or somebody else, deleted.
func (t *Typing) Restore(kind string, id record.ID) { t.draft(kind, id, record.OpRestore) }

// Get shows a record as it was before the mutation.
func (t *Typing) Get(id record.ID) (View, bool) { return t.d.view(id) }

// draft finds the draft of a record or begins it. What is wrong with it ends
// the mutation; the draft that is returned then goes nowhere.
func (t *Typing) draft(kind string, id record.ID, op record.Op) *Draft {
	id = t.d.base.heir(id)
	at := slices.IndexFunc(t.drafts, func(dr *Draft) bool { return dr.id == id })
	if at < 0 {
		view, there := t.d.view(id)
		t.mayBegin(kind, op, view, there)
		dr := &Draft{op: op, kind: kind, id: id, view: view}
		t.drafts = append(t.drafts, dr)
		return dr
	}
	dr := t.drafts[at]
	switch {
	case op == record.OpEdit && dr.op != record.OpDelete:
	case op == record.OpDelete && dr.op == record.OpEdit:
		dr.op = op
	default:
		t.wrong(errs.Invalid, "twice", "one action cannot do both of these to one record")
	}
	return dr
}

// mayBegin checks that the record is as an operation needs it.
func (t *Typing) mayBegin(kind string, op record.Op, v View, there bool) {
	shown := there && !v.Deleted && v.Kind == kind
	switch {
	case kind == "":
		t.wrong(errs.Invalid, "kind", "a record needs a kind")
	case op == record.OpRestore && shown:
		t.wrong(errs.Clash, "there", "this record is not deleted")
	case (op == record.OpEdit || op == record.OpDelete) && !shown:
		t.wrong(errs.Missing, "missing", "this record is not on the device")
	}
}

func (t *Typing) wrong(kind errs.Kind, code, msg string) {
	if t.err == nil {
		t.err = errs.New("device.Mutate", kind, "%s", msg).Coded(code)
	}
}

// entry makes the mutation, with everything in it that will never change.
func (t *Typing) entry() (*entry, error) {
	all, err := t.edits()
	if err != nil {
		return nil, err
	}
	d := t.d
	m := record.Mutation{
		N: d.count.N + 1, ID: d.cfg.NewID(), Schema: d.schemaVersion(),
		Stamp: d.stamp(), After: d.after(all), Edits: all,
	}
	text, err := json.Marshal(m)
	if err != nil {
		return nil, errs.New("device.Mutate", errs.Invalid, "this cannot be written down").Coded("value").Because(err)
	}
	if len(text) > record.MaxMutationBytes {
		return nil, errs.New("device.Mutate", errs.Invalid, "this is too much for one action").Coded("size")
	}
	return &entry{Order: d.count.Order + 1, Prev: d.count.Last, Bytes: len(text), Mutation: m}, nil
}

// edits are those of all drafts, if there is nothing wrong with them.
func (t *Typing) edits() ([]record.Edit, error) {
	if t.err != nil {
		return nil, t.err
	}
	var all []record.Edit
	for _, dr := range t.drafts {
		if err := dr.check(&t.d.schema); err != nil {
			return nil, err
		}
		if dr.empty() {
			continue
		}
		edits := t.d.edits(dr)
		if t.d.schema.bytes(dr.view.Values, edits) > record.MaxRecordBytes {
			return nil, errs.New("device.Mutate", errs.Invalid, "this is too much for one record").Coded("size")
		}
		all = append(all, edits...)
	}
	switch {
	case len(all) == 0:
		return nil, errs.New("device.Mutate", errs.Invalid, "nothing was changed").Coded("empty")
	case len(all) > record.MaxEdits:
		return nil, errs.New("device.Mutate", errs.Invalid, "one action may change at most %d records", record.MaxEdits).
			Coded("many")
	}
	return all, nil
}

// append puts a mutation at the end of the outbox.
func (d *Device) append(en *entry, b *batch) {
	m := &en.Mutation
	d.count = counter{N: m.N, Last: m.ID, Stamp: m.Stamp, Order: en.Order}
	d.outbox = append(d.outbox, en)
	d.byID[m.ID] = en
	d.touch(en)
	d.saveEntry(b, en)
	d.saveCounter(b)
}

// stamp is the time of a write: by the server's clock as far as it is known,
// and after everything that was typed or pulled here.
func (d *Device) stamp() version.Stamp {
	clock := d.cfg.Now().UnixMilli() + d.sight.OffsetMS
	clock = min(max(clock, 0), version.MaxStampMS)
	return version.Later(d.count.Stamp, d.sight.High).After(clock)
}

// schemaVersion is that of the forms on the screen.
func (d *Device) schemaVersion() string {
	if d.schema.version != "" {
		return d.schema.version
	}
	return d.id.Schema
}
