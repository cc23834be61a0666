package sync_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync/wire"
)

// tree makes a customer of somebody's with a contact and a visit plan, and says
// what there is.
func (w *world) tree(owner string) (shop record.ID, all []record.ID) {
	w.t.Helper()
	shop = w.shops(owner, 1)[0]
	all = []record.ID{shop, w.id(), w.id()}
	w.propose(w.org,
		record.Edit{Op: record.OpCreate, Kind: "contact", ID: all[1], Set: values("account", shop, "name", "王")},
		record.Edit{Op: record.OpCreate, Kind: "visit_plan", ID: all[2], Set: values("account", shop, "date", "2026-11-30")},
	)
	return shop, all
}

// settles lets every subtree move to its end.
func (w *world) settles() {
	w.t.Helper()
	for more := true; more; {
		var err error
		more, err = w.engine.RescopeChunk(w.t.Context(), w.org)
		require.NoError(w.t, err)
	}
}

func (w *world) rows(sql string, args ...any) (n int) {
	w.t.Helper()
	require.NoError(w.t, w.pool.QueryRow(w.t.Context(), sql, args...).Scan(&n))
	return n
}

// A pinned account has a scope of its own, with all that hangs below it, for as
// long as some device pins it.
func TestPin(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.engine.Still(1)
	chen, tablet := w.phone("chen"), w.phone("chen")
	shop, all := w.tree("lin")
	scope := "account:" + shop.String()
	members := func() int {
		return w.rows(`SELECT count(*) FROM members m JOIN scopes s ON s.org = m.org AND s.id = m.scope WHERE m.org = $1 AND s.name = $2`, w.org, scope)
	}
	chen.pull()

	chen.pins = []record.ID{shop}
	chen.pull()
	require.True(t, chen.base[shop].in[scope])
	w.settles()
	more := w.id()
	w.propose(w.org, record.Edit{Op: record.OpCreate, Kind: "task", ID: more, Set: values("account", shop, "title", "报价")})
	chen.pull()
	for _, id := range append(all, more) {
		require.True(t, chen.base[id].in[scope], "what is there, and what comes later")
	}
	require.Equal(t, chen.ownDigests()[scope], chen.pages[len(chen.pages)-1].Digests[scope])

	tablet.pins = []record.ID{shop}
	tablet.pull()
	chen.pins = []record.ID{}
	chen.pull()
	require.Equal(t, []string{scope}, chen.pages[0].DropScopes)
	require.False(t, chen.base[shop].in[scope])
	require.True(t, chen.has(shop), "he holds it through his people")
	w.settles()
	require.Equal(t, len(all)+1, members(), "the tablet has it still")

	tablet.pins = []record.ID{}
	tablet.pull()
	w.settles()
	require.Zero(t, members())
	require.Zero(t, w.rows(`SELECT count(*) FROM pins WHERE org = $1`, w.org))
	for _, id := range append(all, more) {
		require.True(t, tablet.has(id))
	}
}

// What is not said stays; what cannot be pinned is named, and keeps nobody from
// pinning the rest.
func TestPin_refused(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	shop, all := w.tree("lin")
	strange, _ := w.tree("gao")
	gone := w.shops("lin", 1)[0]
	w.propose(w.org, record.Edit{Op: record.OpDelete, Kind: "account", ID: gone})
	team := w.person(w.org, "team")
	nobody := w.id()

	lin.pins = []record.ID{strange, all[1], shop, gone, team, nobody, shop}
	lin.pull()
	require.Equal(t, map[string]bool{"account:" + shop.String(): true}, pinsOf(lin))
	require.ElementsMatch(t, []record.ID{strange, all[1], gone, team, nobody}, lin.pages[0].PinsRefused)

	lin.pins = nil
	lin.pull()
	require.Empty(t, lin.pages[0].PinsRefused)
	require.Equal(t, map[string]bool{"account:" + shop.String(): true}, pinsOf(lin), "it stays as it was")

	many := make([]record.ID, wire.MaxPins+1)
	for i := range many {
		many[i] = w.id()
	}
	_, err := w.engine.Pull(t.Context(), lin.who, &wire.PullRequest{Replica: lin.replica, Want: &wire.Want{Pins: many[:wire.MaxPins]}})
	require.NoError(t, err)
	_, err = w.engine.Pull(t.Context(), lin.who, &wire.PullRequest{Replica: lin.replica, Want: &wire.Want{Pins: many}})
	require.ErrorContains(t, err, "at most 20")
}

