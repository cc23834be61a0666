package sync_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/sync/wire"
)

// came is what a phone's last sync brought, by record.
func (p *phone) came() map[record.ID]wire.Change {
	met := map[record.ID]wire.Change{}
	for _, page := range p.pages {
		for _, c := range page.Changes {
			met[c.ID] = c
		}
	}
	return met
}

// A device holds what is from ninety days back on, unless it says otherwise.
// To want less costs nothing; to want more brings what is added and no more.
func TestPull_period(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	shop := w.shops("lin", 1, lin)[0]
	plans := map[string]record.ID{}
	for _, month := range []string{"2026-05", "2026-07", "2026-08", "2026-11"} {
		plans[month] = lin.create("visit_plan", values("account", shop, "date", month+"-10"))
	}
	lin.push()
	holds := func(months ...string) {
		t.Helper()
		had := map[record.ID]bool{}
		for _, plan := range plans {
			had[plan] = lin.has(plan)
		}
		lin.pull()
		for month, plan := range plans {
			require.Equal(t, slices.Contains(months, month), lin.has(plan), month)
			require.Equal(t, lin.has(plan) && !had[plan], lin.came()[plan].Set != nil, month)
		}
		require.Equal(t, lin.ownDigests(), lin.pages[len(lin.pages)-1].Digests)
	}

	holds("2026-08", "2026-11")
	require.Equal(t, "2026-08", lin.shown, "it is told, for it did not ask")
	lin.from = "2026-10"
	holds("2026-11")
	w.office("visit_plan", plans["2026-08"], values("order", 3))
	holds("2026-11")
	lin.from = "2026-06"
	holds("2026-07", "2026-08", "2026-11")
	require.Equal(t, "3", lin.raw(plans["2026-08"], "order"))
	lin.from = "2026-04"
	holds("2026-05", "2026-07", "2026-08", "2026-11")
	w.pass(400 * 24 * time.Hour)
	lin.from = ""
	holds("2026-05", "2026-07", "2026-08", "2026-11")
	chen := w.phone("chen")
	chen.from = "1999-12"
	chen.pull()
	require.Equal(t, lin.count("visit_plan"), chen.count("visit_plan"))
}

// A device that names kinds holds those; one more brings that kind, one fewer
// nothing. Other kinds that its person may read are nothing to it meanwhile.
func TestPull_kinds(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	shop := lin.create("account", values("name", "店"))
	contact := lin.create("contact", values("account", shop, "name", "王"))
	task := lin.create("task", values("account", shop, "title", "报价"))
	lin.push()
	holds := func(ids ...record.ID) {
		t.Helper()
		lin.pull()
		for _, id := range []record.ID{shop, contact, task} {
			require.Equal(t, slices.Contains(ids, id), lin.has(id))
		}
		require.Equal(t, lin.ownDigests(), lin.pages[len(lin.pages)-1].Digests)
	}

	lin.kinds = []string{"account", "unheard of"}
	holds(shop)
	require.Len(t, lin.base, 1)
	lin.kinds = []string{"task", "account"}
	holds(shop, task)
	require.Len(t, lin.came(), 1)
	lin.kinds = nil
	w.office("contact", contact, values("title", "店长"))
	holds(shop, task)
	require.Empty(t, lin.came())
	lin.kinds = []string{"account", "contact"}
	holds(shop, contact)
	require.Equal(t, "店长", lin.text(contact, "title"))
	require.Equal(t, []string{"account", "contact"}, lin.pages[0].Want.Kinds, "it is told, to drop the rest")
	lin.kinds = []string{}
	holds(shop, contact, task)
	require.Positive(t, lin.count("user"))
	require.Nil(t, lin.pages[0].Want.Kinds)
}

