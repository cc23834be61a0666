package sync_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/sync"
)

// office is a change that the server makes of one record.
func (w *world) office(kind string, id record.ID, set record.Values) {
	w.t.Helper()
	w.propose(w.org, record.Edit{Op: record.OpEdit, Kind: kind, ID: id, Set: set})
}

// Moving somebody in the tree changes a few grants and no record: his manager
// loses his customers, and the new one gets them.
func TestRule_treeMove(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, gao := w.phone("lin"), w.phone("chen"), w.phone("gao")
	shop := lin.create("account", values("name", "店"))
	visit := lin.create("visit", values("account", shop))
	for _, p := range []*phone{lin, chen, gao} {
		p.sync()
	}
	require.True(t, chen.has(visit))
	require.False(t, gao.has(shop))

	w.office("unit", w.person(w.org, "team"), values("manager", w.person(w.org, "gao")))
	for _, p := range []*phone{lin, chen, gao} {
		p.pull()
	}

	require.False(t, chen.has(shop))
	require.False(t, chen.has(visit))
	require.NotEmpty(t, chen.pages[0].DropScopes)
	require.True(t, gao.has(shop))
	require.True(t, gao.has(visit))
	require.True(t, lin.has(shop))

	w.office("user", w.person(w.org, "lin"), values("unit", nil))
	gao.pull()
	require.False(t, gao.has(shop))
}

// Who has left loses everything with the next pull, and writes nothing more.
func TestRule_personWhoLeft(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	w.office("user", w.person(w.org, "lin"), values("status", "left"))
	lin.edit(shop, values("short_name", "还想改"))
	lin.create("account", values("name", "还想建"))

	out := lin.push()
	lin.pull()
	chen.pull()

	require.Equal(t, "missing", refusalCode(out[0]))
	require.Equal(t, "denied", refusalCode(out[1]))
	require.Empty(t, lin.base)
	require.True(t, chen.has(shop), "his manager keeps his customers")
}

// An account that changes hands takes its subtree along, in chunks of a
// thousand, each in a transaction of its own and one row of the log; whoever
// pulls in between holds what is where it is.
func TestRescope_moreThanAThousand(t *testing.T) {
	t.Parallel()

	const visits = 1001
	w := newWorld(t)
	w.engine.Still(1000)
	lin, gao, zhou := w.phone("lin"), w.phone("gao"), w.phone("zhou")
	shop := lin.create("account", values("name", "店"))
	lin.push()
	for range visits {
		lin.create("visit", values("account", shop, "owner", w.person(w.org, "zhou")))
		if len(lin.outbox) == 500 {
			lin.push()
		}
	}
	lin.push()
	for _, p := range []*phone{lin, gao, zhou} {
		p.pull()
	}
	require.Equal(t, visits, lin.count("visit"))
	head := len(w.entries())

	w.office("account", shop, values("owner", w.person(w.org, "gao")))
	gao.pull()
	require.Zero(t, gao.count("visit"), "nothing has moved but the account")
	for i, want := range []int{1000, visits, visits} {
		more, err := w.engine.RescopeChunk(t.Context(), w.org)
		require.NoError(t, err)
		require.Equal(t, i < 2, more)
		gao.pull()
		require.Equal(t, want, gao.count("visit"))
	}
	lin.pull()
	zhou.pull()

	require.Zero(t, lin.count("visit"))
	require.False(t, lin.has(shop))
	require.Equal(t, visits, zhou.count("visit"), "who owns the visits keeps them: scopes are worked out anew, not moved")
	require.Len(t, w.entries(), head+3, "the edit and two chunks")
}

// A change of hands back, before the first move has run, leaves nothing behind.
func TestRescope_overtaken(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.engine.Still(1000)
	lin, gao := w.phone("lin"), w.phone("gao")
	shop := lin.create("account", values("name", "店"))
	visit := lin.create("visit", values("account", shop))
	lin.sync()
	for _, owner := range []string{"gao", "zhou", "lin"} {
		w.office("account", shop, values("owner", w.person(w.org, owner)))
	}

	require.NoError(t, w.engine.Resume(t.Context()))
	lin.pull()
	gao.pull()

	require.True(t, lin.has(visit))
	require.False(t, gao.has(visit))
	require.Equal(t, map[string]bool{"owner:" + w.person(w.org, "lin").String(): true}, lin.base[visit].in)
}

// What hangs below a customer that comes back from a delete with another owner
// follows, too.
func TestRescope_afterARevival(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	contact := lin.create("contact", values("account", shop, "name", "王"))
	lin.sync()
	chen.pull()
	lin.remove(contact)
	lin.sync()
	lin.remove(shop)
	lin.sync()
	chen.edit(contact, values("name", "老王"))
	chen.push() // brings the contact back, under a customer that stays deleted
	chen.edit(shop, values("owner", w.person(w.org, "zhou")))
	chen.push() // and now the customer, for somebody else

	require.NoError(t, w.engine.Resume(t.Context()))
	zhou := w.phone("zhou")
	zhou.pull()

	require.True(t, zhou.has(shop))
	require.True(t, zhou.has(contact))
}

