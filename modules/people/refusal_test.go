package people_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
)

// gone is a record as a delete would leave it, back as a restore would.
func gone(r *record.Record) *record.Record { return inState(r, record.Deleted) }
func back(r *record.Record) *record.Record { return inState(r, record.Live) }

func inState(r *record.Record, state record.State) *record.Record {
	c := r.Clone()
	c.State = state
	return c
}

// governed is ourTown with gao, who administers it.
func governed() town {
	w := ourTown()
	w["gao"] = w.set("user", "gao", "roles", "admin")
	return w
}

// refusal is an edit, and how the rule is to judge it; without a code it is to
// pass.
type refusal struct {
	name   string
	change func(town) *record.Record
	code   string
	fields []string
}

func requireJudged(t *testing.T, kind errs.Kind, tests []refusal) {
	t.Helper()

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := governed()

			_, err := w.edit(tt.change(w))

			if tt.code == "" {
				require.NoError(t, err)
				return
			}
			requireCode(t, err, kind, tt.code)
			var refused *errs.Error
			require.ErrorAs(t, err, &refused)
			var fields []string
			for _, f := range refused.Fields {
				fields = append(fields, f.Field)
			}
			require.Equal(t, tt.fields, fields)
		})
	}
}

func TestRule_lastAdmin(t *testing.T) {
	t.Parallel()

	second := func(w town, pairs ...string) { w["wang"] = w.set("user", "wang", pairs...) }
	requireJudged(t, errs.Clash, []refusal{
		{"he gives up the role", func(w town) *record.Record { return w.set("user", "gao", "roles", "rep") }, "last_admin", nil},
		{"he has no role any more", func(w town) *record.Record { return w.set("user", "gao", "roles", "") }, "last_admin", nil},
		{"he leaves", func(w town) *record.Record { return w.set("user", "gao", "status", "left") }, "last_admin", nil},
		{"he is deleted", func(w town) *record.Record { return gone(w["gao"]) }, "last_admin", nil},
		{"the other one has left", func(w town) *record.Record {
			second(w, "roles", "admin", "status", "left")
			return w.set("user", "gao", "roles", "rep")
		}, "last_admin", nil},
		{"the other one is a tombstone", func(w town) *record.Record {
			second(w, "roles", "admin")
			w["wang"].State = record.Deleted
			return w.set("user", "gao", "status", "left")
		}, "last_admin", nil},
		{"the other one goes with the same mutation", func(w town) *record.Record {
			second(w, "roles", "rep") // as its view says
			return w.set("user", "gao", "roles", "rep")
		}, "last_admin", nil},
		{"another one is there", func(w town) *record.Record {
			second(w, "roles", "rep admin")
			return w.set("user", "gao", "status", "left")
		}, "", nil},
		{"another role beside it", func(w town) *record.Record { return w.set("user", "gao", "roles", "admin rep") }, "", nil},
		{"he moves", func(w town) *record.Record { return w.set("user", "gao", "unit", "team") }, "", nil},
		{"somebody else leaves", func(w town) *record.Record { return w.set("user", "lin", "status", "left") }, "", nil},
		{"nobody ever administered this org", func(w town) *record.Record {
			delete(w, "gao")
			return w.set("user", "lin", "roles", "manager")
		}, "", nil},
		{"an org without people", func(w town) *record.Record {
			clear(w)
			return w.set("user", "lin", "roles", "rep")
		}, "", nil},
		{"an administrator who had left loses the role", func(w town) *record.Record {
			w["gao"] = w.set("user", "gao", "status", "left")
			return w.set("user", "gao", "roles", "rep")
		}, "", nil},
	})
}

