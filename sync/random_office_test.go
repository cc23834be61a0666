package sync_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync"
	"roadbook/sync/wire"
	"roadbook/version"
)

// wants narrows or widens the period of a phone, or what kinds it holds. What
// it does not say stays.
func (s *story) wants(p *player) {
	switch {
	case s.chance(40):
		s.pins(p)
		return
	case s.chance(50):
		p.from = fmt.Sprintf("2026-%02d", 5+s.rng.IntN(7))
	case s.chance(10):
		p.from = ""
	case s.chance(30):
		p.kinds = []string{}
	case s.chance(10):
		p.kinds = nil
	default:
		p.kinds = slices.DeleteFunc([]string{"account", "contact", "visit_plan", "task", "conflict", "user", "unit", "nothing"},
			func(string) bool { return s.chance(30) })
	}
	s.say("%s wants %v from %q on", p.name, p.kinds, p.from)
}

// pins names accounts that the phone is to hold, some that its owner sees and
// some that he does not; or none, or what it had.
func (s *story) pins(p *player) {
	p.pins = []record.ID{}
	for _, r := range s.records() {
		if s.chance(25) && (r.kind.Name == "account" || s.chance(10)) && len(p.pins) < wire.MaxPins {
			p.pins = append(p.pins, r.id)
		}
	}
	switch {
	case s.chance(15):
		p.pins = nil
	case s.chance(25):
		p.pins = []record.ID{}
	}
	s.say("%s pins %d: %v", p.name, len(p.pins), p.pins)
}

func monthOf(text string) record.Month {
	t, err := time.Parse("2006-01", text[:min(7, len(text))])
	if err != nil {
		return 0
	}
	return record.Month((t.Year()-2000)*12 + int(t.Month()))
}

func (s *story) moves() {
	more, err := s.engine.RescopeChunk(context.Background(), s.org)
	require.NoError(s.t, err)
	if more {
		s.say("a chunk of a subtree moves")
	}
}

// sweeps deletes what dead rows of the index a server would sweep, some now,
// some later.
func (s *story) sweeps() {
	tag, err := s.pool.Exec(context.Background(), `DELETE FROM scope_index i WHERE i.org = $1 AND i.op = 0 AND EXISTS (
		SELECT FROM scope_index o WHERE o.org = i.org AND o.scope = i.scope AND o.rec = i.rec AND o.seq > i.seq)`, s.org)
	require.NoError(s.t, err)
	s.say("%d dead rows of the index are swept", tag.RowsAffected())
}

// administers has the server change records, people and units.
func (s *story) administers() {
	ctx := context.Background()
	edit := func(kind string, id record.ID, set record.Values) record.Edit {
		return record.Edit{Op: record.OpEdit, Kind: kind, ID: id, Set: set}
	}
	var e record.Edit
	switch x := s.rng.IntN(100); {
	case x < 20:
		var unit any
		if s.chance(50) {
			unit = s.person(s.org, "team")
		}
		e = edit("user", s.somebody(), values("unit", unit))
	case x < 28:
		e = edit("unit", s.person(s.org, "team"), values("manager", s.somebody()))
	case x < 38:
		e = edit("user", s.somebody(), values("status", pick(s.rng, []string{"active", "active", "left"})))
	case x < 52:
		e = record.Edit{Op: record.OpEdit, Kind: "user", ID: s.somebody()}
		if role := []string{pick(s.rng, []string{"manager", "service", "rep"})}; s.chance(50) {
			e.Add = values("roles", role)
		} else {
			e.Remove = values("roles", role)
		}
	default:
		var ok bool
		if e, ok = s.changesAny(); !ok {
			return
		}
	}
	m := record.Mutation{ID: s.id(), Stamp: version.StampAt(s.now()), Edits: []record.Edit{e}}
	s.typedBy[m.ID] = s.officeTyping(e)
	s.noteValues(m.ID, m.Edits)
	outcomes, err := s.engine.Commit(ctx, s.org, []sync.Proposal{{Mutation: m}})
	require.NoError(s.t, err)
	s.noteOutcome(outcomes[0])
	s.say("the office: %s: %s at %d", s.words(m.Edits), outcomes[0].Result, outcomes[0].Seq)
}

// officeTyping knows whatever is there.
func (s *story) officeTyping(e record.Edit) *typing {
	ty := &typing{who: "the office", edits: []record.Edit{e}, known: map[place]map[record.ID]bool{}}
	for _, r := range s.records() {
		for _, v := range e.Set {
			if at := (place{r.id, v.Field}); r.id == e.ID {
				ty.known[at] = s.knownTo(string(r.fields.Get(v.Field)), at)
			}
		}
	}
	return ty
}

// changesAny is an edit of any record at all, as it stands now.
func (s *story) changesAny() (record.Edit, bool) {
	all := s.records()
	all = slices.DeleteFunc(all, func(r row) bool {
		return r.kind.Name == "user" || r.kind.Name == "unit" || r.kind.Name == "conflict"
	})
	if len(all) == 0 {
		return record.Edit{}, false
	}
	r := pick(s.rng, all)
	e := record.Edit{Op: record.OpEdit, Kind: r.kind.Name, ID: r.id, Seen: version.Vector{version.Log: uint64(s.head())}}
	if r.deleted {
		e.Op = record.OpRestore
		return e, true
	}
	x := s.rng.IntN(100)
	switch {
	case x < 8:
		e.Op = record.OpDelete
	case r.kind.Name == "account" && x < 30:
		e.Set = values("source", pick(s.rng, []string{"referral", "campaign", "online"})) // reps do not see it
	case r.kind.Name == "account" && x < 45:
		e.Set = values("industry", pick(s.rng, []string{"retail", "hotel", "online"})) // only the desk and managers do
	case r.kind.Name == "account" && x < 65:
		e.Set = values("owner", s.somebody())
	case r.kind.Name == "account" && x < 75:
		e.Add = values("collaborators", []any{s.somebody()})
	case r.kind.Name == "contact" && x < 50:
		accounts := slices.DeleteFunc(all, func(r row) bool { return r.kind.Name != "account" || r.deleted })
		if len(accounts) == 0 {
			return e, false
		}
		e.Set = values("account", pick(s.rng, accounts).id)
	case r.kind.Name == "visit_plan":
		e.Set = values("date", s.day())
	case r.kind.Name == "task":
		e.Set = values("title", s.value())
	default:
		e.Set = values("name", s.value())
	}
	return e, true
}
