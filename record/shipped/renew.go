package shipped

import (
	"slices"

	"roadbook/record"
)

// Renewed gives the schema of an org from before what has come into the standard
// since: kinds, fields, look-ups, rules for duplicates. What an org has of its
// own stays as it is, and so does what it has taken out again: each edition of
// the standard is offered once. If there is nothing to change the answer is nil.
//
// A server of an older release cannot read a schema with a policy that it does
// not know. alone says that none is left, so that fields get those as well.
func Renewed(s *record.Schema, alone bool) (*record.Schema, error) {
	out := s
	steps := []func(*record.Schema) (*record.Schema, error){withLookups, withDuplicates, withAdded}
	if alone {
		steps = append(steps, withPolicies)
	}
	for _, step := range steps {
		next, err := step(out)
		if err != nil {
			return nil, err
		}
		if next != nil {
			out = next
		}
	}
	if out == s {
		return nil, nil //nolint:nilnil // there is nothing to change
	}
	out.Standard = max(out.Standard, Schema().Standard)
	if alone {
		out.Policies = max(out.Policies, Schema().Policies)
	}
	return copied(out)
}

// addition is what came into the standard with an edition: a kind, or fields of
// one. Edition 1 is that of v0.1.0, which had no number.
type addition struct {
	edition int
	kind    string
	fields  []string // none: the whole kind
}

var added = []addition{
	{2, "conflict", []string{"base", "decided_at"}},
	{2, "request", nil},
	{2, "reserve", nil},
	{2, "budget", nil},
	{2, "series", nil},
	{2, "notification", nil},
	{3, "flow", nil},
	{3, "approval", nil},
	{3, "approval_decision", nil},
	{3, "expense", nil},
	{3, "opportunity", []string{"discount"}},
	{3, "user", []string{"deputy", "away_until"}},
	{3, "preference", nil},
	{3, "notification", []string{"urgent", "escalate"}},
	{3, "reminder", nil},
	{3, "reminder_rule", nil},
}

// owned are fields that nobody but the server could write, and for which a role
// answers since an edition.
var owned = []addition{
	{1, "account", []string{"credit_limit", "receivable"}},
	{1, "product", []string{"stock"}},
}

// withAdded adds what has been added to the standard since a schema was made of
// it.
func withAdded(s *record.Schema) (*record.Schema, error) {
	return revised(s, func(own, today *record.Schema) (changed bool) {
		for _, a := range added {
			if a.edition > s.Standard {
				changed = add(own, today.Kind(a.kind), a.fields) || changed
			}
		}
		return changed
	})
}

// withPolicies has roles answer for the fields that they answer for today.
func withPolicies(s *record.Schema) (*record.Schema, error) {
	return revised(s, func(own, today *record.Schema) (changed bool) {
		for _, a := range owned {
			if k := own.Kind(a.kind); k != nil && a.edition > s.Policies {
				changed = answered(own, k, today.Kind(a.kind), a.fields) || changed
			}
		}
		return changed
	})
}

// revised changes a copy of a schema. It leaves alone what is not made of the
// standard: without customers, people and conflicts as they are known here.
func revised(s *record.Schema, revise func(own, today *record.Schema) bool) (*record.Schema, error) {
	today := anew()
	for _, name := range []string{"account", "user", "conflict"} {
		if k := s.Kind(name); k == nil || k.No != today.Kind(name).No {
			return nil, nil //nolint:nilnil // it is another's
		}
	}
	own, err := copied(s)
	if err != nil || !revise(own, today) {
		return nil, err
	}
	return own, own.Check()
}

// add adds a kind, or fields to one, as far as neither its name nor its numbers
// are taken and all that it refers to is there.
func add(own *record.Schema, model *record.Kind, fields []string) (changed bool) {
	k := own.Kind(model.Name)
	switch {
	case k == nil && fields == nil && own.KindNo(model.No) == nil:
		if refersTo(own, model.Fields, model.Name) {
			own.Kinds = append(own.Kinds, model)
			changed = own.Check() == nil
		}
	case k != nil && k.No == model.No:
		for _, name := range fields {
			if f := named(model, name); named(k, name) == nil && refersTo(own, []*record.Field{f}, model.Name) {
				if f.Lookup != 0 && slices.ContainsFunc(k.Lookups(), func(o *record.Field) bool { return o.Lookup == f.Lookup }) {
					f.Lookup = 0
				}
				k.Fields, changed = append(k.Fields, f), true
			}
		}
	}
	return changed
}

