package approvals

import (
	"context"
	"slices"
	"strings"
	"time"

	"roadbook/record"
)

// company is who there is, and who is above whom.
type company struct {
	people map[record.ID]*member
	units  map[record.ID]*record.Record
	all    []*member
}

type member struct {
	id     record.ID
	roles  []string
	unit   record.ID
	active bool
	deputy record.ID
	away   time.Time // until then he does not decide himself
}

// catalogue lists the live records of a kind.
type catalogue interface {
	Records(ctx context.Context, kind string) ([]*record.Record, error)
}

func readCompany(ctx context.Context, from catalogue) (*company, error) {
	c := &company{people: map[record.ID]*member{}, units: map[record.ID]*record.Record{}}
	users, err := from.Records(ctx, "user")
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		m := &member{id: u.ID, roles: u.Texts("roles"), unit: u.Ref("unit"), active: u.Text("status") != "left", deputy: u.Ref("deputy")}
		m.away, _ = time.Parse(time.RFC3339, u.Text("away_until")) // no time is none
		c.people[u.ID] = m
		c.all = append(c.all, m)
	}
	units, err := from.Records(ctx, "unit")
	for _, u := range units {
		c.units[u.ID] = u
	}
	return c, err
}

// asked is whom a node asks, each in his own place or with his deputy beside him.
// Where there is nobody, whoever is above is asked, and at last who administers
// the org, which is said.
func (c *company) asked(w *Who, submitter *member, subject *record.Record, now time.Time) (seats []Seat, why string) {
	var ids []record.ID
	switch {
	case w.Manager > 0:
		ids = c.managers(submitter, w.Manager)
	case w.Role != "":
		for _, m := range c.all {
			if m.active && slices.Contains(m.roles, w.Role) {
				ids = append(ids, m.id)
			}
		}
	case w.Field != "":
		ids = []record.ID{subject.Ref(w.Field)}
	default:
		ids = w.People
	}
	found := ids[:0:0]
	for _, id := range ids {
		if m := c.people[id]; m != nil && m.active {
			found = append(found, id)
		} else if m != nil {
			found, why = append(found, c.managers(m, 1)...), "left"
		}
	}
	if len(found) == 0 {
		why, found = "nobody", c.admins()
	}
	for _, id := range found[:min(len(found), MaxSeats)] {
		seats = append(seats, c.seatsOf(id, now)...)
	}
	return slices.CompactFunc(seats, func(a, b Seat) bool { return a == b }), why
}

// admins are who administers the org.
func (c *company) admins() (ids []record.ID) {
	for _, m := range c.all {
		if m.active && slices.Contains(m.roles, "admin") {
			ids = append(ids, m.id)
		}
	}
	return ids
}

// seatsOf is somebody's own seat and, while he is away, his deputy's.
func (c *company) seatsOf(id record.ID, now time.Time) []Seat {
	seats := []Seat{{Person: id}}
	m := c.people[id]
	if deputy := c.people[m.deputy]; deputy != nil && deputy.active && deputy.id != id && now.Before(m.away) {
		seats = append(seats, Seat{Person: deputy.id, For: id})
	}
	return seats
}

// managers is who leads somebody, so many levels up. Who leads his own unit is led
// from above; where nobody leads, the next above does.
func (c *company) managers(m *member, levels int) []record.ID {
	last := record.NoID
	seen := map[record.ID]bool{}
	for unit := m.unit; !unit.IsZero() && !seen[unit]; {
		seen[unit] = true
		u := c.units[unit]
		if u == nil {
			break
		}
		unit = u.Ref("parent")
		leader := c.people[u.Ref("manager")]
		if leader == nil || !leader.active || leader.id == m.id || leader.id == last || u.Text("status") == "closed" {
			continue
		}
		last = leader.id
		if levels--; levels == 0 {
			break
		}
	}
	if last.IsZero() {
		return nil
	}
	return []record.ID{last}
}

// above is who leads those who have not said anything yet.
func (c *company) above(who []Seat) (ids []record.ID) {
	for _, w := range who {
		if m := c.people[w.Person]; m != nil && w.Said == "" {
			ids = append(ids, c.managers(m, 1)...)
		}
	}
	slices.SortFunc(ids, func(a, b record.ID) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(ids)
}
