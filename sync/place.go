package sync

import (
	"slices"

	"roadbook/access"
	"roadbook/record"
)

// scopeNames are the scopes that a record belongs in, worked out from what it
// is now: those of its owner, its root's owner, its own and its root's
// collaborators. They are never moved from one to another, always worked out
// anew, so that no order of events can leave them wrong.
func scopeNames(r, root *record.Record) []string {
	switch r.Kind.Scope {
	case "":
	case record.Private: // he alone holds what is shared with him
		return []string{access.SharedPrefix + r.Owner.String()}
	default:
		return []string{r.Kind.Scope}
	}
	names := []string{access.OwnerPrefix + r.Owner.String()}
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, c := range r.Texts("collaborators") {
		add(access.SharedPrefix + c)
	}
	if root != nil && root.ID != r.ID {
		add(access.OwnerPrefix + root.Owner.String())
		for _, c := range root.Texts("collaborators") {
			add(access.SharedPrefix + c)
		}
	}
	return names
}

// scopesOf numbers the scopes in which a record would be if it were live.
func (s *settling) scopesOf(r *record.Record) ([]record.ScopeID, error) {
	root, err := s.find(r.Root)
	if err != nil {
		return nil, err
	}
	names, err := s.w.namesOf(r, root)
	if err != nil {
		return nil, err
	}
	return s.w.scopeIDs(names)
}

func (w *work) scopeIDs(names []string) ([]record.ScopeID, error) {
	if err := w.numberScopes(names); err != nil {
		return nil, err
	}
	ids := make([]record.ScopeID, 0, len(names))
	for _, name := range names {
		id, err := w.scope(name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return sortedScopes(ids), nil
}

// sees reports whether a record is there for the actor. A tombstone is, if the
// record would be.
func (s *settling) sees(r *record.Record) (bool, error) {
	scopes := r.Scopes
	if r.State == record.Deleted && !s.actor.System {
		var err error
		if scopes, err = s.scopesOf(r); err != nil {
			return false, err
		}
	}
	if d := s.drafts[r.ID]; d != nil && d.was == nil {
		return true, nil // made by this very mutation
	}
	return s.actor.Sees(r.Kind, scopes), nil
}

// place puts a record into its scopes, and asks for its subtree to follow if
// that may have to.
func (s *settling) place(d *draft) error {
	r := d.now
	changed := d.was != nil && (d.was.Owner != r.Owner || d.was.Root != r.Root ||
		string(d.was.Raw("collaborators")) != string(r.Raw("collaborators")))
	moved := d.was == nil || d.was.State != r.State || changed
	if changed && r.Kind.Scope == "" {
		s.rescope = append(s.rescope, r.ID)
	}
	if moved {
		var want []record.ScopeID
		if r.State == record.Live {
			var err error
			if want, err = s.scopesOf(r); err != nil {
				return err
			}
		}
		if enter(r, want, s.by.Seq) {
			d.left = s.by.Seq
		}
	}
	if d.was != nil && d.was.Month != r.Month {
		for i := range r.Entered {
			r.Entered[i] = s.by.Seq // a period is part of a scope: the record comes in anew
		}
	}
	return nil
}

// enter gives a record the scopes that it belongs in; where it was already, it
// keeps since when. It reports whether one was left.
func enter(r *record.Record, want []record.ScopeID, at record.Seq) (left bool) {
	entered := make([]record.Seq, len(want))
	kept := 0
	for i, scope := range want {
		since, was := r.In(scope)
		if was {
			kept++
		} else {
			since = at
		}
		entered[i] = since
	}
	left = kept < len(r.Scopes)
	r.Scopes, r.Entered = want, entered
	return left
}

// sortByID makes the order of what came out of a map the same every time.
func sortByID(recs []*record.Record) {
	slices.SortFunc(recs, func(a, b *record.Record) int { return slices.Compare(a.ID[:], b.ID[:]) })
}
