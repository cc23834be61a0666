package sim

import (
	"slices"
	"time"

	"roadbook/clients/go/localstore"
	"roadbook/sync"
)

// What is long gone is purged, and phones that were away for longer, or whose
// memory has lost or spoilt something, compare what they have.

// purges gives up what went before so long.
func (w *World) purges(engine *sync.Engine, keep string) error {
	d, err := time.ParseDuration(keep)
	if err != nil {
		return err
	}
	p, err := engine.Purge(w.ctx, w.org, d)
	if err != nil {
		return err
	}
	w.say("      the horizon is %d, %d tombstones and %d rows are gone", p.Horizon, p.Records, p.Index+p.Rest)
	w.tables = nil
	for _, p := range w.phones {
		p.steady = false // one that is behind the horizon is told to compare
		if p.clone != nil {
			p.clone.steady = false
		}
	}
	return nil
}

// checks has a phone compare what it holds with what it must hold. With
// "loses=2" every second record of its memory is gone before that.
func (p *phone) checks(s Step) error {
	if st := p.dev.Status(); st.Staged > 0 || st.Cursor == "" {
		return errPassed
	}
	if every := s.number("loses"); every > 0 {
		if err := p.loses(every); err != nil {
			return err
		}
	}
	whole, _, err := p.fetches(s, p.dev.Check)
	if whole {
		p.w.checkWhole(p)
	}
	return err
}

// loses takes some records out of a phone's memory.
func (p *phone) loses(every int) error {
	for _, table := range []string{"base.a", "base.b"} {
		var ids [][]byte
		err := p.memory.Load(table, func(key, _ []byte) error {
			ids = append(ids, slices.Clone(key))
			return nil
		})
		if err != nil {
			return err
		}
		slices.SortFunc(ids, slices.Compare)
		var lost []localstore.Write
		for i := every - 1; i < len(ids); i += every {
			lost = append(lost, localstore.Write{Table: table, Key: ids[i]})
			p.w.say("      %s loses %x", p.name, ids[i])
		}
		if err := p.memory.Write(lost); err != nil {
			return err
		}
	}
	p.steady = false
	return p.open()
}
