package sync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync/wire"
)

// Each rule of a page was found by a history that the obvious reading loses.
// These are those histories, each the shortest that tells the two apart; the
// name says what the rule is.

// sweep deletes the dead rows of the index, as a server does in a lull.
func (w *world) sweep() {
	w.t.Helper()
	_, err := w.pool.Exec(w.t.Context(), `DELETE FROM scope_index i WHERE i.org = $1 AND i.op = 0 AND EXISTS (
		SELECT FROM scope_index o WHERE o.org = i.org AND o.scope = i.scope AND o.rec = i.rec AND o.seq > i.seq)`, w.org)
	require.NoError(w.t, err)
}

// shops makes a person's customers, and has everybody named pull them.
func (w *world) shops(owner string, n int, pull ...*phone) []record.ID {
	w.t.Helper()
	ids := make([]record.ID, n)
	for i := range ids {
		ids[i] = w.id()
		w.propose(w.org, record.Edit{
			Op: record.OpCreate, Kind: "account", ID: ids[i], Set: values("name", "店", "owner", w.person(w.org, owner)),
		})
	}
	for _, p := range pull {
		p.pull()
	}
	return ids
}

// gives hands a customer to somebody.
func (w *world) gives(shop record.ID, to string) {
	w.t.Helper()
	w.office("account", shop, values("owner", w.person(w.org, to)))
}

func changeOf(page wire.PullAnswer, id record.ID) *wire.Change {
	for i := range page.Changes {
		if page.Changes[i].ID == id {
			return &page.Changes[i]
		}
	}
	return nil
}

// A field is new if it is newer than what was applied, not than how far the
// pages have come: a record that moves on while one pages is met later with
// all its fields. (Reading it otherwise loses the first of them.)
func TestPull_thresholdIsTheBase(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	shops := w.shops("lin", 2, lin)
	moving, other := shops[0], shops[1]
	w.office("account", moving, values("short_name", "先改的"))
	w.office("account", other, values("grade", "A"))
	w.office("account", moving, values("tax_no", "后改的"))
	w.sweep()
	lin.max = 1

	require.Equal(t, other, lin.pullPage().Changes[0].ID)
	page := lin.pullPage()

	require.Equal(t, moving, page.Changes[0].ID)
	require.Equal(t, "先改的", lin.text(moving, "short_name"))
	require.Equal(t, "后改的", lin.text(moving, "tax_no"))
}

// Whether a record goes in full is a question of when it entered the scope,
// not of what its latest row in the index says.
func TestPull_fullGoesByWhenItEntered(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, gao := w.phone("lin"), w.phone("gao")
	shop := w.shops("gao", 1, lin, gao)[0]
	w.gives(shop, "lin")
	w.office("account", shop, values("short_name", "改过"))
	w.sweep()

	lin.pull()

	require.True(t, lin.pages[0].Changes[0].Full, "the latest row is an edit, and lin holds nothing of it")
	require.Equal(t, "店", lin.text(shop, "name"))
}

// Also where it has entered since the base, and before the place that the pages
// have come to: it moved on before they met it.
func TestPull_enteredIsJudgedAgainstTheBase(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	mine := w.shops("lin", 1, lin)[0]
	shop := w.shops("gao", 1)[0]
	w.gives(shop, "lin")
	w.office("account", mine, values("grade", "A"))
	w.office("account", shop, values("short_name", "改过"))
	w.sweep()
	lin.max = 1

	require.Equal(t, mine, lin.pullPage().Changes[0].ID)
	lin.pullPage()

	require.Equal(t, "店", lin.text(shop, "name"))
}

// The scopes through which a record is held travel whenever they change, also
// with a part of it: they say what a later revoke takes away.
func TestPull_scopesTravelWithAPart(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	chen := w.phone("chen")
	shop := w.shops("lin", 1, chen)[0]
	w.gives(shop, "zhou")
	chen.pull()
	change := changeOf(chen.pages[0], shop)
	require.False(t, change.Full, "chen held it through one scope and holds it through another")
	require.Equal(t, []string{"owner:" + w.person(w.org, "zhou").String()}, change.In)

	w.office("user", w.person(w.org, "lin"), values("unit", nil))
	chen.pull()
	require.True(t, chen.has(shop), "what he loses with lin is not in it any more")
	w.office("user", w.person(w.org, "zhou"), values("unit", nil))
	chen.pull()
	require.False(t, chen.has(shop))
}

// A record that comes back from a delete enters all its scopes anew: who was
// told that it is gone gets all of it.
func TestPull_revivalIsAnEnter(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	lin.remove(shop)
	lin.sync()
	chen.edit(shop, values("short_name", "没有看到删除"))
	chen.push()

	lin.pull()

	require.True(t, changeOf(lin.pages[0], shop).Full)
	require.Equal(t, "兴旺超市", lin.text(shop, "name"))
}

// While a scope is being filled, what the fill has not reached is not held: an
// edit of it is no part, the fill brings all.
func TestPull_fillIsAPosition(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	gao := w.phone("gao")
	shops := w.shops("lin", 3, gao)
	w.office("unit", w.person(w.org, "team"), values("manager", w.person(w.org, "gao")))
	gao.max = 1
	gao.pullPage() // the unit
	page := gao.pullPage()
	require.True(t, page.Filling)
	first := page.Changes[0].ID
	for _, shop := range shops {
		w.office("account", shop, values("short_name", "改过"))
	}

	for page.Filling || !page.Complete {
		page = gao.pullPage() // a part of what it does not hold would end the test
	}

	require.Contains(t, shops, first)
	for _, shop := range shops {
		require.Equal(t, "改过", gao.text(shop, "short_name"))
		require.Equal(t, "店", gao.text(shop, "name"))
	}
}

