// Package rules is the language in which people say which records they mean: a
// small part of CEL. It reads a filter into a tree of its own and knows nothing
// of fields, kinds or the database; whoever uses the tree says what a name
// means. Nothing else here may know the parser behind it.
package rules

import (
	"strconv"

	"roadbook/errs"
)

// Expr is a condition: And, Or, Not, Compare, In or Has.
type Expr interface {
	// At is where it stands in the text, in characters from 1.
	At() int
}

// And holds if all of its parts do.
type And struct {
	Place

	Parts []Expr
}

// Or holds if one of its parts does.
type Or struct {
	Place

	Parts []Expr
}

// Not holds if its part does not.
type Not struct {
	Place

	Part Expr
}

// Compare holds if a field stands so to a value.
type Compare struct {
	Place

	Field Name
	Op    Op
	Value Literal
}

// In holds if a field is one of some values.
type In struct {
	Place

	Field  Name
	Values []Literal
}

// Has holds if a value is among those of a field that has several.
type Has struct {
	Place

	Value Literal
	Field Name
}

// Place is where something stands in the text, in characters from 1.
type Place int

// At is the place itself.
func (p Place) At() int { return int(p) }

// Name is a field as the filter names it.
type Name struct {
	Place

	Text string
}

// Op is how a field stands to a value.
type Op string

// The comparisons.
const (
	Equal        Op = "=="
	NotEqual     Op = "!="
	Less         Op = "<"
	LessEqual    Op = "<="
	Greater      Op = ">"
	GreaterEqual Op = ">="
	StartsWith   Op = "startsWith"
)

// flipped is the comparison seen from the other side.
var flipped = map[Op]Op{
	Equal: Equal, NotEqual: NotEqual, Less: Greater, LessEqual: GreaterEqual, Greater: Less, GreaterEqual: LessEqual,
}

// Literal is a value as the filter spells it.
type Literal struct {
	Place

	Sort Sort
	Text string // of a number its decimal digits; of true and false the word
}

// Sort is what a literal is.
type Sort string

// The literals there are.
const (
	Text      Sort = "text"
	Number    Sort = "number"
	Bool      Sort = "bool"
	Null      Sort = "null"
	Timestamp Sort = "timestamp"
)

// Wrong is an error of a filter: what is wrong, and at which character.
func Wrong(at int, detail string) *errs.Error {
	err := errs.New("rules.Filter", errs.Invalid, "the filter cannot be used, at character %d: %s", at, detail)
	return err.Coded("filter").Of(errs.Field{Field: "filter:" + strconv.Itoa(at), Detail: detail})
}

func fault(at int, detail string) error { return Wrong(at, detail) }