func TestRule_userDelete(t *testing.T) {
	t.Parallel()

	requireJudged(t, errs.Clash, []refusal{
		{"a person", func(w town) *record.Record { return gone(w["lin"]) }, "user_delete", nil},
		{"a person who has left", func(w town) *record.Record {
			w["lin"] = w.set("user", "lin", "status", "left")
			return gone(w["lin"])
		}, "user_delete", nil},
		{"an administrator of two", func(w town) *record.Record {
			w["wang"] = w.set("user", "wang", "roles", "admin")
			return gone(w["gao"])
		}, "user_delete", nil},
		{"a person whom the same mutation makes", func(w town) *record.Record { return gone(w.set("user", "he")) }, "user_delete", nil},
		{"marked as left", func(w town) *record.Record { return w.set("user", "lin", "status", "left") }, "", nil},
		{"a restore", func(w town) *record.Record {
			w["lin"] = gone(w["lin"])
			return back(w["lin"])
		}, "", nil},
		{"a restore of one without a name and in a unit that is gone", func(w town) *record.Record {
			w["lin"] = gone(w.set("user", "lin", "name", "", "login", "", "unit", "north"))
			return back(w["lin"])
		}, "", nil},
		{"an edit that stays buried", func(w town) *record.Record {
			w["lin"] = gone(w["lin"])
			return w.set("user", "lin", "login", "", "unit", "north")
		}, "", nil},
	})
}

func TestRule_unitDelete(t *testing.T) {
	t.Parallel()

	empty := func(w town, status string) {
		for _, name := range []string{"lin", "zhou"} {
			w[name] = w.set("user", name, "status", status)
		}
	}
	requireJudged(t, errs.Clash, []refusal{
		{"a unit with people", func(w town) *record.Record { return gone(w["team"]) }, "children", nil},
		{"a unit with a unit", func(w town) *record.Record {
			w["chen"] = w.set("user", "chen", "unit", "south")
			return gone(w["region"])
		}, "children", nil},
		{"a unit with a closed unit", func(w town) *record.Record {
			w["chen"] = w.set("user", "chen", "unit", "south")
			w["team"] = w.set("unit", "team", "status", "closed")
			return gone(w["region"])
		}, "children", nil},
		{"a closed unit with people", func(w town) *record.Record {
			w["team"] = w.set("unit", "team", "status", "closed")
			return gone(w["team"])
		}, "children", nil},
		{"a unit whose people have left", func(w town) *record.Record {
			empty(w, "left")
			return gone(w["team"])
		}, "", nil},
		{"a unit whose people have moved", func(w town) *record.Record {
			w["wang"] = w.set("user", "wang", "unit", "team")
			return gone(w["south"])
		}, "", nil},
		{"a unit above one that was deleted", func(w town) *record.Record {
			w["chen"] = w.set("user", "chen", "unit", "south")
			w["team"] = gone(w["team"])
			return gone(w["region"])
		}, "", nil},
		{"a unit with people is closed", func(w town) *record.Record { return w.set("unit", "team", "status", "closed") }, "", nil},
		{"a tombstone with people, from before, is edited", func(w town) *record.Record {
			w["team"] = gone(w["team"])
			return w.set("unit", "team", "status", "closed")
		}, "", nil},
		{"a restore", func(w town) *record.Record {
			w["team"] = gone(w["team"])
			return back(w["team"])
		}, "", nil},
	})
}

func TestRule_required(t *testing.T) {
	t.Parallel()

	requireJudged(t, errs.Invalid, []refusal{
		{"new, without a login", func(w town) *record.Record { return w.set("user", "he", "login", "") }, "required", []string{"login"}},
		{"new, without a name", func(w town) *record.Record { return w.set("user", "he", "name", "") }, "required", []string{"name"}},
		{"new, without either", func(w town) *record.Record {
			return w.set("user", "he", "name", "\u3000", "login", " \t")
		}, "required", []string{"name", "login"}},
		{"a name is cleared", func(w town) *record.Record { return w.set("user", "lin", "name", "") }, "required", []string{"name"}},
		{"a name is made blank", func(w town) *record.Record { return w.set("user", "lin", "name", "  ") }, "required", []string{"name"}},
		{"one from before has no login, and something else is edited", func(w town) *record.Record {
			w["lin"] = w.set("user", "lin", "login", "")
			return w.set("user", "lin", "mobile", "139 0013 9000")
		}, "required", []string{"login"}},
		{"brought back, and the name is cleared", func(w town) *record.Record {
			w["lin"] = gone(w["lin"])
			return back(w.set("user", "lin", "name", ""))
		}, "required", []string{"name"}},
		{"new, with both", func(w town) *record.Record { return w.set("user", "he") }, "", nil},
		{"the lack is made good", func(w town) *record.Record {
			w["lin"] = w.set("user", "lin", "login", "")
			return w.set("user", "lin", "login", "lin")
		}, "", nil},
		{"a unit needs no login", func(w town) *record.Record { return w.set("unit", "north") }, "", nil},
	})
}

