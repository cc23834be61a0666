// Package query lists records: it turns a filter over a kind's look-up fields
// into SQL, finds the records that a person may see, and cuts the list into
// pages. Field names come from the schema and values are parameters, so nothing
// that is asked for can become SQL.
//
// A page costs a bounded amount of work, however many records there are. What
// is asked for is first looked for in the small: if one of the conditions that
// must hold, or what the person sees at all, names few records, those are
// looked at and sorted. Otherwise the records are walked in the order of the
// list, so many at a time, and the page may end before it is full.
package query

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/rules"
	"roadbook/store"
)

// Limits of a list.
const (
	DefaultLimit = 50  // records of a page, if nothing is said: two screens
	MaxLimit     = 200 // what a phone shows without tiring

	// MaxGather is how many records are sorted for a page rather than walked:
	// some 8 µs each.
	MaxGather = 5000

	// MaxWalk is how many records are looked at for a page when they are walked
	// in order.
	MaxWalk = 10_000
)

// Request is what a page is asked for.
type Request struct {
	Kind   *record.Kind
	Filter string // see rules; empty means all
	Sort   string // a look-up field, "seq" or "id", with a minus for the last first; empty means "-id"
	Limit  int    // 0 means DefaultLimit
	After  string // Page.After of the page before
	Key    []byte // signs After

	Gather int // 0 means MaxGather
	Walk   int // 0 means MaxWalk
}

// Row is a record of a page, its fields not yet cut.
type Row struct {
	ID     record.ID
	Seq    record.Seq
	Fields []byte
}

// Page is a part of a list. It may be short, or empty, and not the last: the
// list ends where After is empty.
type Page struct {
	Rows  []Row
	After string
}

// list is one page in the making.
type list struct {
	Request

	tx     store.Tx
	actor  *access.Actor
	scopes []int32
	where  cond // nil without a filter
	sort   order
	place  place // where the page before ended
}

// order is what a list is sorted by.
type order struct {
	by   *column // a look-up field; nil for seq and id
	seq  bool
	desc bool
}

// Run reads a page.
func Run(ctx context.Context, tx store.Tx, actor *access.Actor, r Request) (Page, error) {
	l := &list{Request: r, tx: tx, actor: actor}
	if err := l.prepare(); err != nil {
		return Page{}, err
	}
	if len(l.scopes) == 0 {
		return Page{}, nil
	}
	if err := l.checkIndexed(ctx); err != nil {
		return Page{}, err
	}
	ids, few, err := l.candidates(ctx)
	if err != nil {
		return Page{}, err
	}
	if few {
		return l.gather(ctx, ids)
	}
	return l.walk(ctx)
}

func (l *list) prepare() error {
	if err := l.limit(); err != nil {
		return err
	}
	expr, err := rules.Parse(l.Filter)
	if err != nil {
		return err
	}
	c := compiler{kind: l.Kind, actor: l.actor}
	if expr != nil {
		if l.where, err = c.compile(expr); err != nil {
			return err
		}
	}
	if l.sort, err = c.order(l.Sort); err != nil {
		return err
	}
	l.see()
	l.place, err = l.readPlace()
	return err
}

// limit settles how much the page costs.
func (l *list) limit() error {
	if l.Limit < 0 || l.Limit > MaxLimit {
		return errs.New("query.Run", errs.Invalid, "a page has at most %d records", MaxLimit).Coded("limit").
			Of(errs.Field{Field: "limit", Detail: "this is more than a page holds"})
	}
	l.Limit = cmp.Or(l.Limit, DefaultLimit)
	l.Gather = cmp.Or(l.Gather, MaxGather)
	l.Walk = cmp.Or(l.Walk, MaxWalk)
	return nil
}

// see lists the scopes that the actor holds.
func (l *list) see() {
	for s := range l.actor.Scopes {
		l.scopes = append(l.scopes, int32(s))
	}
	slices.Sort(l.scopes)
}

// order reads what a list is sorted by.
func (c compiler) order(text string) (order, error) {
	name, desc := strings.CutPrefix(text, "-")
	o := order{desc: desc}
	switch name {
	case "":
		o.desc = true
		return o, nil
	case "id":
		return o, nil
	case "seq":
		o.seq = true
		return o, nil
	}
	col, ok := c.column(name)
	if !ok || col.no == 0 || col.several {
		return o, errs.New("query.Run", errs.Invalid, "a list cannot be sorted by this").Coded("sort").
			Of(errs.Field{Field: "sort", Detail: "it is no field that lists are sorted by"})
	}
	o.by = &col
	return o, nil
}

// checkIndexed refuses to look up by fields whose rows are still being made:
// the list would be short and nobody would know.
func (l *list) checkIndexed(ctx context.Context) error {
	if l.sort.by == nil && !looksUp(l.where) {
		return nil
	}
	kinds, _, err := l.tx.Reindexing(ctx)
	if err == nil && slices.Contains(kinds, l.Kind.No) {
		err = errs.New("query.Run", errs.Busy, "the lists of this kind are being made; try again in a moment").Coded("indexing")
	}
	return err
}
