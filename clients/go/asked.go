package device

import (
	"slices"

	"roadbook/record"
)

// asks parts an edit: into what its author may expect to stand, and what he can
// only ask for, because others answer for the field. The server makes a request
// of that, a record of its own, which comes with a pull.
func (d *Device) asks(e *record.Edit, asked record.Values) (*record.Edit, record.Values) {
	theirs := func(v record.Value) bool {
		f := d.schema.field(e.Kind, v.Field)
		return f != nil && f.Policy == record.Owned && !slices.Contains(d.id.Actor.Roles, f.By)
	}
	if !slices.ContainsFunc(e.Set, theirs) {
		return e, asked
	}
	own := *e
	own.Set = nil
	for _, v := range e.Set {
		switch {
		case !theirs(v):
			own.Set = append(own.Set, v)
		case e.Op != record.OpCreate || !record.IsNull(v.Raw):
			asked = asked.With(v.Field, v.Raw)
		}
	}
	return &own, asked
}