// A page looks at so many records and no more, even if none of them is of the
// range that was added: it comes empty, and goes on from there.
func TestPull_looksAtSoManyRecords(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	shop := w.shops("lin", 1)[0]
	for range 4 {
		lin.create("visit_plan", values("account", shop, "date", "2026-11-10"))
	}
	lin.push()
	lin.pull()
	w.engine.LookAtMost(3)
	lin.from = "2026-01"

	lin.pull()
	require.Len(t, lin.pages, 2, "one too many for a page")
	for _, page := range lin.pages {
		require.Empty(t, page.Changes)
		require.True(t, page.Complete)
	}
	w.engine.LookAtMost(4)
	lin.from = "1999-01"
	lin.pull()
	require.Len(t, lin.pages, 1)
}

// What changes while an added range is on its way is told at once: a device
// that works on goes by what it holds.
func TestPull_changesDuringAFill(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	shops := w.shops("lin", 4, lin)
	plan := lin.create("visit_plan", values("account", shops[0], "date", "2026-02-10"))
	other := lin.create("visit_plan", values("account", shops[0], "date", "2026-03-10"))
	lin.edit(shops[3], values("short_name", "自己的"))
	lin.push()
	w.gives(shops[2], "gao")
	w.propose(w.org, record.Edit{Op: record.OpDelete, Kind: "account", ID: shops[1]})
	lin.from, lin.max = "2026-01", 1

	var page wire.PullAnswer
	for !page.Complete {
		page = lin.pullPage()
	}

	require.True(t, page.Filling)
	require.Equal(t, "自己的", lin.text(shops[3], "short_name"), "what he has sent does not vanish from his screen")
	require.False(t, lin.has(shops[2]))
	require.False(t, lin.has(shops[1]))
	lin.pull()
	require.True(t, lin.has(plan) && lin.has(other))
}

// Who gets another role sees other kinds and fields of the records that he
// holds already: what is no longer for him is withdrawn, what is new comes,
// and nothing else.
func TestPull_anotherRole(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	he, lin := w.phone("he"), w.phone("lin")
	shop := lin.create("account", values("name", "店"))
	visit := lin.create("visit", values("account", shop, "owner", w.person(w.org, "he")))
	lin.sync()
	gao := w.person(w.org, "gao")
	w.office("user", gao, values("mobile", "13800138000"))
	for _, p := range []*phone{he, lin} {
		p.pull()
	}
	become := func(login, old, role string) {
		w.propose(w.org, record.Edit{
			Op: record.OpEdit, Kind: "user", ID: w.person(w.org, login), Add: values("roles", []string{role}), Remove: values("roles", []string{old}),
		})
	}
	require.False(t, he.has(visit), "the desk has nothing to do with visits")
	require.Equal(t, "13800138000", he.text(gao, "mobile"))
	require.Empty(t, lin.text(gao, "mobile"))

	become("he", "service", "rep")
	become("lin", "rep", "manager")
	he.pull()
	lin.pull()

	require.True(t, he.has(visit))
	require.NotEmpty(t, he.pages[0].Schema, "he learns of the kinds")
	require.Equal(t, []wire.Withdraw{{Kind: "user", Fields: []string{"mobile"}}}, he.pages[0].Withdraw)
	require.Empty(t, he.raw(gao, "mobile"))
	require.Empty(t, lin.pages[0].Withdraw)
	change := lin.came()[gao]
	require.Equal(t, "13800138000", lin.text(gao, "mobile"))
	require.False(t, change.Full, "he holds the rest")
	require.Equal(t, []string{"mobile"}, fieldsOf(change.Set))
	require.False(t, lin.came()[shop].Full, "nothing of it is new to him")

	become("he", "rep", "finance")
	become("lin", "manager", "rep")
	he.pull()
	lin.pull()

	require.Contains(t, he.pages[0].Withdraw, wire.Withdraw{Kind: "visit"})
	require.False(t, he.has(visit))
	require.Empty(t, lin.raw(gao, "mobile"))
	for _, p := range []*phone{he, lin} {
		require.Equal(t, p.ownDigests(), p.pages[len(p.pages)-1].Digests)
		p.pull()
		require.Empty(t, p.pages[0].Withdraw, "it is said once")
	}
}

func fieldsOf(vs record.Values) (names []string) {
	for _, v := range vs {
		names = append(names, v.Field)
	}
	return names
}

