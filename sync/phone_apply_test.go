package sync_test

import (
	"slices"

	"github.com/stretchr/testify/require"

	"roadbook/sync/pages"
	"roadbook/sync/wire"
	"roadbook/version"
)

// take applies a page, or keeps it until the last has come.
func (p *phone) take(page wire.PullAnswer) {
	p.w.t.Helper()
	if !p.stages {
		p.apply(page)
		return
	}
	p.staged, p.ahead = append(p.staged, page), page.Cursor
	if page.Complete {
		for _, s := range p.staged {
			p.apply(s)
		}
		p.crash()
	}
}

// crash forgets what is not on disk: staged pages, and with them the cursor
// behind them.
func (p *phone) crash() { p.staged, p.ahead = nil, "" }

func (p *phone) apply(page wire.PullAnswer) {
	p.w.t.Helper()
	for _, scope := range page.DropScopes {
		for id, h := range p.base {
			if delete(h.in, scope); len(h.in) == 0 {
				delete(p.base, id)
			}
		}
	}
	for _, wd := range page.Withdraw {
		p.withdraw(wd)
	}
	if page.Want != nil {
		p.shown = page.Want.From
		p.limit(*page.Want)
	}
	for _, c := range page.Changes {
		p.applyChange(c)
	}
	p.settle(page.Outcomes)
	p.cursor, p.epoch = page.Cursor, page.Epoch
	p.high = version.Later(p.high, page.High)
	if page.Complete {
		base := p.place().Base()
		p.settled = slices.DeleteFunc(p.settled, func(m judged) bool { return m.seq <= base })
	}
}

// withdraw takes away what its owner may not see any more.
func (p *phone) withdraw(w wire.Withdraw) {
	for id, h := range p.base {
		switch {
		case h.kind != w.Kind:
		case w.Fields == nil:
			delete(p.base, id)
		default:
			for _, f := range w.Fields {
				delete(h.set, f)
			}
		}
	}
}

// limit drops what the phone does not want any more.
func (p *phone) limit(w wire.Want) {
	for id, h := range p.base {
		m := monthOf(p.text(id, "date"))
		old := h.kind == "visit_plan" && m != 0 && m < monthOf(w.From)
		if old || w.Kinds != nil && !slices.Contains(w.Kinds, h.kind) {
			delete(p.base, id)
		}
	}
}

// place is what the phone's cursor says; a real one cannot read it.
func (p *phone) place() pages.Cursor {
	p.w.t.Helper()
	place, err := p.w.engine.PlaceOf(p.who, p.cursor)
	require.NoError(p.w.t, err)
	return place
}

func (p *phone) applyChange(c wire.Change) {
	p.w.t.Helper()
	if c.Gone != "" {
		require.False(p.w.t, c.Full || c.Set != nil || c.In != nil, "%s is gone and there", c.ID)
		delete(p.base, c.ID)
		return
	}
	h := p.base[c.ID]
	if c.Full {
		h = &held{kind: c.Kind, set: map[string]string{}}
		p.base[c.ID] = h
	}
	require.NotNil(p.w.t, h, "a part of %s, which this phone does not hold", c.ID)
	for _, v := range c.Set {
		h.set[v.Field] = string(v.Raw)
	}
	h.seq = c.Seq
	if c.In != nil {
		h.in = map[string]bool{}
		for _, scope := range c.In {
			h.in[scope] = true
		}
	}
	require.NotEmpty(p.w.t, h.in, "%s is held through no scope", c.ID)
}
