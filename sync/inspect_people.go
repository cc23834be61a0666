package sync

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"roadbook/access"
	"roadbook/record"
	"roadbook/store"
)

// Deriver is a rule whose effects follow from the records as they stand, so
// that they can be worked out anew.
type Deriver interface {
	Rule

	// Derive names everybody, and all that each of them holds.
	Derive(ctx context.Context, view View) (Effects, error)
}

// people compares who may act, and what everybody holds, with what the rules
// say of it. The org's commits wait while it reads.
func (i *inspection) people() (err error) {
	var wrong wrongPeople
	if i.mend {
		err = i.e.submit(i.ctx, i.org, &job{who: access.Caller{Org: i.org}, run: func(w *work) (err error) {
			if wrong, err = w.wrongPeople(); err == nil && len(wrong.found) > 0 {
				w.mendPeople(wrong)
			}
			return err
		}})
	} else {
		wrong, err = i.lookAtPeople()
	}
	i.done.People = wrong.looked
	for _, f := range wrong.found {
		f.Mended = i.mend
		i.tell(f)
	}
	return err
}

// lookAtPeople gives its turn up.
func (i *inspection) lookAtPeople() (wrongPeople, error) {
	turn := i.e.Store.Turn(i.org, nil, nil)
	defer turn.End(i.ctx)
	w, err := i.e.begin(i.ctx, turn, newMemory(0), true)
	if err != nil {
		return wrongPeople{}, err
	}
	return w.wrongPeople()
}

type wrongPeople struct {
	found   []Finding
	looked  int
	actors  []store.Person
	regrant store.Regrant
}

func (w *work) wrongPeople() (wrong wrongPeople, err error) {
	want, derived := map[record.ID][]string{}, false
	for _, rule := range w.e.Rules {
		d, is := rule.(Deriver)
		if !is {
			continue
		}
		derived = true
		effects, err := d.Derive(w.ctx, view{&settling{w: w}})
		if err != nil {
			return wrong, err
		}
		maps.Copy(want, effects.Grants)
		if err := w.wrongActors(effects.Actors, &wrong); err != nil {
			return wrong, err
		}
	}
	if !derived {
		return wrong, nil
	}
	if err := w.wantPins(want); err != nil {
		return wrong, err
	}
	wrong.looked = len(want)
	if wrong.regrant, err = w.regrantTo(want, w.head.Seq+1); err != nil {
		return wrong, err
	}
	return wrong, w.tellGrants(&wrong)
}

func (w *work) wrongActors(actors []Actor, wrong *wrongPeople) error {
	ids := make([]record.ID, len(actors))
	for k, a := range actors {
		ids[k] = a.ID
	}
	is, err := w.tx.People(w.ctx, ids)
	if err != nil {
		return err
	}
	known := make(map[record.ID]store.Person, len(is))
	for _, p := range is {
		known[p.ID] = p
	}
	for _, a := range actors {
		p, there := known[a.ID]
		if there && p.Name == a.Name && p.Active == a.Active && slices.Equal(p.Roles, a.Roles) {
			continue
		}
		wrong.actors = append(wrong.actors, store.Person{ID: a.ID, Name: a.Name, Roles: a.Roles, Active: a.Active})
		wrong.found = append(wrong.found, Finding{What: WrongPeople, Text: fmt.Sprintf(
			"%s has the roles %v (active: %t), and the record says %v (active: %t)", a.ID, p.Roles, p.Active, a.Roles, a.Active)})
	}
	return nil
}

// wantPins adds what devices have pinned. Whoever holds something and is
// neither a person nor has pinned it holds nothing.
func (w *work) wantPins(want map[record.ID][]string) error {
	holders, err := w.tx.Holders(w.ctx)
	if err != nil {
		return err
	}
	for _, h := range holders {
		if _, person := want[h]; person {
			continue
		}
		pins, err := w.pinsOf(h)
		if err != nil {
			return err
		}
		want[h] = []string{}
		for _, rec := range pins {
			want[h] = append(want[h], accountScope(rec))
		}
	}
	return nil
}

func (w *work) tellGrants(wrong *wrongPeople) error {
	var scopes []record.ScopeID
	for _, g := range wrong.regrant.Take {
		scopes = append(scopes, g.Scope)
	}
	names, err := w.tx.ScopeNames(w.ctx, scopes)
	for _, g := range wrong.regrant.Take {
		wrong.found = append(wrong.found, Finding{What: WrongGrants, Text: fmt.Sprintf("%s holds %s, and must not", g.Holder, names[g.Scope])})
	}
	for _, g := range wrong.regrant.Give {
		wrong.found = append(wrong.found, Finding{What: WrongGrants, Text: fmt.Sprintf("%s does not hold %s, and must", g.Holder, g.Name)})
	}
	return err
}

// mendPeople commits them, as one row of the log: a grant begins there, and
// devices fill it.
func (w *work) mendPeople(wrong wrongPeople) {
	seq := w.next()
	w.regrant = append(w.regrant, wrong.regrant)
	for _, p := range wrong.actors {
		w.named = append(w.named, p)
		w.people[p.ID] = &p
		delete(w.actors, p.ID)
	}
	w.head.Granted = seq
	w.logMend(seq, "people", len(wrong.found))
}
