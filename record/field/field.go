// Package field knows the sorts of value a field may hold: one file per type,
// each of which checks a value and gives it the one form in which it is stored.
// It is pure: no clock, no database, and it knows nothing of kinds, records or
// the people who type.
//
// Equal values have equal bytes. A type sees to that, so that whoever merges,
// hashes or compares values may look at their bytes and at nothing else. The
// canonical form is compact JSON with the shortest escapes and numbers, like
// JSON.stringify's, and with the members of objects in one order.
//
// What a type is called with depends on the policy of the field:
//
//   - A plain value (lww, once, max …) is checked whole.
//   - A field with the policy set holds a list of elements, and Check is called
//     for each element: tags checks one tag, multi_choice one choice, files one
//     attachment. Any type that fits an element will do: phone for the numbers
//     of an account, user for its collaborators.
//   - A field with the policy map is a field per key: the type map checks the
//     value of one key.
//   - A list of child rows (rows) is checked whole.
//
// A JSON null is no value but the clearing of one: the caller deals with it,
// and every type refuses it. Inside an object of a fixed shape (money, place,
// evidence) a member that is null counts as left out.
//
// Errors are sentence fragments for the person who typed the value, to follow
// the name of the field: what it must be, never what was sent at length.
package field

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Spec is what a schema says of a field, as far as its type needs to know.
type Spec struct {
	Choices []string // of choice and multi_choice
	To      string   // the kind a reference names; "" is any
}

// Type checks values of one sort and gives each the one form in which it is
// stored.
type Type interface {
	// Check returns raw in canonical form: equal values have equal bytes, and
	// what it has returned it returns again as it is. The answer may share
	// memory with raw. It takes any bytes and never panics.
	Check(spec Spec, raw json.RawMessage) (json.RawMessage, error)
}

// ordered is a Type whose values have a larger and a smaller.
type ordered interface {
	compare(a, b json.RawMessage) (int, error)
}

// types are all of them, by the name a schema uses.
var types = map[string]Type{
	"text":         text{},
	"number":       number{},
	"decimal":      decimal{},
	"money":        money{},
	"bool":         boolean{},
	"date":         date{},
	"datetime":     datetime{},
	"choice":       choice{},
	"multi_choice": multiChoice{},
	"tags":         tag{},
	"reference":    reference{},
	"user":         user{},
	"files":        files{},
	"place":        place{},
	"phone":        phone{},
	"email":        email{},
	"url":          link{},
	"rows":         rows{},
	"map":          mapValue{},
	"evidence":     evidence{},
}

// Lookup returns the type that a schema calls name.
func Lookup(name string) (Type, bool) {
	t, ok := types[name]
	return t, ok
}

// Names returns the names of all types, sorted.
func Names() []string { return slices.Sorted(maps.Keys(types)) }

// Compare orders two values of one type for the policies max and min: negative
// if a is the smaller, 0 if they are equal. Numbers, decimals, dates, datetimes
// and amounts of one currency have an order; all else is an error, so that a
// schema with such a policy is found out.
func Compare(typeName string, a, b json.RawMessage) (int, error) {
	t, ok := types[typeName].(ordered)
	if !ok {
		return 0, fmt.Errorf("field: values of type %s have no order", clip(typeName))
	}
	return t.compare(a, b)
}
