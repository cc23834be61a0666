package device

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"roadbook/record"
	"roadbook/version"
)

// What an author had seen of a record is one number, the log's: its seq as
// last pulled. But a field that shows an own edit which no pull has brought
// back hides what was pulled since, so there it is the number of that edit.

// seenOf is what the author had seen of one field. Of fields that merge as one
// he had seen what he had of the one that shows the oldest.
func (d *Device) seenOf(id record.ID, kind, field string) record.Seq {
	seen, own := d.base.seq(id), false
	unit := d.schema.unit(kind, field)
	hidden := d.schema.fields[kind] != nil && d.schema.field(kind, field) == nil
	if (hidden || slices.Contains(d.sight.Grown, kind+"."+field)) && !d.base.shows(id, unit) {
		seen = 0 // it is out of sight, or has come back and its value may be on the way
	}
	for _, name := range unit {
		o := d.shownBy(id, name)
		if o == nil {
			continue
		}
		if s := record.Seq(o.edit.Seen.Seq()); !own || s < seen {
			seen, own = s, true
		}
	}
	return seen
}

// own is an own edit and the mutation it is part of.
type own struct {
	entry *entry
	edit  *record.Edit
}

// shownBy is the own edit whose value a field shows, nil if it shows what was
// pulled.
func (d *Device) shownBy(id record.ID, field string) (last *own) {
	d.onTop(id, func(en *entry, e *record.Edit) {
		if e.Set.Get(field) != nil {
			last = &own{en, e}
		}
	})
	return last
}

// seenWhole is what the author of a delete or a restore had seen: the least of
// the record and of the own edits on top of it.
func (d *Device) seenWhole(id record.ID) record.Seq {
	seen := d.base.seq(id)
	d.onTop(id, func(_ *entry, e *record.Edit) {
		seen = min(seen, record.Seq(e.Seen.Seq()))
	})
	return seen
}

func vector(seen record.Seq) version.Vector {
	if seen == 0 {
		return nil // nothing seen is not worth saying
	}
	return version.Vector{version.Log: uint64(seen)}
}

// edits turns a draft into edits: fields of which the author had seen
// different things go into edits of their own.
func (d *Device) edits(dr *Draft) []record.Edit {
	if dr.op == record.OpCreate {
		return []record.Edit{{Op: record.OpCreate, Kind: dr.kind, ID: dr.id, Seen: vector(dr.saw), Set: dr.set}}
	}
	var out []record.Edit
	if dr.op == record.OpRestore {
		out = append(out, d.whole(dr, record.OpRestore))
	}
	groups := d.groups(dr)
	for _, seen := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, *groups[seen])
	}
	if dr.op == record.OpDelete {
		out = append(out, d.whole(dr, record.OpDelete))
	}
	return out
}

func (d *Device) whole(dr *Draft, op record.Op) record.Edit {
	return record.Edit{Op: op, Kind: dr.kind, ID: dr.id, Seen: vector(d.seenWhole(dr.id))}
}

// groups are the draft's edits by what their author had seen. Adds, removes
// and counts go by the record: own dots count as seen anyway.
func (d *Device) groups(dr *Draft) map[record.Seq]*record.Edit {
	groups := map[record.Seq]*record.Edit{}
	group := func(seen record.Seq) *record.Edit {
		if groups[seen] == nil {
			groups[seen] = &record.Edit{Op: record.OpEdit, Kind: dr.kind, ID: dr.id, Seen: vector(seen)}
		}
		return groups[seen]
	}
	for _, v := range d.withUnits(dr) {
		e := group(d.seenOf(dr.id, dr.kind, v.Field))
		e.Set = append(e.Set, v)
		if p := d.schema.policy(dr.kind, v.Field); p == record.Text || p == record.List {
			if was := dr.view.Raw(v.Field); was != nil {
				e.Base = append(e.Base, record.Value{Field: v.Field, Raw: was})
			}
		}
	}
	if len(dr.add)+len(dr.remove)+len(dr.inc) > 0 {
		e := group(d.base.seq(dr.id))
		e.Add, e.Remove, e.Inc = lists(dr.add), lists(dr.remove), counts(dr.inc)
	}
	return groups
}

// withUnits is what the draft sets and, where a field merges as one with
// others, those as they are shown: a unit is typed as a whole. Otherwise a
// pull could put somebody else's address beside the point that was typed here,
// and its author would see what nobody has ever typed, and build on it.
func (d *Device) withUnits(dr *Draft) record.Values {
	all := dr.set
	for _, v := range dr.set {
		unit := d.schema.unit(dr.kind, v.Field)
		slices.Sort(unit)
		for _, name := range unit {
			if all.Get(name) == nil {
				all = all.With(name, record.OrNull(dr.view.Raw(name)))
			}
		}
	}
	return all
}

// after names the pending mutations whose values the edits replace: if one of
// those is refused, what was typed in its place falls with it.
func (d *Device) after(edits []record.Edit) []json.RawMessage {
	tied := map[*entry]bool{}
	for i := range edits {
		for _, v := range edits[i].Set {
			if o := d.shownBy(edits[i].ID, v.Field); o != nil && o.entry.Verdict == nil {
				tied[o.entry] = true
			}
		}
	}
	var out []json.RawMessage
	for _, en := range slices.SortedFunc(maps.Keys(tied), byOrder) {
		out = append(out, record.AppendString(nil, en.Mutation.ID.String()))
	}
	return out
}

func byOrder(a, b *entry) int { return cmp.Compare(a.Order, b.Order) }
