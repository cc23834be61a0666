package sync

import (
	"cmp"
	"slices"

	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/wire"
)

const (
	placesAtOnce = 64  // scopes and ranks looked into by one statement
	fillAtOnce   = 500 // records read by one statement
)

// behind reports whether a fill has come past a record in a scope.
func (f fill) behind(g store.Grant, rank int16, id record.ID) bool {
	switch {
	case g.Since == 0: // not granted
		return false
	case g.Since <= f.after:
		return true
	case g.Since > f.batch:
		return false
	}
	order := cmp.Or(cmp.Compare(rank, f.rank), cmp.Compare(g.Since, f.grant), cmp.Compare(g.Scope, f.scope))
	if order != 0 {
		return order < 0
	}
	return slices.Compare(id[:], f.key[:]) <= 0
}

// place is one scope and one rank: a stretch of the order of a fill.
type place struct {
	rank  int16
	grant store.Grant
}

func (p place) compare(f fill) int {
	return cmp.Or(cmp.Compare(p.rank, f.rank), cmp.Compare(p.grant.Since, f.grant), cmp.Compare(p.grant.Scope, f.scope))
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

// granted reports whether scopes wait that no batch has begun.
func (p *page) granted() bool {
	for _, g := range p.live {
		if g.Since > p.next.fill.batch {
			return true
		}
	}
	return false
}

// places are the stretches that lie ahead in the batch in hand.
func (p *page) places() []place {
	f := p.next.fill
	var grants []store.Grant
	for _, g := range p.live {
		if g.Since > f.after && g.Since <= f.batch {
			grants = append(grants, g)
		}
	}
	if len(grants) == 0 {
		return nil
	}
	slices.SortFunc(grants, func(a, b store.Grant) int {
		return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.Scope, b.Scope))
	})
	var out []place
	for _, rank := range p.ranks() {
		for _, g := range grants {
			if pl := (place{rank, g}); pl.compare(f) >= 0 {
				out = append(out, pl)
			}
		}
	}
	return out
}

// ranks are those of the kinds that are for this actor, in order.
func (p *page) ranks() []int16 {
	var ranks []int16
	for _, k := range p.schema.Kinds {
		if p.actor.Reads(k) {
			ranks = append(ranks, k.Rank)
		}
	}
	slices.Sort(ranks)
	return slices.Compact(ranks)
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
			ask[i] = store.Place{Scope: pl.grant.Scope, Rank: pl.rank}
			if i == 0 && pl.compare(p.next.fill) == 0 {
				ask[i].After = p.next.fill.key
			}
		}
		rows, err := p.tx.Fill(p.ctx, ask, fillAtOnce)
		if err != nil {
			return false, err
		}
		for i := range rows {
			if p.full(size) {
				return true, nil
			}
			if err := p.fillOne(places[rows[i].Place], &rows[i].Row); err != nil {
				return false, err
			}
		}
		if len(rows) < fillAtOnce {
			p.reach(places[len(places)-1], lastKey)
			return false, nil
		}
		places = places[rows[len(rows)-1].Place:]
	}
	return false, nil
}

// full leaves room for at least one record, so that every page gets on.
func (p *page) full(size int) bool { return p.out.Len() > 0 && p.out.Size() >= size }

func (p *page) reach(pl place, key record.ID) {
	f := &p.next.fill
	f.rank, f.grant, f.scope, f.key = pl.rank, pl.grant.Since, pl.grant.Scope, key
}

// fillOne writes one record that the fill has come to. One that the device
// holds already through another scope is told of the new scope only.
func (p *page) fillOne(pl place, r *store.Row) error {
	p.reach(pl, r.ID)
	kind := p.schema.KindNo(r.Kind)
	if kind == nil || !p.actor.Reads(kind) || !p.wanted(r.Month) {
		return nil
	}
	c := wire.Change{Kind: kind.Name, ID: r.ID, Seq: r.Seq, In: p.names(p.in(kind, r, p.next.fill))}
	if p.sent[r.ID] {
		p.out.Change(c)
		return nil
	}
	if p.held(kind, r, nil) {
		return p.writePart(c, kind, r)
	}
	c.Full = true
	return p.writeFull(c, kind, r)
}
