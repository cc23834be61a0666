package device

import (
	"encoding/json"

	"roadbook/conflicts"
	"roadbook/errs"
	"roadbook/record"
)

// Keep is what somebody decides for.
type Keep = conflicts.Keep

// What can be decided for.
const (
	Mine   = conflicts.KeepMine   // the version of whoever decides
	Theirs = conflicts.KeepTheirs // the other one
	Both   = conflicts.KeepBoth   // where the field has room for both
	This   = conflicts.KeepThis   // one of several, by its id
	Other  = conflicts.KeepOther  // something else
)

// Decision is what somebody decides in the inbox.
type Decision struct {
	Conflict record.ID
	Keep     Keep
	Version  record.ID // of This
	Value    any       // of Other
}

// Decided is what became of typing one of several decisions. The server's word
// comes as the outcome of the mutation, like for all that is typed.
type Decided struct {
	Conflict record.ID
	Mutation record.ID
	Err      error
}

// MaxDecisions is the most decisions of one go.
const MaxDecisions = conflicts.MaxDecisions

// DecideAll decides several conflicts, each as a mutation of its own, so that
// one that is refused holds up no other.
func (d *Device) DecideAll(all []Decision) ([]Decided, error) {
	if len(all) > MaxDecisions {
		return nil, errs.New("device.DecideAll", errs.Invalid, "at most %d decisions at once", MaxDecisions).Coded("many")
	}
	out := make([]Decided, len(all))
	for i, decision := range all {
		out[i].Conflict = decision.Conflict
		out[i].Mutation, out[i].Err = d.Decide(decision)
	}
	return out, nil
}

// Decide types what the field shall be and that the conflict is resolved, as
// one mutation. If somebody else was first, of whom nobody here knew, his
// decision stands, and the outcome's clash says who that was and when.
func (d *Device) Decide(decision Decision) (record.ID, error) {
	return d.Mutate(func(t *Typing) error {
		v, there := t.Get(decision.Conflict)
		if !there || v.Kind != "conflict" {
			return errs.New("device.Decide", errs.Missing, "this conflict is not on the device").Coded("missing")
		}
		if v.Text("state") == "resolved" {
			return errs.New("device.Decide", errs.Clash, "this has been decided already").Coded("decided")
		}
		c := d.conflict(v)
		value, err := decision.value(v.Raw("values"), d.id.Actor.ID, d.schema.field(c.Kind, c.Field))
		if err != nil {
			return err
		}
		switch {
		case c.Field != "deleted":
			t.Edit(c.Kind, c.Record, func(dr *Draft) { dr.Set(c.Field, value) })
		case string(value) == "true":
			t.Delete(c.Kind, c.Record)
		}
		t.Edit("conflict", c.ID, func(dr *Draft) {
			dr.Set("state", "resolved")
			if text := conflicts.AsText(value); text != nil {
				dr.Set("chosen", text)
			}
		})
		return nil
	})
}

// value is what was decided for.
func (n *Decision) value(values json.RawMessage, me record.ID, f *record.Field) (json.RawMessage, error) {
	choice := conflicts.Decision{Keep: n.Keep, Version: n.Version}
	if n.Keep == Other {
		var err error
		if choice.Value, err = encode(n.Value); err != nil {
			return nil, err
		}
	}
	return choice.Of(conflicts.Versions(values), me, f)
}

// Delegate hands a conflict to somebody else. The server refuses it if he may
// not see what it is about.
func (d *Device) Delegate(conflict, to record.ID) (record.ID, error) {
	return d.Mutate(func(t *Typing) error {
		t.Edit("conflict", conflict, func(dr *Draft) { dr.Set("owner", to.String()) })
		return nil
	})
}
