package sync

import (
	"context"
	"maps"
	"slices"

	"roadbook/access"
	"roadbook/record"
	"roadbook/store"
)

// View is what a rule may read: records as they stand in the transaction that
// is about to commit. Commits of one org queue, so what it says is true.
type View interface {
	// Records returns the live records of a kind, with the draft in hand.
	Records(ctx context.Context, kind string) ([]*record.Record, error)
	// Kind is a kind of the org's schema by its name, nil if there is none.
	Kind(name string) *record.Kind
}

// Actor is what a rule says of a person: name, roles, and whether he may act.
type Actor struct {
	ID     record.ID
	Name   string
	Roles  []string
	Active bool
}

// Effects is what a rule adds to the commit of the edit that it has checked.
type Effects struct {
	Actors []Actor
	// Grants are the scopes, by name, that each of these people holds from now
	// on. What he held and is not named any more is revoked.
	Grants map[record.ID][]string
}

// Rule is a module's seat before the commit: it may refuse the edit, or add
// effects that are committed with it. was is nil for a record that is new.
type Rule interface {
	Check(ctx context.Context, view View, was, now *record.Record) (Effects, error)
}

// checkRules asks every rule about every record that the mutation changed, also
// by what processes made of it.
func (s *settling) checkRules() error {
	if err := s.goOn(); err != nil {
		return err
	}
	for _, id := range s.order {
		d := s.drafts[id]
		if d.quiet {
			continue
		}
		for _, rule := range s.w.e.Rules {
			effects, err := rule.Check(s.w.ctx, view{s}, d.was, d.now)
			if err != nil {
				return err
			}
			if len(effects.Actors) > 0 || len(effects.Grants) > 0 {
				s.effects = append(s.effects, effects)
			}
		}
	}
	return nil
}

// view is the transaction with the mutation's drafts on top.
type view struct{ s *settling }

// Kind implements View.
func (v view) Kind(name string) *record.Kind { return v.s.w.schema.Kind(name) }

// Records implements View. Only what everybody holds can be listed: people,
// units, products.
func (v view) Records(ctx context.Context, kind string) ([]*record.Record, error) {
	w := v.s.w
	k := w.schema.Kind(kind)
	if k == nil || k.Scope != record.Catalogue {
		return nil, nil
	}
	scope, err := w.scope(k.Scope)
	if err != nil {
		return nil, err
	}
	live, known := w.lists[kind]
	if !known {
		if live, err = w.list(ctx, scope, k); err != nil {
			return nil, err
		}
		w.lists[kind] = live
	}
	var mine []*record.Record
	for _, d := range v.s.drafts {
		if d.now.Kind == k {
			mine = append(mine, d.now)
		}
	}
	if len(mine) == 0 {
		return live, nil
	}
	all := slices.DeleteFunc(slices.Clone(live), func(r *record.Record) bool { return v.s.drafts[r.ID] != nil })
	all = slices.DeleteFunc(append(all, mine...), func(r *record.Record) bool { return r.State == record.Deleted })
	sortByID(all)
	return all, nil
}

// list lists the live records of a kind as this transaction has left them.
func (w *work) list(ctx context.Context, scope record.ScopeID, k *record.Kind) ([]*record.Record, error) {
	if !w.listed[k.Name] {
		if err := w.loadKind(ctx, scope, k); err != nil {
			return nil, err
		}
		w.listed[k.Name] = true
	}
	live := []*record.Record{}
	for _, rec := range w.records {
		if rec != nil && rec.Kind == k && rec.State != record.Deleted {
			live = append(live, rec)
		}
	}
	sortByID(live)
	return live, nil
}

// loadKind loads all records of a kind, unless they are remembered.
func (w *work) loadKind(ctx context.Context, scope record.ScopeID, k *record.Kind) error {
	if all, known := w.mem.lists[k.Name]; known {
		for _, rec := range all {
			if _, known := w.records[rec.ID]; !known {
				w.records[rec.ID], w.was[rec.ID] = rec, rec
			}
		}
		return nil
	}
	rows, err := w.tx.OfKind(ctx, scope, k)
	if err != nil {
		return err
	}
	_, err = w.adopt(rows)
	return err
}

// spread commits what rules have added: people and what they hold, as one row
// of the log together with the mutation that caused it.
func (s *settling) spread(seq record.Seq) error {
	w := s.w
	for _, effects := range s.effects {
		for _, a := range effects.Actors {
			p := store.Person{ID: a.ID, Name: a.Name, Roles: a.Roles, Active: a.Active}
			w.named = append(w.named, p)
			w.people[a.ID] = &p
			delete(w.actors, a.ID)
			w.head.Granted = seq
		}
		if len(effects.Grants) == 0 {
			continue
		}
		regrant, err := w.regrantTo(effects.Grants, seq)
		if err != nil {
			return err
		}
		if len(regrant.Give)+len(regrant.Take) > 0 {
			w.regrant = append(w.regrant, regrant)
			w.head.Granted = seq
		}
	}
	return nil
}

// regrantTo works out what to give and what to take so that people hold just
// these scopes.
func (w *work) regrantTo(want map[record.ID][]string, seq record.Seq) (store.Regrant, error) {
	r := store.Regrant{Seq: seq}
	holders := slices.SortedFunc(maps.Keys(want), func(a, b record.ID) int { return slices.Compare(a[:], b[:]) })
	if err := w.loadHeld(holders); err != nil {
		return r, err
	}
	if err := w.numberScopes(slices.Concat(slices.Collect(maps.Values(want))...)); err != nil {
		return r, err
	}
	for _, holder := range holders {
		wanted := map[record.ScopeID]string{}
		for _, name := range want[holder] {
			id, err := w.scope(name)
			if err != nil {
				return r, err
			}
			wanted[id] = name
		}
		held, owners := w.held[holder], map[record.ID]bool{}
		for _, name := range want[holder] {
			if owner, is := access.OwnerOf(name); is {
				owners[owner] = true
			}
		}
		w.owners[holder] = owners
		for _, id := range slices.Sorted(maps.Keys(held)) {
			if wanted[id] == "" {
				r.Take = append(r.Take, store.Grant{Holder: holder, Scope: id})
				delete(held, id)
			}
		}
		for _, id := range slices.Sorted(maps.Keys(wanted)) {
			if !held[id] {
				r.Give = append(r.Give, store.Grant{Holder: holder, Scope: id, Name: wanted[id], Since: seq})
				held[id] = true
			}
		}
		delete(w.actors, holder)
	}
	return r, nil
}

// loadHeld loads what people hold, so that it can be followed through the
// transaction.
func (w *work) loadHeld(holders []record.ID) error {
	var unknown []record.ID
	for _, h := range holders {
		if w.held[h] == nil {
			w.held[h] = map[record.ScopeID]bool{}
			unknown = append(unknown, h)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	grants, err := w.tx.Grants(w.ctx, unknown, 1<<62)
	for _, g := range grants {
		w.held[g.Holder][g.Scope] = true
	}
	return err
}