func TestRule_loginTaken(t *testing.T) {
	t.Parallel()

	field := []string{"login"}
	requireJudged(t, errs.Clash, []refusal{
		{"of somebody new", func(w town) *record.Record { return w.set("user", "he", "login", "lin") }, "login_taken", field},
		{"written otherwise", func(w town) *record.Record { return w.set("user", "he", "login", " LIN ") }, "login_taken", field},
		{"theirs is written otherwise", func(w town) *record.Record {
			w["lin"] = w.set("user", "lin", "login", "Lin ")
			return w.set("user", "he", "login", "lin")
		}, "login_taken", field},
		{"of somebody who has left", func(w town) *record.Record {
			w["lin"] = w.set("user", "lin", "status", "left")
			return w.set("user", "he", "login", "lin")
		}, "login_taken", field},
		{"a change", func(w town) *record.Record { return w.set("user", "zhou", "login", "lin") }, "login_taken", field},
		{"a restore after somebody else got it", func(w town) *record.Record {
			w["lin"] = gone(w["lin"])
			w["he"] = w.set("user", "he", "login", "lin")
			return back(w["lin"])
		}, "login_taken", field},
		{"of a tombstone", func(w town) *record.Record {
			w["lin"] = gone(w["lin"])
			return w.set("user", "he", "login", "lin")
		}, "", nil},
		{"a restore of one without, like somebody who is there", func(w town) *record.Record {
			w["lin"] = gone(w.set("user", "lin", "login", ""))
			w["zhou"] = w.set("user", "zhou", "login", "")
			return back(w["lin"])
		}, "", nil},
		{"two had the same before", func(w town) *record.Record {
			w["zhou"] = w.set("user", "zhou", "login", "lin")
			return w.set("user", "zhou", "unit", "south")
		}, "", nil},
		{"his own, written otherwise", func(w town) *record.Record { return w.set("user", "lin", "login", "LIN") }, "", nil},
		{"one that begins alike", func(w town) *record.Record { return w.set("user", "he", "login", "lin2") }, "", nil},
	})
}

func TestRule_reference(t *testing.T) {
	t.Parallel()

	field := []string{"unit"}
	requireJudged(t, errs.Missing, []refusal{
		{"somebody new, in no unit that there is", func(w town) *record.Record { return w.set("user", "he", "unit", "north") }, "reference", field},
		{"a move to no unit that there is", func(w town) *record.Record { return w.set("user", "lin", "unit", "north") }, "reference", field},
		{"a unit that was deleted", func(w town) *record.Record {
			w["north"] = gone(w.set("unit", "north"))
			return w.set("user", "lin", "unit", "north")
		}, "reference", field},
		{"what is no unit", func(w town) *record.Record { return w.set("user", "lin", "unit", "zhou") }, "reference", field},
		{"the first person, before the first unit", func(w town) *record.Record {
			clear(w)
			return w.set("user", "gao", "roles", "admin", "unit", "company")
		}, "reference", field},
		{"a unit that the same mutation makes", func(w town) *record.Record {
			w["north"] = w.set("unit", "north")
			return w.set("user", "lin", "unit", "north")
		}, "", nil},
		{"a closed unit", func(w town) *record.Record {
			w["south"] = w.set("unit", "south", "status", "closed")
			return w.set("user", "lin", "unit", "south")
		}, "", nil},
		{"no unit", func(w town) *record.Record { return w.set("user", "lin", "unit", "") }, "", nil},
		{"one from before, and something else is edited", func(w town) *record.Record {
			w["lin"] = w.set("user", "lin", "unit", "north")
			return w.set("user", "lin", "roles", "rep manager")
		}, "", nil},
	})
}