// A field that is published as hidden, or not hidden any more, is a change of
// what people see like any other.
func TestPull_anotherSchema(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	w.office("account", shop, values("grade", "A"))
	lin.pull()
	publish := func(version string, readers ...string) {
		next := *w.schema
		stored, err := next.Stored()
		require.NoError(t, err)
		parsed, err := record.ParseSchema(stored)
		require.NoError(t, err)
		parsed.Version = version
		parsed.Kind("account").Field("grade").Readers = readers
		require.NoError(t, w.engine.Publish(t.Context(), w.org, parsed))
	}

	publish("2", "manager")
	lin.pull()
	chen.pull()

	require.Equal(t, []wire.Withdraw{{Kind: "account", Fields: []string{"grade"}}}, lin.pages[0].Withdraw)
	require.Empty(t, lin.raw(shop, "grade"))
	require.Equal(t, "A", chen.text(shop, "grade"))

	publish("3")
	lin.pull()

	require.Equal(t, "A", lin.text(shop, "grade"))
	require.Equal(t, []string{"grade"}, fieldsOf(lin.came()[shop].Set))
}

// A field that has come into sight is on its way through one scope, and the
// record moves into another, which it has come through: it is not lost between.
func TestPull_aFieldOnItsWay(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	chen := w.phone("chen")
	w.roles("chen", "rep", "manager")
	next, err := record.ParseSchema(shipped.Stored())
	require.NoError(t, err)
	next.Kind("account").Field("grade").Readers = []string{"manager"}
	require.NoError(t, w.engine.Publish(t.Context(), w.org, next))
	owners := map[record.ID]string{}
	for _, owner := range []string{"lin", "zhou"} {
		for _, shop := range w.shops(owner, 2) {
			owners[shop] = owner
			w.office("account", shop, values("grade", "A"))
		}
	}
	chen.pull()
	w.roles("chen", "manager", nil)
	chen.max = 1
	graded := func() (n int) {
		for shop := range owners {
			if chen.raw(shop, "grade") != "" {
				n++
			}
		}
		return n
	}
	require.Zero(t, graded())

	for graded() < 2 {
		chen.pullPage()
	}
	var done, late record.ID
	for shop := range owners {
		if chen.raw(shop, "grade") != "" {
			done = shop
		} else {
			late = shop
		}
	}
	require.NotEqual(t, owners[done], owners[late])
	w.gives(late, owners[done])
	chen.pull()

	require.Equal(t, 4, graded())
}

// A device that keeps changing its mind takes so many rows and no more, and
// still ends with what it wants.
func TestPull_changesOfMind(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	shop := w.shops("lin", 1)[0]
	plan := lin.create("visit_plan", values("account", shop, "date", "2026-06-10"))
	lin.push()
	lin.pull()
	rows := func() (n int) {
		require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT count(*) FROM views WHERE org = $1 AND device = $2`, w.org, lin.who.Device).Scan(&n))
		return n
	}
	for i := range store.MaxViews - 1 {
		lin.from = []string{"2026-09", "2026-05"}[i%2]
		lin.pullPage()
	}
	require.Equal(t, store.MaxViews, rows())

	lin.from = "2026-04"
	lin.pull()

	require.Equal(t, store.MaxViews, rows(), "the oldest is dropped")
	require.True(t, lin.has(plan))
	require.Equal(t, lin.ownDigests(), lin.pages[len(lin.pages)-1].Digests)
	lin.pull()
	require.Empty(t, lin.came())
}

// Pulls of one device at once that ask for different things each get an answer
// to what they asked for, or are told to come again.
func TestPull_twoWishesAtOnce(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	var g errgroup.Group
	for i := range 8 {
		from := []string{"2026-05", "2026-09"}[i%2]
		g.Go(func() error {
			body, err := w.engine.Pull(t.Context(), lin.who, &wire.PullRequest{Replica: lin.replica, Want: &wire.Want{From: from}})
			if err != nil {
				return err
			}
			var page wire.PullAnswer
			if err := json.Unmarshal(body, &page); err != nil {
				return err
			}
			require.Equal(t, from, page.Want.From)
			return nil
		})
	}

	require.NoError(t, g.Wait())
}
