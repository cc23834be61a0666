package sync

import (
	"context"
	"maps"
	"slices"
	"time"

	"roadbook/access"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/pages"
)

const (
	// pinDays is how long the pins of a device last that asks for nothing: they
	// cost the org rows, and a phone in a drawer needs none.
	pinDays = 30
	// idleAtOnce is how many idle devices one look finds.
	idleAtOnce = 500

	accountPrefix = "account:"
)

func accountScope(root record.ID) string { return accountPrefix + root.String() }

// grantPins settles what a device pins from here on: as much of what it asks
// for as its person sees, or of what it has if it asks for nothing. Each change
// is one row of the log, and grants of the device; an account that is pinned for
// the first time, or not any more, takes its subtree into or out of a scope of
// its own.
func (w *work) grantPins(who access.Caller, want []record.ID) error {
	had, err := w.pinsOf(who.Device)
	if err != nil {
		return err
	}
	if want == nil {
		want = had
	}
	if len(had) == 0 && len(want) == 0 {
		return nil
	}
	actor, err := w.actor(who.Person)
	if err != nil {
		return err
	}
	var get []record.ID
	for _, id := range record.SortedIDs(want) {
		rec, err := w.record(id)
		if err != nil {
			return err
		}
		if rec != nil && pages.Pinnable(actor, rec.Kind, rec.State, rec.Scopes) {
			get = append(get, id)
		}
	}
	return w.repin(who.Device, had, get)
}

func (w *work) repin(device record.ID, had, get []record.ID) error {
	r := store.Repin{Device: device, Now: w.now}
	r.Add = slices.DeleteFunc(slices.Clone(get), func(id record.ID) bool { return slices.Contains(had, id) })
	r.Take = slices.DeleteFunc(slices.Clone(had), func(id record.ID) bool { return slices.Contains(get, id) })
	if len(r.Add)+len(r.Take) == 0 {
		return nil
	}
	names := make([]string, len(get))
	for i, id := range get {
		names[i] = accountScope(id)
	}
	seq := w.next()
	regrant, err := w.regrantTo(map[record.ID][]string{device: names}, seq)
	if err != nil {
		return err
	}
	w.regrant, w.head.Granted = append(w.regrant, regrant), seq
	if _, err := w.isPinned(record.NoID); err != nil { // has them loaded
		return err
	}
	w.repins, w.pins = append(w.repins, r), maps.Clone(w.pins)
	for _, id := range r.Add {
		if w.pins[id]++; w.pins[id] == 1 {
			err = w.moveTree(id, seq)
		}
		if err != nil {
			return err
		}
	}
	for _, id := range r.Take {
		if w.pins[id]--; w.pins[id] == 0 {
			err = w.moveTree(id, seq)
		}
		if err != nil {
			return err
		}
	}
	w.logOwn(seq, `[{"op":"pins","id":"`+device.String()+`","add":{"pins":`+idsText(r.Add)+`},"remove":{"pins":`+idsText(r.Take)+`}}]`)
	return nil
}

func idsText(ids []record.ID) string {
	b := []byte{'['}
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(record.AppendID(append(b, '"'), id), '"')
	}
	return string(append(b, ']'))
}

// moveTree puts the top of a tree into its scopes, and has the rest follow.
func (w *work) moveTree(top record.ID, seq record.Seq) error {
	rec, err := w.record(top)
	if err != nil || rec == nil {
		return err
	}
	w.rescope = append(w.rescope, store.Rescope{Rec: top, Seq: seq})
	if rec.State == record.Deleted {
		return nil
	}
	names, err := w.namesOf(rec, rec)
	if err != nil {
		return err
	}
	want, err := w.scopeIDs(names)
	if err != nil {
		return err
	}
	now := rec.Clone()
	if enter(now, want, seq) {
		w.left[top] = seq
	}
	w.put(now)
	return nil
}

// pinsOf lists what a device has pinned at this point of the log.
func (w *work) pinsOf(device record.ID) ([]record.ID, error) {
	pins, err := w.tx.PinsOf(w.ctx, device)
	if err != nil {
		return nil, err
	}
	var out []record.ID
	for _, p := range pins {
		out = append(out, p.Rec)
	}
	for _, r := range w.repins {
		if r.Device == device {
			out = slices.DeleteFunc(append(out, r.Add...), func(id record.ID) bool { return slices.Contains(r.Take, id) })
		}
	}
	return record.SortedIDs(out), nil
}

// isPinned reports whether an account has a scope of its own.
func (w *work) isPinned(root record.ID) (bool, error) {
	if w.pins == nil {
		pins, err := w.e.pinsAt(w.ctx, w.tx, w.from.Granted)
		if err != nil {
			return false, err
		}
		w.pins = pins
	}
	return w.pins[root] > 0, nil
}

// namesOf are the scopes that a record belongs in, with that of its account if
// somebody pins it.
func (w *work) namesOf(r, root *record.Record) ([]string, error) {
	names := scopeNames(r, root)
	if r.Kind.Scope != "" || root == nil {
		return names, nil
	}
	pinned, err := w.isPinned(root.ID)
	if pinned {
		names = append(names, accountScope(root.ID))
	}
	return names, err
}

// pinnedAt is what was pinned when grants had changed last.
type pinnedAt struct {
	granted record.Seq
	pins    map[record.ID]int // how many devices pin each account; never changed
}

// pinsAt reads what is pinned in an org, once for each change of its grants.
func (e *Engine) pinsAt(ctx context.Context, tx store.Tx, granted record.Seq) (map[record.ID]int, error) {
	e.mu.Lock()
	known, ok := e.pinned[tx.Org]
	e.mu.Unlock()
	if ok && known.granted == granted {
		return known.pins, nil
	}
	pins, err := tx.Pinned(ctx)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pinned[tx.Org] = pinnedAt{granted, pins}
	return pins, nil
}

// EndIdlePins ends the pins of devices that have asked for nothing for a month,
// in every org, and says of how many.
func (e *Engine) EndIdlePins(ctx context.Context) (devices int, err error) {
	for {
		idle, err := e.Store.IdlePins(ctx, e.Now().Add(-pinDays*24*time.Hour), idleAtOnce)
		if err != nil {
			return devices, err
		}
		for _, i := range idle {
			end := func(w *work) error {
				had, err := w.pinsOf(i.Device)
				if err != nil {
					return err
				}
				return w.repin(i.Device, had, nil)
			}
			if err := e.submit(ctx, i.Org, &job{run: end}); err != nil {
				return devices, err
			}
			devices++
		}
		if len(idle) < idleAtOnce {
			return devices, nil
		}
	}
}
