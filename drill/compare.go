package drill

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"

	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/store"
)

// Compared is what a comparison of two servers has come to.
type Compared struct {
	Orgs, Records, Differ int
}

// receivedAt says when a server was given a record, which one that got it back
// was later.
const receivedAt = "received_at"

// atOnce is how many records of each server are read at once.
const atOnce = 500

// Compare compares all records of all orgs of two servers, one by one, by what
// people see of them, and tells of each that differs. was is the server that was
// lost, is the one that came in its place. Of open, an org that holds nothing of
// anybody's, it tells values.
func Compare(ctx context.Context, was, is *people.Pool, open record.OrgID, tell func(format string, args ...any)) (Compared, error) {
	var done Compared
	orgs, err := store.LogEnds(ctx, was)
	if err != nil {
		return done, err
	}
	for _, o := range orgs {
		c := &comparison{was: &side{pool: was, org: o.Org}, is: &side{pool: is, org: o.Org}, tell: tell, values: o.Org == open}
		if err := c.run(ctx); err != nil {
			return done, fmt.Errorf("comparing org %d: %w", o.Org, err)
		}
		done.Orgs++
		done.Records += c.records
		done.Differ += c.differ
	}
	return done, nil
}

// side is one server's records, in the order of their ids.
type side struct {
	pool  *people.Pool
	org   record.OrgID
	ahead []*record.Record
	after record.ID
	over  bool
}

// next is the record in hand, nil at the end.
func (s *side) next(ctx context.Context) (*record.Record, error) {
	if len(s.ahead) == 0 && !s.over {
		var err error
		if s.ahead, err = store.RecordsOf(ctx, s.pool, s.org, s.after, atOnce); err != nil {
			return nil, err
		}
		s.over = len(s.ahead) < atOnce
	}
	if len(s.ahead) == 0 {
		return nil, nil //nolint:nilnil // the end is no fault
	}
	return s.ahead[0], nil
}

func (s *side) pass() { s.after, s.ahead = s.ahead[0].ID, s.ahead[1:] }

type comparison struct {
	was, is         *side
	tell            func(format string, args ...any)
	values          bool
	records, differ int
}

func (c *comparison) run(ctx context.Context) error {
	for {
		a, err := c.was.next(ctx)
		if err != nil {
			return err
		}
		b, err := c.is.next(ctx)
		switch {
		case err != nil:
			return err
		case a == nil && b == nil:
			return nil
		case b == nil || a != nil && bytes.Compare(a.ID[:], b.ID[:]) < 0:
			c.was.pass()
			c.only(a, "was acknowledged, and is missing")
		case a == nil || a.ID != b.ID:
			c.is.pass()
			c.only(b, "was never there, and is there now")
		default:
			c.was.pass()
			c.is.pass()
			c.both(a, b)
		}
		c.records++
	}
}

// only is a record that one of them lacks. A tombstone may have been purged.
func (c *comparison) only(r *record.Record, what string) {
	if r.State == record.Live {
		c.differ++
		c.tell("org %d: %s %s %s", c.was.org, r.Kind.Name, r.ID, what)
	}
}

func (c *comparison) both(a, b *record.Record) {
	var faults []string
	switch {
	case a.State != b.State && a.State == record.Live:
		faults = append(faults, "is deleted now")
	case a.State != b.State:
		faults = append(faults, "was deleted, and is back")
	case a.State == record.Deleted:
		return
	}
	if a.Owner != b.Owner || a.Parent != b.Parent || a.Root != b.Root {
		faults = append(faults, "belongs to somebody or something else")
	}
	for _, name := range fieldsOf(a, b) {
		if x, y := a.Raw(name), b.Raw(name); name != receivedAt && !bytes.Equal(x, y) {
			if text := c.field(name, a.Kind.Field(name), x, y); text != "" {
				faults = append(faults, text)
			}
		}
	}
	if len(faults) == 0 {
		return
	}
	c.differ++
	for _, text := range faults {
		c.tell("org %d: %s %s: %s", c.was.org, a.Kind.Name, a.ID, text)
	}
}

// fieldsOf are all that either has, also the keys of maps, and what a schema
// does not have any more.
func fieldsOf(all ...*record.Record) (names []string) {
	for _, r := range all {
		for i := range r.Slots {
			names = append(names, r.Slots[i].Field)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// field says how a field differs, "" if it does not. f is nil of one that the
// schema does not have any more.
func (c *comparison) field(name string, f *record.Field, was, is []byte) string {
	if f != nil && f.Policy == record.Set {
		return c.set(name, was, is)
	}
	if f != nil && f.Policy == record.Counter {
		x, _ := strconv.ParseInt(string(was), 10, 64)
		y, _ := strconv.ParseInt(string(is), 10, 64)
		switch {
		case x == y:
			return ""
		case y > x:
			return name + " counts " + strconv.FormatInt(y-x, 10) + " too much"
		}
		return name + " lacks " + strconv.FormatInt(x-y, 10)
	}
	if !c.values {
		return name + " is another"
	}
	return fmt.Sprintf("%s was %s and is %s", name, orNothing(was), orNothing(is))
}

func orNothing(raw []byte) string {
	if len(raw) == 0 {
		return "nothing"
	}
	return string(raw)
}

// set compares elements, which may have come in another order.
func (c *comparison) set(name string, was, is []byte) string {
	x, y := elements(was), elements(is)
	lacks := slices.DeleteFunc(slices.Clone(x), func(e string) bool { return slices.Contains(y, e) })
	back := slices.DeleteFunc(slices.Clone(y), func(e string) bool { return slices.Contains(x, e) })
	switch {
	case len(lacks)+len(back) == 0:
		return ""
	case !c.values:
		return fmt.Sprintf("%s lacks %d and has %d too much", name, len(lacks), len(back))
	case len(lacks) == 0:
		return fmt.Sprintf("of %s were taken out and are back: %v", name, back)
	case len(back) == 0:
		return fmt.Sprintf("of %s are missing: %v", name, lacks)
	}
	return fmt.Sprintf("of %s are missing: %v, and were taken out and are back: %v", name, lacks, back)
}

func elements(raw []byte) (all []string) {
	if len(raw) == 0 {
		return nil
	}
	list, err := record.ParseList(raw)
	if err != nil {
		return []string{string(raw)}
	}
	for _, e := range list {
		all = append(all, string(e))
	}
	return all
}
