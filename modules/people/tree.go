package people

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"roadbook/access"
	"roadbook/record"
	"roadbook/sync"
)

// Names of the scopes that belong to a person.
const (
	ownerScope  = "owner:"  // what he owns
	sharedScope = "shared:" // what others share with him
)

// company is an org's people and units, as they stand at one moment.
type company struct {
	people  []*record.Record             // in the order of their ids
	members map[record.ID][]int          // of each unit, by their place in people
	units   map[record.ID]*record.Record // all that are there
	below   map[record.ID][]record.ID    // the units directly under each unit
	managed map[record.ID][]record.ID    // the open units of each manager
}

func readCompany(ctx context.Context, view sync.View) (*company, error) {
	people, err := view.Records(ctx, kindUser)
	if err != nil {
		return nil, fmt.Errorf("reading the people: %w", err)
	}
	units, err := view.Records(ctx, kindUnit)
	if err != nil {
		return nil, fmt.Errorf("reading the units: %w", err)
	}
	return newCompany(people, units), nil
}

func newCompany(people, units []*record.Record) *company {
	c := &company{
		people:  slices.Clone(people),
		members: map[record.ID][]int{},
		units:   map[record.ID]*record.Record{},
		below:   map[record.ID][]record.ID{},
		managed: map[record.ID][]record.ID{},
	}
	slices.SortFunc(c.people, func(a, b *record.Record) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for i, p := range c.people {
		c.members[p.Ref("unit")] = append(c.members[p.Ref("unit")], i)
	}
	for _, u := range units {
		c.units[u.ID] = u
		c.below[u.Ref("parent")] = append(c.below[u.Ref("parent")], u.ID)
		if m := u.Ref("manager"); !m.IsZero() && u.Text("status") != statusClosed {
			c.managed[m] = append(c.managed[m], u.ID)
		}
	}
	return c
}

// circular reports whether the way up from a unit never ends.
func (c *company) circular(unit record.ID) bool {
	met := map[record.ID]bool{}
	for at := c.units[unit]; at != nil; at = c.units[at.Ref("parent")] {
		if met[at.ID] {
			return true
		}
		met[at.ID] = true
	}
	return false
}

// inhabited reports whether units lie below a unit, or people who may act are
// in it.
func (c *company) inhabited(unit record.ID) bool {
	return len(c.below[unit]) > 0 ||
		slices.ContainsFunc(c.members[unit], func(i int) bool { return active(c.people[i]) })
}

// grants are the scopes that each person is to hold, sorted by name.
func (c *company) grants() map[record.ID][]string {
	owners := make([]string, len(c.people))
	for i, p := range c.people {
		owners[i] = ownerScope + p.ID.String()
	}
	all := make(map[record.ID][]string, len(c.people))
	for i, p := range c.people {
		all[p.ID] = c.held(i, owners)
	}
	return all
}

// held is what one person is to hold, given everybody's owner scope. The names
// come out sorted, because people are sorted by id.
func (c *company) held(person int, owners []string) []string {
	p := c.people[person]
	if !active(p) {
		return []string{}
	}
	held := []string{record.Catalogue}
	if seesAll(p) {
		held = append(held, owners...)
	} else {
		for _, i := range c.under(person) {
			held = append(held, owners[i])
		}
	}
	return append(held, sharedScope+p.ID.String())
}

// under are the places of a person himself and of everybody in the units that
// he manages and below them. People who have left are among them: somebody
// must see their customers to hand them over.
func (c *company) under(person int) []int {
	places := []int{person}
	met := map[record.ID]bool{}
	for todo := slices.Clone(c.managed[c.people[person].ID]); len(todo) > 0; {
		unit := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if met[unit] {
			continue
		}
		met[unit] = true
		places = append(places, c.members[unit]...)
		todo = append(todo, c.below[unit]...)
	}
	slices.Sort(places)
	return slices.Compact(places)
}

// active reports whether a person may act: nobody has said that he left.
func active(p *record.Record) bool {
	return p.State == record.Live && p.Text("status") != statusLeft
}

// administers reports whether a person may act and is an administrator.
func administers(p *record.Record) bool {
	return active(p) && slices.Contains(p.Texts("roles"), string(access.Admin))
}

// seesAll reports whether a person's job is with the whole company.
func seesAll(p *record.Record) bool {
	return slices.ContainsFunc(p.Texts("roles"), func(r string) bool {
		switch access.Role(r) {
		case access.Service, access.Finance, access.ERP, access.Admin:
			return true
		case access.Rep, access.Manager:
		}
		return false
	})
}