// A record that leaves one scope and stays in another is not gone.
func TestPull_leavingOneScopeIsNotGone(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	chen := w.phone("chen") // who leads both
	shop := w.shops("lin", 1)[0]
	w.propose(w.org, record.Edit{
		Op: record.OpEdit, Kind: "account", ID: shop, Add: values("collaborators", []record.ID{w.person(w.org, "zhou")}),
	})
	chen.pull()
	require.Len(t, chen.base[shop].in, 2)

	w.gives(shop, "gao")
	chen.pull()

	require.Empty(t, changeOf(chen.pages[0], shop).Gone)
	require.Equal(t, map[string]bool{"owner:" + w.person(w.org, "zhou").String(): true}, chen.base[shop].in)
}

// A record whose month moves into the period comes in anew, in full.
func TestPull_monthMovesIntoThePeriod(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen := w.phone("lin"), w.phone("chen")
	shop := w.shops("lin", 1, lin)[0]
	plan := lin.create("visit_plan", values("account", shop, "date", "2026-05-04", "order", 7))
	lin.push()
	lin.pull()
	chen.from = "2026-05"
	chen.pull()
	require.False(t, lin.has(plan), "too old")
	require.True(t, chen.has(plan))

	w.office("visit_plan", plan, values("date", "2026-11-30"))
	lin.pull()
	chen.pull()
	require.True(t, changeOf(lin.pages[0], plan).Full)
	require.Equal(t, "7", lin.raw(plan, "order"))
	require.Equal(t, "2026-11-30", chen.text(plan, "date"))

	w.office("visit_plan", plan, values("date", "2026-05-04"))
	lin.pull()
	require.False(t, lin.has(plan), "and out of it again")
}

// What a device was told in the last page it does not hold any more, though it
// held it at the base.
func TestPull_whatLeftBeforeTheLastPage(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	shops := w.shops("lin", 2, lin)
	gone, other := shops[0], shops[1]
	w.office("account", gone, values("grade", "A"))
	w.office("account", other, values("grade", "A"))
	w.gives(gone, "gao")
	lin.max = 1
	page := lin.pullPage() // meets it where it was edited, as it is now
	require.Equal(t, wire.GoneLeft, changeOf(page, gone).Gone)
	require.False(t, page.Complete)

	w.gives(gone, "lin")
	lin.pull()

	require.Equal(t, "店", lin.text(gone, "name"), "all of it, not what is new since the base")
}

// The drops of a page come before its changes: a scope that was revoked and
// granted again in between is emptied first and filled then.
func TestPull_dropsComeFirst(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	chen := w.phone("chen")
	shop := w.shops("lin", 1, chen)[0]
	for _, unit := range []any{nil, w.person(w.org, "team")} {
		w.office("user", w.person(w.org, "lin"), values("unit", unit))
	}

	chen.pull()

	require.Equal(t, []string{"owner:" + w.person(w.org, "lin").String()}, chen.pages[0].DropScopes)
	require.True(t, changeOf(chen.pages[0], shop).Full)
	require.True(t, chen.has(shop))
}

// A drop is told once: what has come again since is not dropped with the next
// page of the same pull.
func TestPull_dropsAreToldOnce(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	chen := w.phone("chen")
	shops := w.shops("lin", 3, chen)
	mine := w.shops("chen", 3, chen)
	for _, unit := range []any{nil, w.person(w.org, "team")} {
		w.office("user", w.person(w.org, "lin"), values("unit", unit))
	}
	for _, shop := range mine {
		w.office("account", shop, values("grade", "A"))
	}
	chen.max = 1

	chen.pull()

	told := 0
	for _, page := range chen.pages {
		told += len(page.DropScopes)
	}
	require.Equal(t, 1, told)
	for _, shop := range shops {
		require.True(t, chen.has(shop))
	}
}

// A phone that stages and loses its pages goes back to the cursor that it has
// applied; one that cannot stage keeps both. Neither loses a thing.
func TestPull_crashBetweenPages(t *testing.T) {
	t.Parallel()

	for name, stages := range map[string]bool{"stages": true, "cannot stage": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			lin := w.phone("lin")
			shops := w.shops("lin", 4, lin)
			for _, shop := range shops {
				w.office("account", shop, values("short_name", "改过"))
			}
			lin.stages, lin.max = stages, 1
			for range 3 {
				lin.pullPage()
			}

			lin.crash()
			w.office("account", shops[0], values("grade", "B"))
			lin.pull()

			for _, shop := range shops {
				require.Equal(t, "改过", lin.text(shop, "short_name"))
			}
			require.Equal(t, "B", lin.text(shops[0], "grade"))
		})
	}
}

// A scope that is new to a device says nothing of what left it before.
func TestPull_nothingFromBeforeTheGrant(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	gao := w.phone("gao")
	shops := w.shops("lin", 2, gao)
	w.gives(shops[0], "zhou")
	w.propose(w.org, record.Edit{Op: record.OpDelete, Kind: "account", ID: shops[1]})
	w.office("user", w.person(w.org, "zhou"), values("unit", nil))
	w.office("unit", w.person(w.org, "team"), values("manager", w.person(w.org, "gao")))

	gao.pull()

	for _, page := range gao.pages {
		for _, shop := range shops {
			require.Nil(t, changeOf(page, shop), "gao has never had a right to it")
		}
	}
}
