package sim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	device "roadbook/clients/go"
	"roadbook/errs"
	"roadbook/record"
)

// What devices promise from their reserves: "lin reserves b1 discount 40",
// "lin spends 7", "lin numbers", "lin returns b1", "chen reclaims r<id>". More is
// never spent of a budget than was put into it, and no number is given to two.

// pots are what there is to reserve from, and the field.
var pots = map[string]string{"b1": "discount", "s1": "issued"}

// given is to what a number was given: by which mutation, from which reserve and
// in which life of the server.
type given struct {
	by, reserve record.ID
	life        int
}

// promises has somebody do something with a reserve.
func (p *phone) promises(s Step) error {
	number, from := "", record.NoID
	var err error
	switch s.Does {
	case "reserves":
		amount, bad := strconv.ParseInt(s.Args[2], 10, 64)
		if bad != nil {
			return bad
		}
		_, err = p.dev.Reserve(p.w.kindOf(s.Args[0]), p.w.idOf(s.Args[0]), s.Args[1], amount)
	case "spends":
		amount, bad := strconv.ParseInt(s.Args[0], 10, 64)
		if bad != nil {
			return bad
		}
		from = p.reserveOf("b1")
		_, err = p.dev.Mutate(func(t *device.Typing) error { t.Spend(from, amount); return nil })
	case "numbers":
		from = p.reserveOf("s1")
		_, err = p.dev.Mutate(func(t *device.Typing) error { number = t.Number(from); return nil })
	case "returns":
		err = p.dev.Return(p.reserveOf(s.Args[0]))
	case "reclaims":
		err = p.dev.Edit("reserve", p.w.idOf(s.Args[0]), func(dr *device.Draft) { dr.Set("closed", "reclaimed") })
	}
	var why *errs.Error
	switch {
	case errors.As(err, &why) && why.Kind != errs.Internal:
		return fmt.Errorf("%w: %w", errPassed, err)
	case err != nil:
		return err
	}
	if err := p.mayPromise(from); err != nil {
		return err
	}
	m := p.dev.Outbox()[len(p.dev.Outbox())-1]
	p.w.noteTyping(p, &m, nil)
	p.w.typed[m.ID].number = number
	p.w.say("%s      [n %d] %s", s, m.N, number)
	return nil
}

// mayPromise makes sure that nobody promises from what a server that is put back
// would not know of, once he has heard that there is a second machine.
func (p *phone) mayPromise(from record.ID) error {
	if from.IsZero() || p.w.alike || p.dev.Status().Durable.Seq == 0 {
		return nil
	}
	if err := p.w.replay.follow(); err != nil {
		return err
	}
	if at, is := p.w.replay.granted[from]; !is || at > p.w.safe() {
		p.w.finds("%s promises from r%s, which was granted at %d, and only what is up to %d is safe", p.name, from, at, p.w.safe())
	}
	return nil
}

// reserveOf is what a phone can promise from, of one pot.
func (p *phone) reserveOf(pot string) record.ID {
	counter := p.w.idOf(pot).String()
	for _, v := range p.dev.Reserves() {
		if v.Text("record") == counter {
			return v.ID
		}
	}
	return record.NoID
}

// promised takes in what an accepted edit takes from a reserve or puts into a
// pot.
func (r *replay) promised(ty *typing, e loggedEdit, seq record.Seq) {
	switch e.Kind {
	case "budget":
		for _, vs := range []record.Values{e.Set, e.Inc} {
			if raw := vs.Get("discount"); raw != nil && (e.Op == record.OpCreate || e.Inc != nil) {
				r.put += number(raw)
			}
		}
	case "reserve":
		if e.Op == record.OpCreate {
			r.granted[e.ID] = seq
		}
		r.spent -= number(e.Inc.Get("left"))
		if ty.number == "" {
			return
		}
		was, known := r.w.given[ty.number]
		if known && was.by != ty.id && (was.reserve != e.ID || was.life == r.w.life) {
			r.w.finds("the number %s was given to %s and to %s", ty.number, r.w.typed[was.by], ty)
		}
		r.w.given[ty.number] = given{ty.id, e.ID, r.w.life}
	}
}

// counts follows what the server itself counts.
func (r *replay) counts(kind *record.Kind, e loggedEdit) {
	for _, vs := range []record.Values{e.Set, e.Inc} {
		for _, v := range vs {
			if f := kind.Field(v.Field); f != nil && f.Policy == record.Counter {
				r.count[place{e.ID, v.Field}] += number(v.Raw)
			}
		}
	}
}

// checkPots makes sure that what is left, what is reserved and what is spent are
// what was put in.
func (r *replay) checkPots(t *tables) {
	left := int64(0)
	for _, rec := range t.order {
		for kind, field := range map[string]string{"budget": "discount", "reserve": "left"} {
			if rec.kind.Name != kind {
				continue
			}
			n := number(rec.fields.Get(field))
			if n < 0 {
				r.w.finds("%s of %s %s is %d", field, kind, rec.id, n)
			}
			left += n
		}
	}
	if r.put != left+r.spent {
		r.w.finds("%d were put into budgets, %d are left and %d are spent", r.put, left, r.spent)
	}
}

// promise has somebody reserve, promise from it, and give it back.
func (g *generator) promise(p *phone) Step {
	var reserves []device.View
	for _, v := range p.dev.List("reserve") {
		if v.Raw("closed") == nil && v.Raw("device") != nil {
			reserves = append(reserves, v)
		}
	}
	pot := pick(g, "b1", "b1", "s1")
	x := g.rng.IntN(100)
	switch {
	case len(reserves) > 0 && x < 8:
		return g.begin(p.name, "reclaims", "r"+pick(g, reserves...).ID.String())
	case x < 18:
		return g.begin(p.name, "returns", pot)
	case p.reserveOf(pot).IsZero():
		return g.begin(p.name, "reserves", pot, pots[pot], strconv.Itoa(1+g.rng.IntN(30)))
	case pot == "s1":
		return g.begin(p.name, "numbers")
	}
	return g.begin(p.name, "spends", strconv.Itoa(1+g.rng.IntN(12)))
}

var promising = []string{"reserves", "spends", "numbers", "returns", "reclaims"}

func isPromise(does string) bool { return slices.Contains(promising, does) }
