package people_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync"
)

// engine keeps what rules say, as the real one does: whoever is named holds
// what is named and nothing else.
type engine struct {
	town

	held   map[record.ID][]string
	actors map[record.ID]sync.Actor
}

func (e engine) apply(effects sync.Effects) {
	for person, scopes := range effects.Grants {
		e.held[person] = scopes
	}
	for _, a := range effects.Actors {
		e.actors[a.ID] = a
	}
}

// may answers one question the slow way, from below: does person hold what
// owner owns? He does if he manages a unit on owner's way up.
func (e engine) may(person, owner *record.Record) bool {
	if person.State != record.Live || owner.State != record.Live || person.Text("status") == "left" {
		return false
	}
	if person.ID == owner.ID {
		return true
	}
	for _, role := range []string{"service", "finance", "admin"} {
		if slices.Contains(person.Texts("roles"), role) {
			return true
		}
	}
	for unit := e.above(owner, "unit"); unit != nil; unit = e.above(unit, "parent") {
		if unit.Ref("manager") == person.ID && unit.Text("status") != "closed" {
			return true
		}
	}
	return false
}

// above is the live unit that a field names, or nil.
func (e engine) above(r *record.Record, field string) *record.Record {
	for _, u := range e.town {
		if u.ID == r.Ref(field) && u.Kind.Name == "unit" && u.State == record.Live {
			return u
		}
	}
	return nil
}

// loops reports whether the way up from a unit comes back to it.
func (e engine) loops(unit *record.Record) bool {
	at := e.above(unit, "parent")
	for range e.town {
		if at == nil || at.ID == unit.ID {
			break
		}
		at = e.above(at, "parent")
	}
	return at != nil
}

// reasons are why an edit that has been made should have been refused, worked
// out the slow way.
func (e engine) reasons(was, now *record.Record) (codes []string) {
	say := func(code string, holds bool) {
		if holds {
			codes = append(codes, code)
		}
	}
	live := func(r *record.Record) bool { return r != nil && r.State == record.Live }
	differs := func(field string) bool { return was == nil || was.Text(field) != now.Text(field) }
	admins, namesakes, inside := 0, 0, 0
	for _, r := range e.town {
		if !live(r) {
			continue
		}
		acts := r.Kind.Name == "user" && r.Text("status") != "left"
		if acts && slices.Contains(r.Texts("roles"), "admin") {
			admins++
		}
		if r.Ref("parent") == now.ID || acts && r.Ref("unit") == now.ID {
			inside++
		}
		same := strings.EqualFold(strings.TrimSpace(r.Text("login")), strings.TrimSpace(now.Text("login")))
		if same && r.ID != now.ID && r.Kind.Name == "user" {
			namesakes++
		}
	}
	vanishes := !live(now) && (was == nil || live(was))
	if now.Kind.Name == "unit" {
		say("children", vanishes && inside > 0)
		say("cycle", live(now) && e.loops(now))
		return codes
	}
	say("user_delete", vanishes)
	say("last_admin", admins == 0 && live(was) && was.Text("status") != "left" && slices.Contains(was.Texts("roles"), "admin"))
	login := strings.TrimSpace(now.Text("login"))
	say("required", live(now) && login == "" && (was == nil || live(was) || differs("login")))
	say("login_taken", live(now) && login != "" && namesakes > 0 && (!live(was) || differs("login")))
	say("reference", live(now) && !now.Ref("unit").IsZero() && e.above(now, "unit") == nil && differs("unit"))
	return codes
}

func drawEdit(t *rapid.T, w town) *record.Record {
	users, units := []string{"lin", "zhou", "chen", "fang"}, []string{"a", "b", "c", "d", ""}
	pick := func(from []string, label string) string { return rapid.SampledFrom(from).Draw(t, label) }
	var r *record.Record
	if rapid.Bool().Draw(t, "a person") {
		field := pick([]string{"unit", "roles", "status", "mobile", "login"}, "field")
		value := map[string][]string{
			"unit": units, "roles": {"rep", "manager rep", "admin", ""}, "status": {"left", "active"}, "mobile": {"1", "2"},
			"login": {"lin", " LIN", "zhou", " ", ""},
		}[field]
		r = w.set("user", pick(users, "user"), field, pick(value, "value"))
	} else {
		field := pick([]string{"parent", "parent", "manager", "status"}, "field")
		value := map[string][]string{
			"parent": units, "manager": append(users, ""), "status": {"closed", "active"},
		}[field]
		r = w.set("unit", pick(units[:4], "unit"), field, pick(value, "value"))
	}
	r.State = record.Live
	if rapid.IntRange(0, 9).Draw(t, "delete at 0") == 0 {
		r.State = record.Deleted
	}
	return r
}

// Whatever becomes of people and units, and in whatever order, everybody holds
// what he would if it were worked out anew for each pair of people.
func TestRule_anyHistory(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		e := engine{town{}, map[record.ID][]string{}, map[record.ID]sync.Actor{}}
		for range rapid.IntRange(1, 25).Draw(t, "edits") {
			now := drawEdit(t, e.town)
			after := engine{town: maps.Clone(e.town)}
			after.town[now.Text("name")] = now
			reasons := after.reasons(e.town[now.Text("name")], now)
			effects, err := e.edit(now)
			if err != nil {
				require.Contains(t, reasons, errs.CodeOf(err))
				continue
			}
			require.Empty(t, reasons, "let it pass")
			e.apply(effects)
		}

		for _, p := range e.town {
			if p.Kind.Name != "user" {
				continue
			}
			requireHeld(t, e, p)
		}
	})
}

func requireHeld(t *rapid.T, e engine, p *record.Record) {
	var want []string
	for _, o := range e.town {
		if o.Kind.Name == "user" && e.may(p, o) {
			want = append(want, "owner:"+o.ID.String())
		}
	}
	active := p.State == record.Live && p.Text("status") != "left"
	if active {
		want = append(want, "catalogue", "shared:"+p.ID.String())
	}
	slices.Sort(want)
	require.Equal(t, want, append([]string(nil), e.held[p.ID]...), p.Text("name"))
	require.Equal(t, active, e.actors[p.ID].Active)
}