func pinsOf(p *phone) map[string]bool {
	names := map[string]bool{}
	rows, err := p.w.pool.Query(p.w.t.Context(), `SELECT s.name FROM grants g JOIN scopes s ON s.org = g.org AND s.id = g.scope
		WHERE g.org = $1 AND g.holder = $2 AND g.until IS NULL`, p.who.Org, p.who.Device)
	require.NoError(p.w.t, err)
	defer rows.Close()
	for rows.Next() {
		var name string
		require.NoError(p.w.t, rows.Scan(&name))
		names[name] = true
	}
	require.NoError(p.w.t, rows.Err())
	return names
}

// A pin ends with the right through which the account was seen: what it held is
// gone with the next pull, and a record of it does not come.
func TestPin_endsWithTheRight(t *testing.T) {
	t.Parallel()

	for name, ends := range map[string]func(w *world, all []record.ID){
		"it is given to another":     func(w *world, all []record.ID) { w.gives(all[0], "gao") },
		"it is deleted":              func(w *world, all []record.ID) { w.deletes(all) },
		"its owner leaves the team":  func(w *world, _ []record.ID) { w.office("user", w.person(w.org, "lin"), values("unit", nil)) },
		"chen manages nobody":        func(w *world, _ []record.ID) { w.office("unit", w.person(w.org, "team"), values("manager", nil)) },
		"chen has left":              func(w *world, _ []record.ID) { w.office("user", w.person(w.org, "chen"), values("status", "left")) },
		"he reads accounts no more":  func(w *world, _ []record.ID) { w.roles("chen", nil, "manager") },
		"and somebody pins it still": func(w *world, all []record.ID) { w.pinnedBy("admin", all[0]); w.gives(all[0], "gao") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			chen := w.phone("chen")
			shop, all := w.tree("lin")
			chen.pins = []record.ID{shop}
			chen.pull()
			w.settles()
			chen.pull()
			require.Len(t, pinsOf(chen), 1)

			ends(w, all)
			w.settles()
			chen.max = 1
			chen.pages = []wire.PullAnswer{chen.pullPage()}

			require.Contains(t, chen.pages[0].DropScopes, "account:"+shop.String(), "at once")
			require.Contains(t, chen.pages[0].PinsRefused, shop)
			chen.pull()
			for _, id := range all {
				require.False(t, chen.has(id))
			}
			require.Empty(t, pinsOf(chen))
		})
	}
}

// deletes deletes a customer after what hangs below it.
func (w *world) deletes(tree []record.ID) {
	w.t.Helper()
	for i, kind := range []string{"visit_plan", "contact", "account"} {
		w.propose(w.org, record.Edit{Op: record.OpDelete, Kind: kind, ID: tree[2-i]})
	}
}

func (w *world) roles(login string, add, remove any) {
	w.t.Helper()
	e := record.Edit{Op: record.OpEdit, Kind: "user", ID: w.person(w.org, login)}
	if add != nil {
		e.Add = values("roles", []any{add})
	}
	if remove != nil {
		e.Remove = values("roles", []any{remove})
	}
	w.propose(w.org, e)
}

func (w *world) pinnedBy(login string, shop record.ID) {
	w.t.Helper()
	p := w.phone(login)
	p.pins = []record.ID{shop}
	p.pull()
	require.Len(w.t, pinsOf(p), 1)
}

// The pins of a device that asks for nothing end after thirty days, and not
// before; whoever asks keeps them.
func TestPin_idle(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen := w.phone("lin"), w.phone("chen")
	shop, _ := w.tree("lin")
	for _, p := range []*phone{lin, chen} {
		p.pins = []record.ID{shop}
		p.pull()
	}
	chen.pins = nil
	w.pass(29 * 24 * time.Hour)
	chen.pull()
	w.pass(24 * time.Hour)
	ended, err := w.engine.EndIdlePins(t.Context())
	require.NoError(t, err)
	require.Zero(t, ended, "thirty days are not over")

	w.pass(time.Second)
	ended, err = w.engine.EndIdlePins(t.Context())

	require.NoError(t, err)
	require.Equal(t, 1, ended)
	require.Empty(t, pinsOf(lin))
	require.Len(t, pinsOf(chen), 1)
	lin.pull()
	require.Len(t, pinsOf(lin), 1, "he asks for it again")
}

// A device keeps its pins when it gets another name: they hang on the device.
func TestPin_relabelled(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	shop, _ := w.tree("lin")
	lin.pins = []record.ID{shop}
	lin.pull()

	lin.replica, lin.pins = w.claim(lin.who), nil
	lin.pull()

	require.Len(t, pinsOf(lin), 1)
}
