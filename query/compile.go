package query

import (
	"unicode/utf8"

	"roadbook/access"
	"roadbook/record"
	"roadbook/record/field"
	"roadbook/rules"
)

// cond is a condition whose names and values are those of a kind: all, some,
// not, oneOf or between. A condition holds or does not: of a field without a
// value, only that it has none.
type cond any

type (
	all  []cond
	some []cond
	not  struct{ cond }
)

// oneOf holds if one of the column's values has one of the keys.
type oneOf struct {
	column

	keys []string
}

// between holds if one of the column's values has a key in a range; without
// bounds, if there is a value.
type between struct {
	column

	from, to       *string
	after, through bool // from is left out, to is taken in
}

// compiler gives the names and values of a filter their meaning.
type compiler struct {
	kind  *record.Kind
	actor *access.Actor
}

func fault(at int, detail string) error { return rules.Wrong(at, detail) }

func (c compiler) compile(e rules.Expr) (cond, error) {
	switch e := e.(type) {
	case rules.And:
		parts, err := c.parts(e.Parts)
		return all(parts), err
	case rules.Or:
		parts, err := c.parts(e.Parts)
		return some(parts), err
	case rules.Not:
		part, err := c.compile(e.Part)
		return not{part}, err
	case rules.Compare:
		return c.compare(e)
	case rules.In:
		return c.in(e.Field, e.Values, false)
	case rules.Has:
		return c.in(e.Field, []rules.Literal{e.Value}, true)
	}
	return nil, fault(e.At(), "filters do not know this function or operator")
}

func (c compiler) parts(exprs []rules.Expr) ([]cond, error) {
	out := make([]cond, len(exprs))
	for i, e := range exprs {
		var err error
		if out[i], err = c.compile(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// named finds the column of a name. A field that is hidden from the actor is
// no field to him.
func (c compiler) named(n rules.Name) (column, error) {
	col, ok := c.column(n.Text)
	if !ok {
		return col, fault(n.At(), "there is no field of this name to filter by")
	}
	return col, nil
}

func (c compiler) in(name rules.Name, values []rules.Literal, has bool) (cond, error) {
	col, err := c.named(name)
	if err != nil {
		return nil, err
	}
	if col.several != has {
		return nil, wrongNumber(col, name)
	}
	one := oneOf{column: col}
	for _, v := range values {
		key, err := col.key(v)
		if err != nil {
			return nil, err
		}
		one.keys = append(one.keys, key)
	}
	return one, nil
}

func wrongNumber(col column, name rules.Name) error {
	if col.several {
		return fault(name.At(), "this field holds several values: ask whether one is in it, like \"x\" in tags")
	}
	return fault(name.At(), "this field holds one value: compare it, like grade == \"A\"")
}

func (c compiler) compare(e rules.Compare) (cond, error) {
	col, err := c.named(e.Field)
	if err != nil {
		return nil, err
	}
	equal := e.Op == rules.Equal || e.Op == rules.NotEqual
	if e.Value.Sort == rules.Null {
		if !equal {
			return nil, fault(e.Value.At(), "nothing is before or after nothing")
		}
		return negated(e.Op == rules.Equal, between{column: col}), nil
	}
	if col.several {
		return nil, wrongNumber(col, e.Field)
	}
	if !equal && !col.is(ordered) && e.Op != rules.StartsWith {
		return nil, fault(e.At(), "the values of this field have no order")
	}
	if e.Op == rules.StartsWith {
		return col.begins(e)
	}
	key, err := col.key(e.Value)
	if err != nil {
		return nil, err
	}
	if equal {
		return negated(e.Op == rules.NotEqual, oneOf{col, []string{key}}), nil
	}
	b := between{column: col, after: e.Op == rules.Greater, through: e.Op == rules.LessEqual}
	if e.Op == rules.Greater || e.Op == rules.GreaterEqual {
		b.from = &key
	} else {
		b.to = &key
	}
	return b, nil
}

func negated(yes bool, c cond) cond {
	if yes {
		return not{c}
	}
	return c
}

// begins is the range of all texts that begin so. The beginning of a number or
// an address has no stored form, so it is taken as it is.
func (c column) begins(e rules.Compare) (cond, error) {
	switch l := e.Value; {
	case !c.is(begun):
		return nil, fault(e.At(), "the values of this field have no beginning")
	case l.Sort != rules.Text:
		return nil, fault(l.At(), "this field is compared with text")
	case utf8.RuneCountInString(l.Text) > field.MaxKeyRunes:
		return nil, fault(l.At(), "a text to compare with is longer than can be looked up")
	case l.Text == "":
		return between{column: c}, nil
	default:
		return between{column: c, from: &l.Text, to: following(l.Text)}, nil
	}
}

// following is the first text after all that begin with s, nil if there is
// none.
func following(s string) *string {
	for s != "" {
		last, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
		if last == utf8.MaxRune {
			continue
		}
		next := last + 1
		if next == 0xD800 { // what follows is no character
			next = 0xE000
		}
		s += string(next)
		return &s
	}
	return nil
}

// looksUp reports whether a condition needs rows of lookups.
func looksUp(c cond) bool {
	switch c := c.(type) {
	case all:
		return anyLooksUp(c)
	case some:
		return anyLooksUp(c)
	case not:
		return looksUp(c.cond)
	case oneOf:
		return c.no != 0
	case between:
		return c.no != 0
	}
	return false
}

func anyLooksUp(parts []cond) bool {
	for _, p := range parts {
		if looksUp(p) {
			return true
		}
	}
	return false
}

// must are the conditions that hold of every record of the list.
func must(c cond) []cond {
	switch c := c.(type) {
	case nil:
		return nil
	case all:
		var out []cond
		for _, p := range c {
			out = append(out, must(p)...)
		}
		return out
	}
	return []cond{c}
}
