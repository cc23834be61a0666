// Package shipped is the schema with which an org begins: the kinds and fields
// of field sales, as data. An org's own kinds and fields come on top of it and
// live in the database; nothing here is specific to one customer.
//
// What an integration answers for is owned (credit limit, receivable, stock).
//
// The ranks of the kinds leave room, because a rank never changes once devices
// fill by it: plans and tasks come first, then what needs a decision, then the
// customers.
package shipped

import (
	_ "embed"
	stdsync "sync"

	"roadbook/record"
)

//go:embed schema.json
var stored []byte

// Schema is the shipped schema. It is parsed once and shared, so nobody may
// change it: an org that wants another begins from Stored.
func Schema() *record.Schema { return parsed() }

// Stored is the schema as it is kept in the database, for record.ParseSchema.
func Stored() []byte { return append([]byte(nil), stored...) }

// parsed panics if the embedded file is broken, which a test rules out.
var parsed = stdsync.OnceValue(func() *record.Schema {
	s, err := record.ParseSchema(stored)
	if err != nil {
		panic("record/shipped: " + err.Error())
	}
	return s
})

// WithLookups gives a schema from before there were look-up fields those that
// an org begins with today. One that has some is left alone: the answer is nil.
func WithLookups(s *record.Schema) (*record.Schema, error) {
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
	today, found := Schema(), false
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

// WithDuplicates gives a schema from before duplicates were found the rules by
// which they are, and the kinds in which it is noted what became of them. One
// that has them, or has no customers as we know them, is left alone: the answer
// is nil.
func WithDuplicates(s *record.Schema) (*record.Schema, error) {
	today := Schema()
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
