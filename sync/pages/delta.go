package pages

import (
	"maps"
	"math"
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
		if kind := p.schema.KindNo(row.Kind); kind == nil || !p.shows(kind, 0) {
			continue // the device drops what it does not want, and what is withdrawn
		}
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
// that it goes. What the fill has not reached through any scope is left to it.
func (p *page) change(r *store.Row, f *found) error {
	kind := p.schema.KindNo(r.Kind)
	if !p.reached(kind, f) {
		return nil
	}
	c := wire.Change{Kind: kind.Name, ID: r.ID, Seq: r.Seq}
	in := p.in(kind, r)
	if len(in) == 0 || r.State == record.Deleted {
		c.Gone = wire.GoneLeft
		if r.State == record.Deleted {
			c.Gone = wire.GoneDeleted
		}
		p.out.Change(c)
		return nil
	}
	c.In = p.names(in)
	if !p.held(kind, r, f, whole) {
		c.Full = true
		return p.writeFull(c, kind, r)
	}
	if p.unmoved(kind, r, f, in) {
		c.In = nil
	}
	return p.writePart(c, kind, r, nil)
}

// reached reports whether the fill has come past the record in any scope in
// which the index has something to say of it. It goes by the grant alone: what
// the device has begun to want since may still be there from before.
func (p *page) reached(kind *record.Kind, f *found) bool {
	return slices.ContainsFunc(f.rows, func(row store.IndexRow) bool {
		return p.next.fill.behind(place{kind.Rank, p.live[row.Scope].Since, row.Scope}, f.rec)
	})
}

// in lists the scopes through which the device holds the record now.
func (p *page) in(kind *record.Kind, r *store.Row) []store.Grant {
	if !p.shows(kind, r.Month) {
		return nil
	}
	var in []store.Grant
	for _, scope := range r.Scopes {
		if g := p.live[scope]; p.next.fill.behind(place{kind.Rank, g.Since, scope}, r.ID) {
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

// whole is held's place for everything that may be seen.
const whole = record.Seq(math.MaxInt64)

// held reports whether the device surely holds all of the record, but for the
// fields that came into sight at a place or later: through at least one scope
// that was granted without interruption since the last page, and in which the
// record's kind and month have been shown for as long; that the fill had
// passed; in which the record has been since the base; which it has not left
// before the last page. Everything else gets all fields.
func (p *page) held(kind *record.Kind, r *store.Row, f *found, grown record.Seq) bool {
	for i, scope := range r.Scopes {
		if p.heldIn(kind, r.ID, r.Month, scope, r.Entered[i], grown) {
			return true
		}
	}
	if f == nil {
		return false
	}
	return slices.ContainsFunc(f.rows, func(row store.IndexRow) bool {
		return row.Op == store.Gone && row.Seq > p.old.head && p.heldIn(kind, r.ID, row.Month, row.Scope, row.Mark, grown)
	})
}

func (p *page) heldIn(kind *record.Kind, id record.ID, m record.Month, scope record.ScopeID, entered, grown record.Seq) bool {
	since := p.since(p.live[scope], kind, m)
	if since == 0 {
		return false
	}
	since = max(since, p.grownBefore(kind, grown))
	return since <= p.old.head && entered <= p.old.base && p.old.fill.behind(place{kind.Rank, since, scope}, id)
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
		if !p.heldIn(kind, r.ID, r.Month, g.Scope, r.Entered[i], whole) {
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

// writePart writes the fields that are newer than the base, and those that
// came into sight. A change of scopes alone has none; a change of hidden fields
// alone has an empty set.
func (p *page) writePart(c wire.Change, kind *record.Kind, r *store.Row, grown []string) error {
	switch {
	case r.Seq > p.old.base:
		values, err := record.Since(r.Fields, r.Meta, p.old.base)
		if err != nil {
			return err
		}
		c.Set = visible(kind, values, p.hiddenOf(kind))
	case grown != nil:
		c.Set = record.Values{}
	case c.In == nil:
		return nil
	}
	if grown != nil {
		values, err := record.ParseValues(r.Fields)
		if err != nil {
			return err
		}
		for _, v := range values {
			if f := kind.Field(v.Field); f != nil && slices.Contains(grown, f.Base()) && c.Set.Get(v.Field) == nil {
				c.Set = append(c.Set, v)
			}
		}
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
