package pages

import (
	"context"
	"maps"
	"slices"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/views"
	"roadbook/sync/wire"
)

const (
	// periodDays is how far back a device holds what has a date, if it does
	// not say.
	periodDays = 90
	// pullAttempts is how often a pull begins anew because somebody's rights
	// or another pull of the same device changed what it is shown meanwhile.
	pullAttempts = 6
)

// Wish is what a pull asks to be shown. What it does not say stays as it was.
type Wish struct {
	from  record.Month // 0: not said
	kinds []string     // nil: not said; empty: all
	Pins  []record.ID  // nil: not said
}

func wishOf(w *wire.Want) (Wish, error) {
	if w == nil {
		return Wish{}, nil
	}
	if len(w.Pins) > wire.MaxPins {
		return Wish{}, errs.New("sync.Pull", errs.Invalid, "at most %d customers can be pinned", wire.MaxPins).Coded("pins")
	}
	from, err := firstMonth(w.From)
	return Wish{from: from, kinds: w.Kinds, Pins: w.Pins}, err
}

func firstMonth(text string) (record.Month, error) {
	if text == "" {
		return 0, nil
	}
	m, ok := record.ParseMonth(text)
	if t, err := time.Parse("2006-01", text); !ok && err == nil && t.Year() < 2000 {
		return 1, nil // all that there can be
	}
	if !ok {
		return 0, errs.New("sync.Pull", errs.Invalid, "the period must begin with a month like 2026-08").Coded("from")
	}
	return m, nil
}

// On is a view as it becomes by the wish. Kinds that the schema does not know
// are left out: a newer app may ask an older server.
func (w Wish) On(v views.View, schema *record.Schema) views.View {
	if w.from != 0 {
		v.From = w.from
	}
	switch {
	case w.kinds == nil:
	case len(w.kinds) == 0:
		v.Kinds = nil
	default:
		v.Kinds = []int16{}
		for _, name := range w.kinds {
			if k := schema.Kind(name); k != nil {
				v.Kinds = append(v.Kinds, k.No)
			}
		}
		slices.Sort(v.Kinds)
		v.Kinds = slices.Compact(v.Kinds)
	}
	return v
}

// SightOf is what somebody may see of a schema.
func SightOf(schema *record.Schema, actor *access.Actor) views.Sight {
	sight := views.Sight{}
	for _, k := range schema.Kinds {
		if actor.Reads(k) {
			sight[k.No] = slices.Sorted(maps.Keys(actor.Hidden(k)))
		}
	}
	return sight
}

// unsettled ends a page of a device that asks for something else than what it
// is shown, or whose person may see something else. That is put into the log
// first; then the page begins anew.
type unsettled struct {
	wish  Wish
	first *views.View // it has never been shown anything
}

func (*unsettled) Error() string { return "what the device is shown must be settled first" }

// settle puts into the log what a device is shown from now on.
func (m *Maker) settle(ctx context.Context, who access.Caller, u *unsettled) error {
	if u.first != nil {
		return m.Store.BeginViews(ctx, who.Org, who.Device, *u.first)
	}
	return m.Settle(ctx, who, u.wish)
}

// KindNames are the names of some kinds, those that the schema knows.
func KindNames(schema *record.Schema, kinds []int16) []string {
	names := make([]string, 0, len(kinds))
	for _, no := range kinds {
		if k := schema.KindNo(no); k != nil {
			names = append(names, k.Name)
		}
	}
	return names
}
