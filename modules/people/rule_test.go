package people_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/sync"
)

// town is an org's people and units, as a rule would see them. Names stand for
// ids.
type town map[string]*record.Record

var _ sync.View = town{}

func (t town) Records(_ context.Context, kind string) ([]*record.Record, error) {
	var found []*record.Record
	for _, r := range t {
		if r.Kind.Name == kind && r.State == record.Live {
			found = append(found, r)
		}
	}
	return found, nil
}

func (town) Kind(string) *record.Kind { return nil }

func id(name string) record.ID { return record.ID{0xff}.Derive(name) }

// set returns the record of a name with some fields changed: "unit", "team",
// "roles", "rep manager". An empty value clears the field.
func (t town) set(kind, name string, pairs ...string) *record.Record {
	r := &record.Record{Kind: &record.Kind{Name: kind}, ID: id(name)}
	if old := t[name]; old != nil {
		r = old.Clone()
	}
	r.Put("name").Raw = text(name)
	if kind == "user" && r.Slot("login") == nil {
		r.Put("login").Raw = text(name)
	}
	for i := 0; i < len(pairs); i += 2 {
		r.Put(pairs[i]).Raw = raw(pairs[i], pairs[i+1])
	}
	return r
}

func raw(field, value string) json.RawMessage {
	switch {
	case value == "":
		return json.RawMessage("null")
	case field == "roles":
		return json.RawMessage(`["` + strings.Join(strings.Fields(value), `","`) + `"]`)
	case field == "status" || field == "name" || field == "login" || field == "mobile":
		return text(value)
	}
	return text(id(value).String())
}

func text(s string) json.RawMessage { return record.AppendString(nil, s) }

// edit has the rule judge a change, with the view that the engine would give.
func (t town) edit(now *record.Record) (sync.Effects, error) {
	name := now.Text("name")
	for known, r := range t {
		if r.ID == now.ID { // whatever he is called now
			name = known
		}
	}
	was := t[name]
	t[name] = now
	effects, err := people.Rule{}.Check(context.Background(), t, was, now)
	if err != nil {
		delete(t, name)
		if was != nil {
			t[name] = was
		}
	}
	return effects, err
}

// ourTown: chen manages the region; lin and zhou are in a team of it, wang is
// in the other region, fang does the books.
func ourTown() town {
	t := town{}
	t["region"] = t.set("unit", "region", "manager", "chen")
	t["team"] = t.set("unit", "team", "parent", "region")
	t["south"] = t.set("unit", "south")
	t["chen"] = t.set("user", "chen", "unit", "region", "roles", "manager")
	t["lin"] = t.set("user", "lin", "unit", "team", "roles", "rep")
	t["zhou"] = t.set("user", "zhou", "unit", "team", "roles", "rep")
	t["wang"] = t.set("user", "wang", "unit", "south", "roles", "rep")
	t["fang"] = t.set("user", "fang", "roles", "finance")
	return t
}

