package query

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"roadbook/store/pg"
)

// What the actor sees of a kind: the members of his scopes, at most so many.
var querySeen = pg.Statement("query_seen", `
	SELECT m.rec
	  FROM unnest($2::int[]) g(scope)
	 CROSS JOIN LATERAL (SELECT i.rec FROM members i WHERE i.org = $1 AND i.scope = g.scope AND i.rank = $3 LIMIT $4) m
	 LIMIT $4`)

var queryEqual = pg.Statement("query_equal", `
	SELECT l.rec
	  FROM unnest($3::text[]) u(val)
	 CROSS JOIN LATERAL (SELECT i.rec FROM lookups i WHERE i.org = $1 AND i.field = $2 AND i.val = u.val LIMIT $4) l
	 LIMIT $4`)

var queryBetween = pg.Statement("query_between", `
	SELECT l.rec
	  FROM lookups l
	 WHERE l.org = $1 AND l.field = $2 AND l.val >= $3 AND l.val <= $4
	 LIMIT $5`)

// All live records of an owner lie in his scope.
var queryOwned = pg.Statement("query_owned", `
	SELECT m.rec
	  FROM unnest($2::text[]) u(name)
	 CROSS JOIN LATERAL (SELECT i.id FROM scopes i WHERE i.org = $1 AND i.name = u.name OFFSET 0) s
	 CROSS JOIN LATERAL (SELECT i.rec FROM members i WHERE i.org = $1 AND i.scope = s.id AND i.rank = $3 LIMIT $4) m
	 LIMIT $4`)

var queryBelow = pg.Statement("query_below", `
	SELECT c.id
	  FROM unnest($2::uuid[]) u(parent)
	 CROSS JOIN LATERAL (SELECT i.id FROM records i WHERE i.org = $1 AND i.parent = u.parent LIMIT $3) c
	 LIMIT $3`)

// fewEnough is how many candidates are so few that nothing is gained by looking
// for fewer.
const fewEnough = 500

// candidates are records among which all of the list are, if there is a way to
// find such with no more than MaxGather. Of the ways to look, the one that
// finds the fewest counts.
func (l *list) candidates(ctx context.Context) (ids [][16]byte, few bool, err error) {
	for _, c := range merged(must(l.where)) {
		found, ok, err := l.lookFor(ctx, c)
		if err != nil {
			return nil, false, err
		}
		if ok && (!few || len(found) < len(ids)) {
			ids, few = found, true
		}
		if few && len(ids) <= fewEnough {
			return ids, true, nil
		}
	}
	if few {
		return ids, true, nil
	}
	return l.ask(ctx, querySeen, l.tx.Org, l.scopes, l.Kind.Rank, l.Gather+1)
}

// lookFor finds the records of which one condition holds; of some conditions
// there is no way to find them.
func (l *list) lookFor(ctx context.Context, c cond) ([][16]byte, bool, error) {
	switch c := c.(type) {
	case oneOf:
		switch {
		case c.no != 0:
			return l.ask(ctx, queryEqual, l.tx.Org, c.no, c.keys, l.Gather+1)
		case c.field.Name != ownerField:
			return l.ask(ctx, queryBelow, l.tx.Org, uuids(c.keys), l.Gather+1)
		case l.Kind.Scope == "":
			names := make([]string, len(c.keys))
			for i, k := range c.keys {
				names[i] = "owner:" + k
			}
			return l.ask(ctx, queryOwned, l.tx.Org, names, l.Kind.Rank, l.Gather+1)
		}
	case between:
		if c.no != 0 && (c.from != nil || c.to != nil) {
			from, to := "", last
			if c.from != nil {
				from = *c.from
			}
			if c.to != nil {
				to = *c.to
			}
			return l.ask(ctx, queryBetween, l.tx.Org, c.no, from, to, l.Gather+1)
		}
	}
	return nil, false, nil
}

// last sorts after every key.
const last = "\U0010FFFF\U0010FFFF"

// ask runs one of the statements above, each record counted once; false if
// there are too many.
func (l *list) ask(ctx context.Context, sql pg.SQL, args ...any) ([][16]byte, bool, error) {
	rows, err := l.tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, false, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[[16]byte])
	if err != nil || len(found) > l.Gather {
		return nil, false, err
	}
	slices.SortFunc(found, func(a, b [16]byte) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(found), true, nil
}

// merged puts ranges of one column that must hold together into one.
func merged(conds []cond) []cond {
	var out []cond
	for _, c := range conds {
		b, ok := c.(between)
		i := slices.IndexFunc(out, func(o cond) bool {
			other, is := o.(between)
			return ok && is && other.no == b.no && b.no != 0 && !b.several
		})
		if i < 0 {
			out = append(out, c)
			continue
		}
		out[i] = out[i].(between).and(b) //nolint:forcetypeassert // it was just looked at
	}
	return out
}

// and is the range that lies in both.
func (c between) and(o between) between {
	if o.from != nil && (c.from == nil || *o.from > *c.from || *o.from == *c.from && o.after) {
		c.from, c.after = o.from, o.after
	}
	if o.to != nil && (c.to == nil || *o.to < *c.to || *o.to == *c.to && !o.through) {
		c.to, c.through = o.to, o.through
	}
	return c
}
