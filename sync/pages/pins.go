package pages

import (
	"slices"
	"time"

	"roadbook/access"
	"roadbook/record"
	"roadbook/store"
)

// touchPins is how exactly the server remembers that a device has asked.
const touchPins = 24 * time.Hour

// Pinnable reports whether somebody may pin a record: the top of a tree, that he
// sees without any pin.
func Pinnable(a *access.Actor, k *record.Kind, state record.State, scopes []record.ScopeID) bool {
	return k != nil && k.Parent == "" && k.Scope == "" && state == record.Live && a.Sees(k, scopes)
}

// loadPins finds what the device has pinned, and whether that is what it asks
// for and what its person still has a right to.
func (p *page) loadPins(want Wish) error {
	pinned, err := p.pinned()
	if err != nil {
		return err
	}
	var have []record.ID
	for _, pin := range pinned {
		have = append(have, pin.Rec)
		p.touch = p.touch || p.m.Now().Sub(pin.Used) > touchPins
	}
	ask := have
	if want.Pins != nil {
		ask = record.SortedIDs(want.Pins)
	}
	if len(ask) == 0 && len(have) == 0 {
		return nil
	}
	rows, err := p.tx.Records(p.ctx, ask)
	if err != nil {
		return err
	}
	may := map[record.ID]bool{}
	for i := range rows {
		r := &rows[i]
		may[r.ID] = Pinnable(p.actor, p.schema.KindNo(r.Kind), r.State, r.Scopes)
	}
	var get []record.ID
	for _, id := range ask {
		if may[id] {
			get = append(get, id)
		} else if want.Pins != nil {
			p.refused = append(p.refused, id)
		}
	}
	if !slices.Equal(get, have) {
		return &unsettled{wish: want}
	}
	return nil
}

// pinned lists the pins of the device; most have none, and their grants say so.
func (p *page) pinned() ([]store.Pin, error) {
	for _, g := range p.live {
		if g.Holder == p.who.Device {
			return p.tx.PinsOf(p.ctx, p.who.Device)
		}
	}
	return nil, nil
}
