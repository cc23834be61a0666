package device

import (
	"encoding/json"
	"slices"

	"roadbook/conflicts"
	"roadbook/errs"
	"roadbook/record"
)

// Keep is what somebody decides for.
type Keep string

// What can be decided for.
const (
	Mine   Keep = "mine"   // the version of whoever decides
	Theirs Keep = "theirs" // the other one
	Both   Keep = "both"   // where the field has room for both
	This   Keep = "this"   // one of several, by its id
	Other  Keep = "other"  // something else
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

// MaxDecisions is the most decisions of one go: a screen full of them.
const MaxDecisions = 100

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
		value, err := decision.value(&c, d.schema.field(c.Kind, c.Field))
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
			if text := asText(value); text != nil {
				dr.Set("chosen", text)
			}
		})
		return nil
	})
}

// value is what was decided for.
func (n *Decision) value(c *Conflict, f *record.Field) (json.RawMessage, error) {
	if n.Keep == Other {
		return encode(n.Value)
	}
	var mine, theirs, this []json.RawMessage
	for _, v := range c.Versions {
		switch {
		case v.Mine:
			mine = append(mine, v.Value)
		default:
			theirs = append(theirs, v.Value)
		}
		if v.ID == n.Version {
			this = append(this, v.Value)
		}
	}
	var of []json.RawMessage
	switch n.Keep {
	case Mine:
		of = mine
	case Theirs:
		of = theirs
	case This:
		of = this
	case Both:
		of = slices.Concat(mine, theirs)
	}
	switch {
	case n.Keep == Both && len(of) == 2 && of[0] != nil && of[1] != nil && f != nil:
		return conflicts.Both(f, of[0], of[1])
	case n.Keep != Both && len(of) == 1 && of[0] != nil:
		return of[0], nil
	}
	return nil, errs.New("device.Decide", errs.Invalid, "it is not clear which version is meant; choose one, or enter another").Coded("version")
}

// asText is a value as a conflict shows it; nothing if there is none.
func asText(raw json.RawMessage) json.RawMessage {
	switch {
	case record.IsNull(raw) || len(raw) > maxChosen:
		return nil
	case raw[0] == '"':
		return raw
	}
	return record.AppendString(nil, string(raw))
}

// maxChosen is the longest value that a conflict shows.
const maxChosen = 16 << 10

// Delegate hands a conflict to somebody else. The server refuses it if he may
// not see what it is about.
func (d *Device) Delegate(conflict, to record.ID) (record.ID, error) {
	return d.Mutate(func(t *Typing) error {
		t.Edit("conflict", conflict, func(dr *Draft) { dr.Set("owner", to.String()) })
		return nil
	})
}
