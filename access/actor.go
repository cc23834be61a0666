package access

import (
	"slices"

	"roadbook/errs"
	"roadbook/record"
)

// Actor is somebody with the rights that he has now.
type Actor struct {
	Person record.ID
	Roles  []string
	Active bool
	System bool // the server itself, for the org
	Scopes map[record.ScopeID]bool
	Owners map[record.ID]bool // whose records he holds: his own, and those of the people below him
}

// kindRights is what a role may do with kinds; "*" is every kind that is not
// in the catalogue. What is private is its owner's, whatever his role.
type kindRights struct{ read, write []string }

// policy is the shipped one. Everybody reads the catalogue.
var policy = map[Role]kindRights{
	Rep:     {read: []string{"*"}, write: []string{"*"}},
	Manager: {read: []string{"*"}, write: []string{"*"}},
	Service: {read: []string{"account", "contact", "task", "reminder", "request", "merge_redirect", "approval", "approval_decision"}, write: []string{"account", "contact", "task", "reminder", "request", "approval_decision"}},
	Finance: {read: []string{"account", "contact", "task", "reminder", "request", "merge_redirect", "approval", "approval_decision"}, write: []string{"reminder", "request", "approval_decision"}},
	ERP:     {read: []string{"account", "contact", "task", "request", "merge_redirect", "approval", "approval_decision"}, write: []string{"request", "approval_decision"}},
	Admin:   {read: []string{"*", record.Catalogue}, write: []string{"*", record.Catalogue}},
}

func covers(kinds []string, k *record.Kind) bool {
	switch k.Scope {
	case record.Catalogue:
		return slices.Contains(kinds, record.Catalogue)
	case record.Private:
		return len(kinds) > 0 // of whoever has a role
	}
	return slices.Contains(kinds, "*") || slices.Contains(kinds, k.Name)
}

func (a *Actor) any(may func(Role) bool) bool {
	return a.System || a.Active && slices.ContainsFunc(a.Roles, func(r string) bool { return may(Role(r)) })
}

// Reads reports whether a kind is for this actor at all.
func (a *Actor) Reads(k *record.Kind) bool {
	if k.Scope == record.Catalogue {
		return a.System || a.Active
	}
	return a.any(func(r Role) bool { return covers(policy[r].read, k) })
}

func (a *Actor) writes(k *record.Kind) bool {
	return a.any(func(r Role) bool { return covers(policy[r].write, k) })
}

// Sees reports whether a record of this kind that lies in these scopes is
// there for the actor.
func (a *Actor) Sees(k *record.Kind, scopes []record.ScopeID) bool {
	if a.System {
		return true
	}
	return a.Reads(k) && slices.ContainsFunc(scopes, func(s record.ScopeID) bool { return a.Scopes[s] })
}

// CheckWrite refuses what the actor may not create or edit, of a kind that he
// may see.
func (a *Actor) CheckWrite(k *record.Kind) error {
	switch {
	case a.writes(k):
		return nil
	case k.Scope == record.Catalogue:
		return errs.New("access.CheckWrite", errs.Denied, "only an administrator may change this").Coded("catalogue")
	}
	return errs.New("access.CheckWrite", errs.Denied, "your role may not change this").Coded("denied")
}

// Answers reports whether the actor answers for a field that is owned.
func (a *Actor) Answers(f *record.Field) bool {
	return a.System || a.any(func(r Role) bool { return string(r) == f.By })
}

// Leads reports whether somebody is the actor's to lead, or he administers the
// org.
func (a *Actor) Leads(person record.ID) bool {
	return a.any(func(r Role) bool { return r == Admin || r == Manager && a.Owners[person] })
}

// CheckDelete refuses to delete or bring back what is neither the actor's own
// nor that of somebody below him.
func (a *Actor) CheckDelete(k *record.Kind, owner record.ID) error {
	if err := a.CheckWrite(k); err != nil {
		return err
	}
	if owner != a.Person && !a.Leads(owner) {
		return errs.New("access.CheckDelete", errs.Denied, "only its owner or a manager may delete this").Coded("denied")
	}
	return nil
}

// Hidden lists the fields of a kind that the actor may not see.
func (a *Actor) Hidden(k *record.Kind) map[string]bool {
	var hidden map[string]bool
	for _, f := range k.Fields {
		if !a.System && !f.ReadableBy(a.Roles) {
			if hidden == nil {
				hidden = map[string]bool{}
			}
			hidden[f.Name] = true
		}
	}
	return hidden
}

// Hides reports whether a field, or the map that a key is of, is not for this
// actor to see.
func (a *Actor) Hides(k *record.Kind, name string) bool {
	f := k.Field(name)
	if f == nil || a.System {
		return false
	}
	return !f.ReadableBy(a.Roles)
}
