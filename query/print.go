package query

import (
	"strconv"
	"strings"

	"roadbook/record"
)

// printer writes conditions as SQL. Whatever was asked for goes into args.
type printer struct {
	args  []any
	terms []string // what is worked out of a record's rows in lookups, in one go
}

func (p *printer) arg(v any) string {
	p.args = append(p.args, v)
	return "$" + strconv.Itoa(len(p.args))
}

// cond is a condition on the record r and on the terms t.
func (p *printer) cond(c cond) string {
	switch c := c.(type) {
	case all:
		return p.join(c, " AND ", "true")
	case some:
		return p.join(c, " OR ", "false")
	case not:
		return "NOT " + p.cond(c.cond)
	case oneOf:
		return p.oneOf(c)
	case between:
		return p.between(c)
	}
	return "true" // no filter
}

func (p *printer) join(parts []cond, op, empty string) string {
	if len(parts) == 0 {
		return empty
	}
	out := make([]string, len(parts))
	for i, c := range parts {
		out[i] = p.cond(c)
	}
	return "(" + strings.Join(out, op) + ")"
}

// term is a condition on the rows x of a record, of which one is enough.
func (p *printer) term(sql string) string {
	name := "c" + strconv.Itoa(len(p.terms))
	p.terms = append(p.terms, "coalesce(bool_or("+sql+"), false) AS "+name)
	return "t." + name
}

func (p *printer) oneOf(c oneOf) string {
	if c.no != 0 {
		return p.term("x.field = " + p.arg(c.no) + " AND x.val = ANY (" + p.arg(c.keys) + "::text[])")
	}
	ids := p.arg(uuids(c.keys)) + "::uuid[]"
	if c.field.Name == ownerField {
		return "r.owner = ANY (" + ids + ")"
	}
	return "coalesce(r.parent = ANY (" + ids + "), false)"
}

func (p *printer) between(c between) string {
	if c.no != 0 {
		return p.term("x.field = " + p.arg(c.no) + p.bounds(c, "x.val"))
	}
	if c.field.Name == ownerField {
		return "r.owner <> " + p.arg([16]byte{}) + "::uuid"
	}
	return "r.parent IS NOT NULL"
}

func (p *printer) bounds(c between, val string) string {
	sql := ""
	if c.from != nil {
		op := " >= "
		if c.after {
			op = " > "
		}
		sql += " AND " + val + op + p.arg(*c.from)
	}
	if c.to != nil {
		op := " < "
		if c.through {
			op = " <= "
		}
		sql += " AND " + val + op + p.arg(*c.to)
	}
	return sql
}

// uuids are keys of owners and parents.
func uuids(keys []string) [][16]byte {
	out := make([][16]byte, 0, len(keys))
	for _, k := range keys {
		if id, err := record.ParseID(k); err == nil {
			out = append(out, id)
		}
	}
	return out
}

// found is the record called rec, if the actor may see it and the filter holds
// of it, with the key that the list is sorted by. The first three arguments are
// the org, the kind and the actor's scopes. OFFSET 0 keeps the planner from
// looking for records in any other way than by id.
func (l *list) found(p *printer, rec string, where cond) string {
	holds := p.cond(where)
	key := "NULL::text"
	switch {
	case l.sort.by != nil:
		p.terms = append(p.terms, "max(x.val) FILTER (WHERE x.field = "+p.arg(l.sort.by.no)+") AS key")
		key = "t.key"
	case l.sort.seq:
		key = `(SELECT max(greatest(r.seq, e.entered)) FROM unnest(r.scopes, r.entered) e(scope, entered) WHERE e.scope = ANY ($3))`
	}
	terms := ""
	if len(p.terms) > 0 {
		terms = `
	 CROSS JOIN LATERAL (SELECT ` + strings.Join(p.terms, ", ") + `
	                       FROM lookups x
	                      WHERE x.org = $1 AND x.rec = r.id) t`
	}
	return `(
	SELECT r.id, r.seq, r.fields, ` + key + ` AS key
	  FROM (SELECT r.id, r.seq, r.fields, r.owner, r.parent, r.scopes, r.entered
	          FROM records r
	         WHERE r.org = $1 AND r.id = ` + rec + ` AND r.kind = $2 AND r.state = 0 AND r.scopes && $3
	        OFFSET 0) r` + terms + `
	 WHERE ` + holds + `
	OFFSET 0)`
}

func (l *list) printer() *printer {
	p := &printer{}
	p.arg(int32(l.tx.Org))
	p.arg(l.Kind.No)
	p.arg(l.scopes)
	return p
}