// owners are the people whose records one person may hold, by name.
func (t town) owners(effects sync.Effects, person string) string {
	var names []string
	for name := range t {
		if slices.Contains(effects.Grants[id(person)], "owner:"+id(name).String()) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestRule_grants(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name   string
		change func(town) *record.Record
		want   map[string]string // whose records each person holds
	}{
		{
			"a manager holds what the people of his units do",
			func(w town) *record.Record { return w.set("user", "he", "unit", "team", "roles", "rep") },
			map[string]string{
				"he": "he", "lin": "lin", "wang": "wang",
				"chen": "chen he lin zhou", "fang": "chen fang he lin wang zhou",
			},
		},
		{
			"who moves takes his records along",
			func(w town) *record.Record { return w.set("user", "lin", "unit", "south") },
			map[string]string{"lin": "lin", "chen": "chen zhou", "wang": "wang"},
		},
		{
			"who has left holds nothing, and his manager keeps his records",
			func(w town) *record.Record { return w.set("user", "lin", "status", "left") },
			map[string]string{"lin": "", "chen": "chen lin zhou", "fang": "chen fang lin wang zhou"},
		},
		{
			"a manager who has left holds nothing",
			func(w town) *record.Record { return w.set("user", "chen", "status", "left") },
			map[string]string{"chen": "", "lin": "lin"},
		},
		{
			"an office role holds everybody's, managers of nothing only their own",
			func(w town) *record.Record { return w.set("user", "wang", "roles", "manager service") },
			map[string]string{"wang": "chen fang lin wang zhou"},
		},
		{
			"a role that is taken away takes its grants along",
			func(w town) *record.Record { return w.set("user", "fang", "roles", "rep") },
			map[string]string{"fang": "fang"},
		},
		{
			"a unit's new manager holds what is below it",
			func(w town) *record.Record { return w.set("unit", "team", "manager", "wang") },
			map[string]string{"wang": "lin wang zhou", "chen": "chen lin zhou"},
		},
		{
			"a unit that moves takes its people along",
			func(w town) *record.Record { return w.set("unit", "team", "parent", "south") },
			map[string]string{"chen": "chen", "wang": "wang"},
		},
		{
			"a closed unit has no manager",
			func(w town) *record.Record { return w.set("unit", "region", "status", "closed") },
			map[string]string{"chen": "chen"},
		},
		{
			"a closed unit still belongs to the one above",
			func(w town) *record.Record { return w.set("unit", "team", "status", "closed") },
			map[string]string{"chen": "chen lin zhou"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := ourTown()

			effects, err := w.edit(tt.change(w))

			require.NoError(t, err)
			for person, want := range tt.want {
				require.Equal(t, want, w.owners(effects, person), person)
			}
		})
	}
}

func TestRule_everybody(t *testing.T) {
	t.Parallel()
	w := ourTown()

	effects, err := w.edit(w.set("user", "lin", "roles", "rep manager"))

	require.NoError(t, err)
	lin := id("lin").String()
	require.Equal(t, []string{"catalogue", "owner:" + lin, "shared:" + lin}, effects.Grants[id("lin")])
	require.Len(t, effects.Grants, 5, "everybody is named")
	require.Equal(t, []sync.Actor{{
		ID: id("lin"), Name: "lin", Roles: []string{"rep", "manager"}, Active: true,
	}}, effects.Actors)
}

// No edit deletes a person any more, but some orgs have tombstones.
func TestRule_tombstone(t *testing.T) {
	t.Parallel()
	w := ourTown()
	w["lin"].State = record.Deleted
	back := w.set("user", "lin")
	back.State = record.Live

	buried, err := w.edit(w.set("user", "lin", "status", "left"))
	require.NoError(t, err)
	restored, err := w.edit(back)
	require.NoError(t, err)

	require.False(t, buried.Actors[0].Active)
	require.Contains(t, buried.Grants, id("lin"))
	require.Empty(t, buried.Grants[id("lin")])
	require.True(t, restored.Actors[0].Active)
	require.Equal(t, "chen lin zhou", w.owners(restored, "chen"))
}

func TestRule_idle(t *testing.T) {
	t.Parallel()
	w := ourTown()
	w["lin"] = w.set("user", "lin", "mobile", "138 0013 8000")

	phone, err := w.edit(w.set("user", "lin", "mobile", "139 0013 9000"))
	require.NoError(t, err)
	renamed := w.set("unit", "team")
	renamed.Put("name").Raw = text("the team")
	unit, err := people.Rule{}.Check(t.Context(), w, w["team"], renamed)
	require.NoError(t, err)
	other, err := w.edit(w.set("account", "兴旺超市"))
	require.NoError(t, err)

	require.Empty(t, phone, "a number moves nobody")
	require.Empty(t, unit, "nor does a unit's name")
	require.Empty(t, other, "nor does a customer")
}

func TestRule_name(t *testing.T) {
	t.Parallel()
	w := ourTown()
	renamed := w.set("user", "lin")
	renamed.Put("name").Raw = text("林晓")

	effects, err := people.Rule{}.Check(t.Context(), w, w["lin"], renamed)

	require.NoError(t, err)
	require.Equal(t, "林晓", effects.Actors[0].Name)
	require.Nil(t, effects.Grants)
}

func TestRule_cycle(t *testing.T) {
	t.Parallel()

	tests := []struct{ name, unit, parent string }{
		{"above itself", "team", "team"},
		{"below its own team", "region", "team"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := ourTown()

			_, err := w.edit(w.set("unit", tt.unit, "parent", tt.parent))

			require.Equal(t, errs.Invalid, errs.KindOf(err))
			require.Equal(t, "cycle", errs.CodeOf(err))
		})
	}
}

func TestRule_repairsCycle(t *testing.T) {
	t.Parallel()
	w := ourTown()
	w["region"] = w.set("unit", "region", "parent", "team") // as no edit could leave it

	_, renamed := w.edit(w.set("unit", "region", "manager", "wang"))
	_, moved := w.edit(w.set("unit", "region", "parent", "south"))

	require.NoError(t, renamed, "an edit of something else is not refused for it")
	require.NoError(t, moved)
	require.Len(t, slices.Collect(maps.Keys(w)), 8)
}
