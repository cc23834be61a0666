package device

import (
	"slices"

	"roadbook/record"
)

// Two people may make the same customer without knowing of each other. The
// server makes one of the two, and a record of this kind leads from the other to
// it. A device follows, so that its person has one customer on the screen,
// whatever he had typed before he knew.
const redirectKind = "merge_redirect"

// maxLeads is how many redirects are followed one after the other.
const maxLeads = 16

// lead takes in where a redirect leads.
func (s *shelf) lead(h *held) {
	if h.Kind != redirectKind {
		return
	}
	dead, is := record.RawID(h.Set.Get("dead"))
	to, also := record.RawID(h.Set.Get("survivor"))
	switch {
	case !is || !also:
	case h.Set.Text("state") == "merged":
		s.leads[dead] = to
	default:
		delete(s.leads, dead)
	}
}

func (s *shelf) unlead(h *held) {
	if h != nil && h.Kind == redirectKind {
		if dead, is := record.RawID(h.Set.Get("dead")); is {
			delete(s.leads, dead)
		}
	}
}

// heir is the record that one goes on as: itself, unless it was merged away.
func (s *shelf) heir(id record.ID) record.ID {
	for range maxLeads {
		to, led := s.leads[id]
		if !led {
			break
		}
		id = to
	}
	return id
}

// onTopOf goes through the own edits that are drawn on a record, those of what
// was merged into it first. What made that one is in the record already: there
// is no redirect before the server has seen it.
func (d *Device) onTopOf(id record.ID, draw func(*entry, *record.Edit)) {
	for dead := range d.base.leads {
		if len(d.touches[dead]) > 0 && d.base.heir(dead) == id {
			d.onTop(dead, func(en *entry, e *record.Edit) {
				if e.Op == record.OpEdit {
					draw(en, e)
				}
			})
		}
	}
	d.onTop(id, draw)
}

// led are values with what they refer to led on.
func (d *Device) led(values record.Values) record.Values {
	if len(d.base.leads) == 0 {
		return values
	}
	own := false
	for i, v := range values {
		id, is := record.RawID(v.Raw)
		if !is || v.Field == "dead" || d.base.heir(id) == id {
			continue
		}
		if !own {
			values, own = slices.Clone(values), true
		}
		values[i].Raw = record.AppendString(nil, d.base.heir(id).String())
	}
	return values
}
