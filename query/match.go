package query

import (
	"slices"

	"roadbook/access"
	"roadbook/record"
	"roadbook/rules"
)

// Matcher says of records of a kind, one by one, whether a filter holds of them:
// what a list with that filter would show.
type Matcher struct {
	kind  *record.Kind
	where cond
}

// NewMatcher reads a filter over a kind, as somebody sees it who sees everything.
func NewMatcher(kind *record.Kind, filter string) (*Matcher, error) {
	m := &Matcher{kind: kind}
	expr, err := rules.Parse(filter)
	if err != nil || expr == nil {
		return m, err
	}
	m.where, err = compiler{kind: kind, actor: &access.Actor{System: true}}.compile(expr)
	return m, err
}

// Holds reports whether the filter holds of a record.
func (m *Matcher) Holds(rec *record.Record) bool {
	return rec.Kind.Name == m.kind.Name && rec.State == record.Live && holds(m.where, rec, rec.AppendLookups(nil))
}

func holds(c cond, rec *record.Record, rows []record.LookupRow) bool {
	switch c := c.(type) {
	case all:
		return !slices.ContainsFunc(c, func(p cond) bool { return !holds(p, rec, rows) })
	case some:
		return slices.ContainsFunc(c, func(p cond) bool { return holds(p, rec, rows) })
	case not:
		return !holds(c.cond, rec, rows)
	case oneOf:
		return slices.ContainsFunc(c.of(rec, rows), func(val string) bool { return slices.Contains(c.keys, val) })
	case between:
		return slices.ContainsFunc(c.of(rec, rows), c.takes)
	}
	return true // no filter
}

// of are the values that a record has in a column.
func (c column) of(rec *record.Record, rows []record.LookupRow) (vals []string) {
	switch {
	case c.no != 0:
		for _, r := range rows {
			if r.Field == c.no {
				vals = append(vals, r.Val)
			}
		}
	case c.field.Name == ownerField:
		if !rec.Owner.IsZero() {
			vals = append(vals, rec.Owner.String())
		}
	case !rec.Parent.IsZero():
		vals = append(vals, rec.Parent.String())
	}
	return vals
}

func (c between) takes(val string) bool {
	switch {
	case c.from != nil && (val < *c.from || c.after && val == *c.from):
		return false
	case c.to != nil && (val > *c.to || !c.through && val == *c.to):
		return false
	}
	return true
}
