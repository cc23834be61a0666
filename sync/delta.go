package sync

import (
	"maps"
	"slices"

	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/wire"
)

const (
	indexRows  = 10_000 // rows of the index read at once: more than one row of the log can make
	loadAtOnce = 500    // records read at once
)

// delta writes what changed after the device's position, until the page is
// full or the snapshot's head is reached, which makes it complete.
func (p *page) delta(size int) (complete bool, err error) {
	scopes := slices.Sorted(maps.Keys(p.live))
	for limit := indexRows; ; {
		rows, err := p.tx.IndexSince(p.ctx, scopes, p.next.pos, p.head.Seq, limit)
		if err != nil {
			return false, err
		}
		all := len(rows) < limit
		if !all {
			rows = wholeRows(rows)
			if len(rows) == 0 { // one row of the log made more than we read
				limit *= 2
				continue
			}
		}
		full, err := p.deltaRows(rows, size)
		if full || err != nil || all {
			return !full && err == nil, err
		}
		p.next.pos, p.next.mid = rows[len(rows)-1].Seq, record.NoID
	}
}

// wholeRows drops the last row of the log that may have been cut.
func wholeRows(rows []store.IndexRow) []store.IndexRow {
	last := rows[len(rows)-1].Seq
	for len(rows) > 0 && rows[len(rows)-1].Seq == last {
		rows = rows[:len(rows)-1]
	}
	return rows
}

// found is what the index says of one record.
type found struct {
	rec  record.ID
	seq  record.Seq // of its first row
	rows []store.IndexRow
}

// deltaRows writes the records of some index rows, each once. full means that
// the page ended before they did.
func (p *page) deltaRows(rows []store.IndexRow, size int) (full bool, err error) {
	var order []*found
	known := map[record.ID]*found{}
	for _, row := range rows {
		if row.Seq == p.next.pos+1 && slices.Compare(row.Rec[:], p.next.mid[:]) <= 0 && !p.next.mid.IsZero() {
			continue // sent by the page before
		}
		f := known[row.Rec]
		if f == nil {
			f = &found{rec: row.Rec, seq: row.Seq}
			known[row.Rec] = f
			order = append(order, f)
		}
		f.rows = append(f.rows, row)
	}
	for some := range slices.Chunk(order, loadAtOnce) {
		ids := make([]record.ID, len(some))
		for i, f := range some {
			ids[i] = f.rec
		}
		recs, err := p.tx.Records(p.ctx, ids)
		if err != nil {
			return false, err
		}
		byID := make(map[record.ID]*store.Row, len(recs))
		for i := range recs {
			byID[recs[i].ID] = &recs[i]
		}
		for _, f := range some {
			if p.out.Len() > 0 && p.out.Size() >= size {
				return true, nil
			}
			if r := byID[f.rec]; r != nil {
				if err := p.change(r, f); err != nil {
					return false, err
				}
			}
			p.next.pos, p.next.mid = f.seq-1, f.rec
		}
	}
	return false, nil
}

// change tells the device of one record: all of it, the part that is new, or
// that it goes.
func (p *page) change(r *store.Row, f *found) error {
	kind := p.schema.KindNo(r.Kind)
	if kind == nil || !p.actor.Reads(kind) {
		return nil
	}
	c := wire.Change{Kind: kind.Name, ID: r.ID, Seq: r.Seq}
	in := p.in(kind, r, p.next.fill)
	switch {
	case p.reached(kind, f):
	case len(in) > 0 || p.next.fill.after > 0 || !p.concerned(f):
		return nil // new to the device, and the fill will bring it; or nothing to it
	default: // everything is filled, perhaps anew, and the device may hold this
		in = p.in(kind, r, fill{after: p.next.fill.batch})
	}
	if len(in) == 0 || r.State == record.Deleted {
		c.Gone = wire.GoneLeft
		if r.State == record.Deleted {
			c.Gone = wire.GoneDeleted
		}
		p.out.Change(c)
		return nil
	}
	c.In = p.names(in)
	if !p.held(kind, r, f) {
		c.Full = true
		return p.writeFull(c, kind, r)
	}
	if p.unmoved(kind, r, f, in) {
		c.In = nil
	}
	return p.writePart(c, kind, r)
}

// reached reports whether the fill has come past the record in any scope in
// which the index has something to say of it.
func (p *page) reached(kind *record.Kind, f *found) bool {
	return slices.ContainsFunc(f.rows, func(row store.IndexRow) bool {
		return p.next.fill.behind(p.live[row.Scope], kind.Rank, f.rec)
	})
}

