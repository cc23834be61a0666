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
