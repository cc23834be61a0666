package sync_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync"
	"roadbook/sync/wire"
)

func (s *story) pushes(p *player) {
	if len(p.outbox) == 0 {
		return
	}
	some := 1 + s.rng.IntN(p.ready())
	body := p.bytes(some)
	if s.chance(15) {
		s.late = append(s.late, lateFrame{p.phone, body, p.name})
	}
	if s.chance(10) {
		s.say("%s's push of %d is lost on the way", p.name, some)
		return
	}
	outcomes, err := p.send(body)
	s.answered(p, some, outcomes, err, s.chance(15))
}

func (s *story) pushTogether() {
	var all []sync.Together
	var who []*player
	for _, i := range s.rng.Perm(len(s.phones)) {
		if p := s.phones[i]; len(p.outbox) > 0 {
			some := 1 + s.rng.IntN(p.ready())
			all = append(all, sync.Together{Who: p.who, Frame: s.read(p.bytes(some))})
			who = append(who, p)
			if s.chance(20) { // the same once more in the same moment
				all = append(all, sync.Together{Who: p.who, Frame: s.read(p.bytes(1 + s.rng.IntN(some)))})
				who = append(who, p)
			}
		}
	}
	s.say("at once:")
	sizes := make([]int, len(all))
	for i := range all {
		sizes[i] = len(all[i].Frame.Mutations)
	}
	s.engine.PushTogether(context.Background(), s.org, all)
	for i, one := range all {
		var outcomes []record.Outcome
		if one.Answer != nil {
			outcomes = one.Answer.Outcomes
		}
		s.answered(who[i], sizes[i], outcomes, one.Err, s.chance(15))
	}
}

// answered has a phone take the answer to a push, unless it is lost.
func (s *story) answered(p *player, some int, outcomes []record.Outcome, err error, lost bool) {
	var problem *wire.Failure
	switch {
	case errors.As(err, &problem) && problem.More.FromN > 0:
		outcomes = problem.More.Outcomes
	default:
		require.NoError(s.t, err)
		require.Len(s.t, outcomes, some)
	}
	var words []string
	for _, o := range outcomes {
		s.noteOutcome(o)
		word := fmt.Sprintf("n %d %s at %d", o.N, o.Result, o.Seq)
		if o.Refusal != nil {
			word += " (" + o.Refusal.Code + ")"
		}
		for _, c := range o.Clashes {
			word += fmt.Sprintf(" %s: %s over %s", c.Field, c.Kept, c.Lost)
		}
		words = append(words, word)
	}
	suffix := ""
	if lost {
		suffix = ", answer lost"
	}
	s.say("%s pushes: %s%s", p.name, strings.Join(words, ", "), suffix)
	if lost {
		return
	}
	p.settle(outcomes)
	if problem != nil {
		s.relabels(p, problem.More)
	}
}

func (s *story) noteOutcome(o record.Outcome) {
	ty := s.typedBy[o.ID]
	require.NotNil(s.t, ty, "a verdict on what nobody typed")
	if ty.outcome == nil {
		ty.outcome = &o
		return
	}
	require.Equal(s.t, ty.outcome.Result, o.Result, "another verdict than the first time on %s", s.words(ty.edits))
}

func (s *story) lateArrives() {
	if len(s.late) == 0 {
		return
	}
	i := s.rng.IntN(len(s.late))
	l := s.late[i]
	s.late = slices.Delete(s.late, i, i+1)
	outcomes, err := s.engine.Push(context.Background(), l.p.who, s.read(l.body))
	var problem *wire.Failure
	if err != nil && !errors.As(err, &problem) {
		require.NoError(s.t, err)
	}
	s.say("a late duplicate of %s's push arrives", l.who)
	if outcomes != nil {
		for _, o := range outcomes.Outcomes {
			s.noteOutcome(o)
		}
	}
}

func (s *story) pulls(p *player) {
	p.max = pick(s.rng, []int{1, 300, 1500, 900_000})
	r := p.request()
	page := p.ask(r)
	var words []string
	for _, c := range page.Changes {
		word := short(c.ID) + "@" + c.Seq.String()
		switch {
		case c.Gone != "":
			word += " " + string(c.Gone)
		case c.Full:
			word += " full"
		}
		for _, v := range c.Set {
			if !c.Full {
				word += " " + v.Field
			}
		}
		words = append(words, word)
	}
	lost := s.chance(12)
	place, err := s.engine.PlaceOf(p.who, page.Cursor)
	require.NoError(s.t, err)
	s.say("%s pulls: drops %d, %s; complete %v, filling %v, base %d, pos %d, lost %v",
		p.name, len(page.DropScopes), strings.Join(words, ", "), page.Complete, page.Filling, place.Base(), place.Pos(), lost)
	if lost {
		return
	}
	for _, o := range page.Outcomes {
		s.noteOutcome(o)
	}
	p.take(page)
	if page.Complete {
		s.checkPhone(p, page)
	}
}

// backsUp copies a phone's whole store.
func (s *story) backsUp(p *player) {
	c := *p.phone
	c.outbox, c.settled = slices.Clone(p.outbox), slices.Clone(p.settled)
	c.base, c.outs, c.names = map[record.ID]*held{}, map[record.ID]record.Outcome{}, maps.Clone(p.names)
	for id, h := range p.base {
		n := &held{kind: h.kind, seq: h.seq, set: map[string]string{}, in: map[string]bool{}}
		for k, v := range h.set {
			n.set[k] = v
		}
		for k := range h.in {
			n.in[k] = true
		}
		c.base[id] = n
	}
	c.crash()
	p.backup = &player{
		phone: &c, name: p.name, login: p.login,
		gone: slices.Clone(p.gone), relabels: slices.Clone(p.relabels), units: maps.Clone(p.units),
	}
	s.say("%s's phone is backed up at n %d", p.name, p.n)
}

// restores puts a phone's backup back, onto it or onto a second phone that
// goes on beside it.
func (s *story) restores(p *player) {
	if p.backup == nil {
		return
	}
	b := p.backup
	p.backup = nil
	if s.chance(40) && len(s.phones) < 8 {
		b.name = p.name + "'s twin"
		s.phones = append(s.phones, b)
		s.say("%s's backup goes onto a second phone", p.name)
		return
	}
	kept := map[record.ID]bool{}
	for _, m := range b.outbox {
		kept[m.ID] = true
	}
	for _, m := range p.outbox {
		if !kept[m.ID] {
			s.typedBy[m.ID].excused = true
		}
	}
	s.phones[slices.Index(s.phones, p)] = b
	s.say("%s's phone is restored from its backup, to n %d", p.name, b.n)
}

// relabels gives a phone that met its twin a new name: from the first number
// that differs on, mutations keep their id and get new numbers.
func (s *story) relabels(p *player, more wire.Problem) {
	p.relabels = append(p.relabels, p.replica)
	p.replica, p.n, p.names = more.Replica, 0, map[uint64]record.ID{}
	for i := range p.outbox {
		p.n++
		p.outbox[i].N, p.names[p.n] = p.n, p.outbox[i].ID
	}
	s.say("%s's phone is a copy and gets a new name from n %d on, with %d to send", p.name, more.FromN, len(p.outbox))
}