// concerned reports whether the index has something to say of the record that
// is later than a grant of the batch in hand. What left a scope before it was
// granted is nothing to this device.
func (p *page) concerned(f *found) bool {
	return slices.ContainsFunc(f.rows, func(row store.IndexRow) bool {
		g := p.live[row.Scope]
		return g.Since <= p.next.fill.batch && row.Seq > g.Since
	})
}

// in lists the scopes through which the device holds the record now.
func (p *page) in(kind *record.Kind, r *store.Row, at fill) []store.Grant {
	if !p.wanted(r.Month) {
		return nil
	}
	var in []store.Grant
	for _, scope := range r.Scopes {
		if g, granted := p.live[scope]; granted && at.behind(g, kind.Rank, r.ID) {
			in = append(in, g)
		}
	}
	return in
}

func (p *page) names(in []store.Grant) []string {
	names := make([]string, len(in))
	for i, g := range in {
		names[i] = g.Name
	}
	slices.Sort(names)
	return names
}

// held reports whether the device surely holds all of the record: through at
// least one scope that was granted without interruption since the last page,
// that the fill had passed, in which the record has been since the base, which
// it has not left before the last page, with its month wanted then and now.
// Everything else gets all fields.
func (p *page) held(kind *record.Kind, r *store.Row, f *found) bool {
	if r.Month != 0 && r.Month < max(p.old.from, p.next.from) {
		return false
	}
	for i, scope := range r.Scopes {
		if p.heldIn(kind, r.ID, scope, r.Entered[i]) {
			return true
		}
	}
	if f == nil {
		return false
	}
	for _, row := range f.rows {
		if row.Op == store.Gone && row.Seq > p.old.head && p.heldIn(kind, r.ID, row.Scope, row.Mark) && p.sameMonth(r, row) {
			return true
		}
	}
	return false
}

// sameMonth reports whether the record was wanted when it left, too.
func (p *page) sameMonth(r *store.Row, row store.IndexRow) bool {
	return row.Month == r.Month || row.Month == 0 || row.Month >= max(p.old.from, p.next.from)
}

func (p *page) heldIn(kind *record.Kind, id record.ID, scope record.ScopeID, entered record.Seq) bool {
	g, granted := p.live[scope]
	return granted && g.Since <= p.old.head && entered <= p.old.base && p.old.fill.behind(g, kind.Rank, id)
}

// unmoved reports whether the device knows already through which scopes it
// holds the record.
func (p *page) unmoved(kind *record.Kind, r *store.Row, f *found, in []store.Grant) bool {
	for _, row := range f.rows {
		if row.Op == store.Gone {
			return false
		}
	}
	for _, g := range in {
		i, _ := slices.BinarySearch(r.Scopes, g.Scope)
		if !p.heldIn(kind, r.ID, g.Scope, r.Entered[i]) {
			return false
		}
	}
	return true
}

func (p *page) writeFull(c wire.Change, kind *record.Kind, r *store.Row) error {
	p.sent[r.ID] = true
	hidden := p.hiddenOf(kind)
	if len(hidden) == 0 {
		p.out.ChangeText(c, r.Fields)
		return nil
	}
	values, err := record.ParseValues(r.Fields)
	if err != nil {
		return err
	}
	c.Set = visible(kind, values, hidden)
	p.out.Change(c)
	return nil
}

// writePart writes the fields that are newer than the base. A change of scopes
// alone has none; a change of hidden fields alone has an empty set.
func (p *page) writePart(c wire.Change, kind *record.Kind, r *store.Row) error {
	if r.Seq > p.old.base {
		values, err := record.Since(r.Fields, r.Meta, p.old.base)
		if err != nil {
			return err
		}
		c.Set = visible(kind, values, p.hiddenOf(kind))
	} else if c.In == nil {
		return nil
	}
	p.out.Change(c)
	return nil
}

// visible leaves out what is hidden. It is never nil.
func visible(kind *record.Kind, values record.Values, hidden map[string]bool) record.Values {
	out := make(record.Values, 0, len(values))
	for _, v := range values {
		if len(hidden) > 0 {
			if f := kind.Field(v.Field); f != nil && hidden[f.Base()] {
				continue
			}
		}
		out = append(out, v)
	}
	return out
}
