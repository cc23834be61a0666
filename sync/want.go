package sync

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
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

// wish is what a pull asks to be shown. What it does not say stays as it was.
type wish struct {
	from  record.Month // 0: not said
	kinds []string     // nil: not said; empty: all
	pins  []record.ID  // nil: not said
}

func wishOf(w *wire.Want) (wish, error) {
	if w == nil {
		return wish{}, nil
	}
	if len(w.Pins) > wire.MaxPins {
		return wish{}, errs.New("sync.Pull", errs.Invalid, "at most %d customers can be pinned", wire.MaxPins).Coded("pins")
	}
	from, err := firstMonth(w.From)
	return wish{from: from, kinds: w.Kinds, pins: w.Pins}, err
}

func firstMonth(text string) (record.Month, error) {
	if text == "" {
		return 0, nil
	}
	m, ok := parseMonth(text)
	if t, err := time.Parse("2006-01", text); !ok && err == nil && t.Year() < 2000 {
		return 1, nil // all that there can be
	}
	if !ok {
		return 0, errs.New("sync.Pull", errs.Invalid, "the period must begin with a month like 2026-08").Coded("from")
	}
	return m, nil
}

// on is a view as it becomes by the wish. Kinds that the schema does not know
// are left out: a newer app may ask an older server.
func (w wish) on(v views.View, schema *record.Schema) views.View {
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

// sightOf is what somebody may see of a schema.
func sightOf(schema *record.Schema, actor *access.Actor) views.Sight {
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
	wish  wish
	first *views.View // it has never been shown anything
}

func (*unsettled) Error() string { return "what the device is shown must be settled first" }

// settleView puts into the log what a device is shown from now on.
func (e *Engine) settleView(ctx context.Context, who access.Caller, u *unsettled) error {
	if u.first != nil {
		return e.Store.BeginViews(ctx, who.Org, who.Device, *u.first)
	}
	return e.submit(ctx, who.Org, &job{who: who, run: func(w *work) error {
		if err := w.grantView(who, u.wish); err != nil {
			return err
		}
		return w.grantPins(who, u.wish.pins)
	}})
}

// grantView settles what a device is shown from here on, if that has not been
// done meanwhile.
func (w *work) grantView(who access.Caller, wish wish) error {
	known, err := w.tx.Views(w.ctx, who.Device)
	if err != nil || len(known) == 0 {
		return err
	}
	for _, s := range w.shown {
		if s.Device == who.Device {
			known = append(known, s.View)
		}
	}
	actor, err := w.actor(who.Person)
	if err != nil {
		return err
	}
	now := wish.on(known.Now(), w.schema)
	now.Sight = sightOf(w.schema, actor)
	if now.SameWant(known.Now()) && now.SameSight(known.Now()) {
		return nil
	}
	now.Seq = w.next()
	w.shown = append(w.shown, store.Shown{Device: who.Device, View: now})
	w.logOwn(now.Seq, `[{"op":"view","id":"`+who.Device.String()+`","set":{"from":"`+monthText(now.From)+`","kinds":`+w.kindsText(now.Kinds)+`}}]`)
	return nil
}

// logOwn writes a row of the log that no mutation makes.
func (w *work) logOwn(seq record.Seq, body string) {
	writer := w.writers[w.head.Server]
	m := &record.Mutation{N: writer.N + 1, ID: w.rowID(writer)}
	w.append(writer, m, store.Entry{Seq: seq, Stamp: writer.Stamp, Result: record.Applied, Body: []byte(body)})
}

func (w *work) kindsText(kinds []int16) string {
	if kinds == nil {
		return "null"
	}
	return `["` + strings.Join(kindNames(w.schema, kinds), `","`) + `"]`
}

func kindNames(schema *record.Schema, kinds []int16) []string {
	names := make([]string, 0, len(kinds))
	for _, no := range kinds {
		if k := schema.KindNo(no); k != nil {
			names = append(names, k.Name)
		}
	}
	return names
}

func monthText(m record.Month) string {
	return time.Date(2000, time.Month(m), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
}
