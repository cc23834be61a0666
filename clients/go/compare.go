package device

import (
	"context"
	"maps"
	"slices"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
)

// A device whose place is of no use any more, or that doubts what it holds,
// compares: it sends sums of its records, learns which parts differ, and is told
// of those alone. Until they are mended it shows what it has.

// maxCompared is how many records one question names: some two megabytes.
const maxCompared = 40_000

// Check compares what the device holds with what it must hold, and mends it. If
// it is cut, the next pull goes on with it.
func (d *Device) Check(ctx context.Context) (Report, error) {
	d.net.Lock()
	defer d.net.Unlock()
	var r Report
	err := d.change(func(b *batch) error {
		switch {
		case d.fresh != nil: // there may be damage in what has come of it already
			d.beginAnew(b)
		case d.sight.Cursor != "":
			d.sight.Compare = true
		}
		d.saveSight(b)
		return nil
	})
	if err == nil {
		err = d.pull(ctx, 0, &r)
	}
	return r, err
}

// canCompare reports whether a device that is told to start over need not fetch
// everything.
func (d *Device) canCompare(code string) bool {
	switch code {
	case codeHorizon, codeEpoch, codeRewound:
		return d.fresh == nil && d.sight.Cursor != "" && d.sight.shown() != "" && len(d.base.records) > 0
	}
	return false
}

// compare asks until nothing differs any more. A server that cannot compare has
// the device start over.
func (d *Device) compare(ctx context.Context, r *Report) error {
	err := d.compareAll(ctx, r)
	cannot := errs.CodeOf(err) == codeRoute // of v0.1.0, beside the one that said to compare
	if !cannot && errs.KindOf(err) != errs.Stale || r.Restarts >= maxRestarts {
		return err
	}
	return d.startOver(err, r) // if that is to compare once more, the journal goes first
}

func (d *Device) compareAll(ctx context.Context, r *Report) error {
	first := &wire.PullAnswer{}
	if err := d.call(ctx, "/v1/sync/check", d.sums(), first); err != nil {
		return err
	}
	pages, differ := []*wire.PullAnswer{first}, maps.Clone(first.Differ)
	for idle := 0; len(differ) > 0; {
		if !d.cfg.Stage { // what is mended shows at once
			if err := d.takeCompared(pages, "", r); err != nil {
				return err
			}
			pages = pages[:0]
		}
		page := &wire.PullAnswer{}
		ask := d.leaves(first.Cursor, differ)
		if err := d.call(ctx, "/v1/sync/check", ask, page); err != nil {
			return err
		}
		if idle++; idle == maxIdle {
			return internal("device.Check", "the server mends nothing")
		}
		for scope, asked := range ask.Leaves {
			left := differ[scope]
			for _, leaf := range asked.At.List() {
				if !page.Differ[scope].Has(leaf) {
					left.Clear(leaf)
					idle = 0
				}
			}
			if differ[scope] = left; left.IsZero() {
				delete(differ, scope)
			}
		}
		pages = append(pages, page)
		r.Pages++
	}
	return d.takeCompared(pages, first.Cursor, r)
}

// sums is the first question.
func (d *Device) sums() *wire.CheckRequest {
	d.mu.RLock()
	defer d.mu.RUnlock()
	ask := &wire.CheckRequest{Replica: d.id.Replica, Cursor: d.sight.Cursor, Sight: d.sight.shown(), Want: d.id.Want, MaxBytes: d.cfg.PageBytes}
	sums := map[string]*wire.Sums{}
	for id, h := range d.base.records {
		for _, scope := range h.In {
			if sums[scope] == nil {
				sums[scope] = &wire.Sums{}
			}
			sums[scope].Add(id, wire.Sum(id, h.Seq, wire.DigestKey(scope)))
		}
	}
	ask.Sums = make(map[string]wire.Sums, len(sums))
	for scope, s := range sums {
		ask.Sums[scope] = *s
	}
	return ask
}

// leaves is a further question: what is here in some of the leaves that differ.
func (d *Device) leaves(cursor string, differ map[string]wire.Bits) *wire.CheckRequest {
	d.mu.RLock()
	defer d.mu.RUnlock()
	ask := &wire.CheckRequest{
		Replica: d.id.Replica, Cursor: cursor, Sight: d.sight.shown(), Want: d.id.Want, MaxBytes: d.cfg.PageBytes,
		Leaves: map[string]wire.Leaved{},
	}
	byLeaf := map[string]*[wire.Leaves][]record.ID{}
	for id, h := range d.base.records {
		for _, scope := range h.In {
			if differ[scope].Has(wire.Leaf(id)) {
				if byLeaf[scope] == nil {
					byLeaf[scope] = &[wire.Leaves][]record.ID{}
				}
				list := &byLeaf[scope][wire.Leaf(id)]
				*list = append(*list, id)
			}
		}
	}
	named := 0
	for _, scope := range slices.Sorted(maps.Keys(differ)) {
		part := wire.Leaved{Have: map[record.ID]record.Seq{}}
		for _, leaf := range differ[scope].List() {
			var here []record.ID
			if lists := byLeaf[scope]; lists != nil {
				here = lists[leaf]
			}
			if named > 0 && named+len(here) > maxCompared {
				break
			}
			named += len(here)
			part.At.Set(leaf)
			for _, id := range here {
				part.Have[id] = d.base.records[id].Seq
			}
		}
		if !part.At.IsZero() {
			ask.Leaves[scope] = part
		}
		if len(ask.Leaves) == wire.MaxCheckScopes || named >= maxCompared {
			break
		}
	}
	return ask
}

// takeCompared takes in what mends the base and, with the last of it, the place
// from which to go on.
func (d *Device) takeCompared(pages []*wire.PullAnswer, cursor string, r *Report) error {
	return d.change(func(b *batch) error {
		for _, page := range pages {
			d.base.apply(page, d.schema.month, b)
			r.Changes += len(page.Changes)
			if len(page.Schema) > 0 && string(page.Schema) != "null" {
				d.learnSchema(page.Schema, b)
			}
		}
		if cursor != "" {
			d.dropPages(b)
			last := pages[len(pages)-1]
			d.sight.Cursor, d.sight.BaseEpoch, d.sight.Compare, d.sight.Filling, d.sight.Grown = cursor, last.Epoch, false, false, nil
			d.hear(last.Epoch, last.Durable, last.High, b)
		}
		d.saveSight(b)
		return nil
	})
}