// named is a field of a kind, also a map as a whole.
func named(k *record.Kind, name string) *record.Field {
	for _, f := range k.Fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

func refersTo(own *record.Schema, fields []*record.Field, itself string) bool {
	return !slices.ContainsFunc(fields, func(f *record.Field) bool { return f.To != "" && f.To != itself && own.Kind(f.To) == nil })
}

// answered has a role answer for fields that are as they were, with the role among
// those that people may have.
func answered(own *record.Schema, k, model *record.Kind, fields []string) (changed bool) {
	for _, name := range fields {
		f, now := named(k, name), named(model, name)
		if f == nil || f.Policy != record.Server || f.Type != now.Type || len(f.Readers) > 0 {
			continue
		}
		f.Policy, f.By, changed = now.Policy, now.By, true
		if roles := own.Kind("user").Field("roles"); roles != nil && len(roles.Choices) > 0 && !slices.Contains(roles.Choices, f.By) {
			roles.Choices = append(roles.Choices, f.By)
		}
	}
	return changed
}

// anew is the standard as nobody else has it.
func anew() *record.Schema {
	s, err := record.ParseSchema(stored)
	if err != nil {
		panic("record/shipped: " + err.Error()) // which a test rules out
	}
	return s
}

func copied(s *record.Schema) (*record.Schema, error) {
	body, err := s.Stored()
	if err != nil {
		return nil, err
	}
	return record.ParseSchema(body)
}

// withLookups gives a schema from before there were look-up fields those that
// an org begins with today. One that has some is left alone: the answer is nil.
func withLookups(s *record.Schema) (*record.Schema, error) {
	for _, k := range s.Kinds {
		if len(k.Lookups()) > 0 {
			return nil, nil //nolint:nilnil // there is nothing to change
		}
	}
	body, err := s.Stored()
	if err != nil {
		return nil, err
	}
	own, err := record.ParseSchema(body)
	if err != nil {
		return nil, err
	}
	today, found := anew(), false
	for _, k := range own.Kinds {
		model := today.Kind(k.Name)
		if model == nil {
			continue
		}
		for _, f := range k.Fields {
			if m := model.Field(f.Name); m != nil && m.Type == f.Type {
				f.Lookup = m.Lookup
				found = found || f.Lookup != 0
			}
		}
	}
	if !found {
		return nil, nil //nolint:nilnil // these are kinds that we do not know
	}
	return own, own.Check()
}

// withDuplicates gives a schema from before duplicates were found the rules by
// which they are, and the kinds in which it is noted what became of them. One
// that has them, or has no customers as we know them, is left alone: the answer
// is nil.
func withDuplicates(s *record.Schema) (*record.Schema, error) {
	today := anew() // what is taken from it is checked again with what it comes into
	account, model := s.Kind("account"), today.Kind("account")
	if account == nil || account.Match != nil || s.Kind("merge_redirect") != nil {
		return nil, nil //nolint:nilnil // there is nothing to change
	}
	for f := range model.Match.Keys {
		if account.Field(f) == nil {
			return nil, nil //nolint:nilnil // these are customers that we do not know
		}
	}
	body, err := s.Stored()
	if err != nil {
		return nil, err
	}
	own, err := record.ParseSchema(body)
	if err != nil {
		return nil, err
	}
	own.Kind("account").Match = model.Match
	for _, name := range []string{"merge_redirect", "duplicate"} {
		if k := today.Kind(name); own.Kind(name) == nil && own.KindNo(k.No) == nil {
			own.Kinds = append(own.Kinds, k)
		}
	}
	return own, own.Check()
}