// A record that comes back long after what is above it moved lies below its
// new root.
func TestRescope_ofATombstone(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	other := w.shops("gao", 1)[0]
	contact := lin.create("contact", values("account", shop, "name", "王", "owner", w.person(w.org, "lin")))
	lin.sync()
	chen.pull()
	lin.edit(contact, values("name", "老王"))
	lin.sync()
	chen.edit(contact, values("name", "王总"))
	clash := chen.push()[0].Clashes[0].Conflict
	lin.pull()
	lin.remove(*clash)
	lin.push()
	w.office("contact", contact, values("account", other))
	require.NoError(t, w.engine.Resume(t.Context()))
	w.propose(w.org, record.Edit{Op: record.OpRestore, Kind: "conflict", ID: *clash})
	gao := w.phone("gao")

	gao.pull()

	require.True(t, gao.has(contact))
	require.True(t, gao.has(*clash))
}

// The parent that a child left remembers that somebody hung it there: a delete
// that had not seen it yields, wherever the child is now.
func TestDelete_remembersAChildThatMovedAway(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	other := chen.create("account", values("name", "别处", "owner", w.person(w.org, "lin")))
	contact := chen.create("contact", values("account", shop, "name", "王"))
	chen.sync()
	chen.edit(contact, values("account", other))
	chen.push()
	lin.remove(shop)

	out := lin.push()

	require.Equal(t, record.Merged, out[0].Result)
	require.Equal(t, "deleted", out[0].Clashes[0].Field)
}

// moody is a rule that breaks on some names and panics on others.
type moody struct{}

func (moody) Check(_ context.Context, _ sync.View, _, now *record.Record) (sync.Effects, error) {
	switch now.Text("name") {
	case "panic":
		panic("a bug in a rule")
	case "broken":
		return sync.Effects{}, errors.New("the disk of a module is full")
	case "no":
		return sync.Effects{}, errs.New("moody.Check", errs.Denied, "not this name").Coded("moody")
	}
	return sync.Effects{}, nil
}

// A rule refuses one mutation and no other. One that breaks, or panics, ends
// the push that it is in and none beside it in the same gather, and what
// breaks can be sent again.
func TestRule_breaksAlone(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.engine = sync.New(sync.Config{
		Store: store.New(w.pool), Rules: []sync.Rule{people.Rule{}, moody{}}, Key: make([]byte, 32), Now: w.now, Draw: w.draw,
	})
	t.Cleanup(w.engine.Close)
	lin, chen, zhou := w.phone("lin"), w.phone("chen"), w.phone("zhou")
	for _, name := range []string{"一", "no", "二"} {
		lin.create("account", values("name", name))
	}
	chen.create("account", values("name", "panic"))
	zhou.create("account", values("name", "broken"))

	all := []sync.Together{{Who: lin.who, Frame: lin.frame()}, {Who: chen.who, Frame: chen.frame()}, {Who: zhou.who, Frame: zhou.frame()}}
	w.engine.Gather(w.org, all)

	require.NoError(t, all[0].Err)
	require.Error(t, all[1].Err)
	require.Error(t, all[2].Err)
	require.Len(t, all[0].Answer.Outcomes, 3, "each verdict once, though it was judged twice")
	require.Equal(t, "moody", refusalCode(all[0].Answer.Outcomes[1]))
	require.Equal(t, record.Applied, all[0].Answer.Outcomes[2].Result)
	require.Equal(t, errs.Internal, errs.KindOf(all[1].Err))
	w.entries() // the log is whole
}

// A schema that comes into force between two pushes of one gather does not
// make records strangers to their kind.
func TestPublish_besidePushes(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, shop := twoOn(w)
	next, err := record.ParseSchema(shipped.Stored())
	require.NoError(t, err)
	next.Version = "2"
	lin.edit(shop, values("short_name", "新"))

	all := []sync.Together{{Schema: next}, {Who: lin.who, Frame: lin.frame()}}
	w.engine.PushTogether(t.Context(), w.org, all)

	require.NoError(t, all[1].Err)
	require.Equal(t, record.Applied, all[1].Answer.Outcomes[0].Result, "%+v", all[1].Answer.Outcomes[0].Refusal)
}

// An engine that closes answers everybody: what it had in hand is committed,
// the rest may be sent again.
func TestEngine_closed(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	lin.create("account", values("name", "太晚"))
	body := lin.bytes(1)
	w.engine.Close()

	_, err := lin.send(body)

	require.Equal(t, errs.Busy, errs.KindOf(err))
	require.Equal(t, "stopping", errs.CodeOf(err))
}
