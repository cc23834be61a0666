package pages

import (
	"cmp"
	"slices"

	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/wire"
)

const (
	placesAtOnce = 64   // scopes and ranks looked into by one statement
	fillAtOnce   = 2000 // records read by one statement, at most …
	fillAtLeast  = 50   // … and at least
	usualRecord  = 700  // bytes of a record on a page, before there is one to measure
)

// place is one stretch of the order of a fill: what has one rank, lies in one
// scope and is to be held since the same seq.
type place struct {
	rank  int16
	since record.Seq // 0: never
	scope record.ScopeID
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.rank, o.rank), cmp.Compare(p.since, o.since), cmp.Compare(p.scope, o.scope))
}

func (f fill) place() place { return place{f.rank, f.since, f.scope} }

// behind reports whether a fill has come past a record in a place.
func (f fill) behind(p place, id record.ID) bool {
	switch {
	case p.since == 0:
		return false
	case p.since <= f.after:
		return true
	case p.since > f.batch:
		return false
	}
	if order := p.compare(f.place()); order != 0 {
		return order < 0
	}
	return slices.Compare(id[:], f.key[:]) <= 0
}

// fillUp writes the next records of scopes that are new to the device, with
// the room that is left. It reports whether there is more to come.
func (p *page) fillUp(size int) (filling bool, err error) {
	for {
		places := p.places()
		for len(places) > 0 {
			some := places[:min(len(places), placesAtOnce)]
			full, err := p.fillPlaces(some, size)
			if err != nil || full {
				return true, err
			}
			places = places[len(some):]
		}
		p.next.fill = fill{after: p.next.fill.batch, batch: p.next.fill.batch}
		if !p.granted() {
			return false, nil
		}
		p.next.fill.batch = p.head.Seq // what was granted meanwhile sorts last
	}
}

// granted reports whether something waits that no batch has begun.
func (p *page) granted() bool { return len(p.placesIn(p.next.fill.batch, p.head.Seq)) > 0 }

// places are the stretches that lie ahead in the batch in hand.
func (p *page) places() []place {
	f := p.next.fill
	return slices.DeleteFunc(p.placesIn(f.after, f.batch), func(pl place) bool { return pl.compare(f.place()) < 0 })
}

// placesIn are the stretches of what is to be held since after one place of
// the log and up to another: of each scope what was shown when it was granted,
// and what has come into sight since.
func (p *page) placesIn(after, upTo record.Seq) []place {
	var out []place
	for rank, turns := range p.turns() {
		for scope, g := range p.live {
			if len(turns.starts) > 0 && turns.starts[0] <= g.Since && g.Since > after && g.Since <= upTo {
				out = append(out, place{rank, g.Since, scope})
			}
			for _, seq := range turns.all {
				if seq > g.Since && seq > after && seq <= upTo {
					out = append(out, place{rank, seq, scope})
				}
			}
		}
	}
	slices.SortFunc(out, place.compare)
	return out
}

// turns are the places in the log at which kinds of one rank began to be shown,
// some of their months, or some of their fields.
type turns struct{ starts, all []record.Seq }

// turns are those of the kinds that are shown, by rank.
func (p *page) turns() map[int16]turns {
	if p.turned != nil {
		return p.turned
	}
	out := map[int16]turns{}
	p.turned = out
	for _, k := range p.schema.Kinds {
		starts := p.views.Starts(k.No, k.Month != "")
		if len(starts) == 0 {
			continue
		}
		t := out[k.Rank]
		t.starts, t.all = append(t.starts, starts...), append(t.all, starts...)
		for _, g := range p.kind(k).growths {
			t.all = append(t.all, g.Seq)
		}
		slices.Sort(t.starts)
		slices.Sort(t.all)
		t.all = slices.Compact(t.all)
		out[k.Rank] = t
	}
	return out
}

// fillPlaces writes what lies in some stretches, in their order. full means
// that the page ended first.
func (p *page) fillPlaces(places []place, size int) (full bool, err error) {
	for len(places) > 0 {
		if p.full(size) {
			return true, nil
		}
		ask := make([]store.Place, len(places))
		for i, pl := range places {
			ask[i] = store.Place{Scope: pl.scope, Rank: pl.rank}
			if i == 0 && pl == p.next.fill.place() {
				ask[i].After = p.next.fill.key
			}
		}
		limit, last := p.fits(size), 0
		n, err := p.tx.Fill(p.ctx, ask, limit, func(at int, r *store.Row) (bool, error) {
			if full = p.full(size); full {
				return true, nil
			}
			last = at
			return false, p.fillOne(places[at], r)
		})
		if err != nil || full {
			return full, err
		}
		if n < limit {
			p.reach(places[len(places)-1], lastKey)
			return false, nil
		}
		places = places[last:]
	}
	return false, nil
}

// fits guesses how many more records the page has room for, by those that it
// has: what is read and does not fit is read again for the next page.
func (p *page) fits(size int) int {
	if p.out.Len() < fillAtLeast {
		return min(fillAtOnce, max(fillAtLeast, size/usualRecord))
	}
	room := (size - p.out.Size()) * p.out.Len() / p.out.Size()
	return min(fillAtOnce, max(fillAtLeast, room+room/16))
}

// lookAtMost is how many records one page looks at to fill: where a range was
// added to what is shown, most are of another and are passed over. It is more
// than fit a page, and less than anybody waits for.
const lookAtMost = 20_000

// full leaves room for at least one record, so that every page gets on.
func (p *page) full(size int) bool {
	return p.out.Len() > 0 && p.out.Size() >= size || p.looked >= cmp.Or(p.m.LookAtMost, lookAtMost)
}

func (p *page) reach(pl place, key record.ID) {
	f := &p.next.fill
	f.rank, f.since, f.scope, f.key = pl.rank, pl.since, pl.scope, key
}

// fillOne writes one record that the fill has come to, if it is of this place:
// the kind and month began to be shown here, or some of its fields. One that
// the device holds already through another scope is told of the new scope only.
func (p *page) fillOne(pl place, r *store.Row) error {
	p.reach(pl, r.ID)
	p.looked++
	kind := p.schema.KindNo(r.Kind)
	if kind == nil || !p.shows(kind, r.Month) {
		return nil
	}
	var grown []string
	upTo := whole
	switch since := p.since(p.live[pl.scope], kind, r.Month); {
	case since > pl.since:
		return nil // a later place brings it
	case since < pl.since:
		if grown = p.grownAt(kind, pl.since); grown == nil || p.sent[r.ID] {
			return nil
		}
		upTo = pl.since
	}
	c := wire.Change{Kind: kind.Name, ID: r.ID, Seq: r.Seq, In: p.names(p.in(kind, r))}
	if p.sent[r.ID] {
		p.out.Change(c)
		return nil
	}
	if p.held(kind, r, nil, upTo) {
		return p.writePart(c, kind, r, grown)
	}
	c.Full = true
	return p.writeFull(c, kind, r)
}
