package pages

import (
	"encoding/json"
	"maps"
	"slices"

	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/views"
	"roadbook/sync/wire"
)

// shown is one kind as a page shows it.
type shown struct {
	since   map[record.Month]record.Seq // by month: since when; never, if it is not shown
	growths []views.Growth
}

func (p *page) kind(k *record.Kind) *shown {
	s := p.kinds[k.No]
	if s == nil {
		s = &shown{since: map[record.Month]record.Seq{}, growths: p.views.Growths(k.No)}
		p.kinds[k.No] = s
	}
	return s
}

// shows reports whether records of a kind and month are for this device now.
func (p *page) shows(k *record.Kind, m record.Month) bool { return p.views.Now().Shows(k.No, m) }

// since is from where on the device is to hold the records of a kind and month
// that lie in a scope: since the grant or since they are shown, whichever is
// later. 0 is not at all.
func (p *page) since(g store.Grant, k *record.Kind, m record.Month) record.Seq {
	s := p.kind(k)
	seq, known := s.since[m]
	if !known {
		var is bool
		if seq, is = p.views.Since(k.No, m); !is {
			seq = never
		}
		s.since[m] = seq
	}
	if seq == never || g.Since == 0 {
		return 0
	}
	return max(g.Since, seq)
}

// never is no place in any log.
const never record.Seq = -1

// grownAt lists the fields of a kind that came into sight at a place.
func (p *page) grownAt(k *record.Kind, seq record.Seq) []string {
	for _, g := range p.kind(k).growths {
		if g.Seq == seq {
			return g.Fields
		}
	}
	return nil
}

// grownBefore is the last place before another at which fields of a kind came
// into sight.
func (p *page) grownBefore(k *record.Kind, seq record.Seq) (at record.Seq) {
	for _, g := range p.kind(k).growths {
		if g.Seq < seq {
			at = g.Seq
		}
	}
	return at
}

func (p *page) hiddenOf(k *record.Kind) map[string]bool {
	hidden, known := p.hidden[k]
	if !known {
		hidden = p.actor.Hidden(k)
		p.hidden[k] = hidden
	}
	return hidden
}

// withdraw is what the device may still hold and its person may not see any
// more.
func (p *page) withdraw() []wire.Withdraw {
	if p.req.Cursor == "" {
		return nil
	}
	all := views.Sight{}
	for _, k := range p.schema.Kinds {
		all[k.No] = nil
	}
	var out []wire.Withdraw
	for _, t := range p.views.TakenSince(p.old.head, all) {
		if k := p.schema.KindNo(t.Kind); k != nil {
			out = append(out, wire.Withdraw{Kind: k.Name, Fields: t.Fields})
		}
	}
	return out
}

// wantTold is what the device is shown, when it does not know: it drops what
// lies outside.
func (p *page) wantTold() *wire.Want {
	now := p.views.Now()
	was, known := p.views.At(p.old.head)
	if p.req.Cursor != "" && known && was.SameWant(now) {
		return nil
	}
	w := &wire.Want{From: now.From.Text()}
	if now.Kinds != nil {
		w.Kinds = KindNames(p.schema, now.Kinds)
	}
	return w
}

func (p *page) sightChanged() bool {
	was, known := p.views.At(p.old.head)
	return !known || !was.SameSight(p.views.Now())
}

// schemaFor is the schema without what this actor may not know of.
func (p *page) schemaFor() (json.RawMessage, error) {
	out := record.Schema{Version: p.schema.Version}
	for _, k := range p.schema.Kinds {
		if !p.actor.Reads(k) {
			continue
		}
		visible := *k
		visible.Fields = nil
		hidden := p.hiddenOf(k)
		for _, f := range k.Fields {
			if !hidden[f.Name] {
				visible.Fields = append(visible.Fields, f)
			}
		}
		out.Kinds = append(out.Kinds, &visible)
	}
	return json.Marshal(&out)
}

// digests sum up what the device must hold now, scope by scope.
func (p *page) digests() (map[string]wire.Digest, error) {
	out := make(map[string]wire.Digest, len(p.live))
	held, err := p.tx.Held(p.ctx, slices.Sorted(maps.Keys(p.live)))
	if err != nil {
		return nil, err
	}
	for _, g := range p.live {
		var t wire.Tally
		key := wire.DigestKey(g.Name)
		for _, h := range held[g.Scope] {
			if k := p.schema.KindNo(h.Kind); k != nil && p.shows(k, h.Month) {
				t.Add(wire.Sum(h.ID, h.Seq, key))
			}
		}
		out[g.Name] = t.Digest()
	}
	return out, nil
}
