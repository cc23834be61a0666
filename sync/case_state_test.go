package sync_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// twoOnDeal gives lin and chen the same opportunity at one stage, and both have
// seen it.
func twoOnDeal(w *world, stage string) (lin, chen *phone, deal record.ID) {
	lin, chen, shop := twoOn(w)
	deal = lin.create("opportunity", values("account", shop, "name", "冷柜", "stage", stage))
	lin.sync()
	chen.pull()
	return lin, chen, deal
}

// Two phones have won and lost the same deal without knowing of each other: it
// stays at the stage from before, owner and manager are asked, and whoever
// knows of both decides, which closes the question.
func TestState_wonAndLost(t *testing.T) {
	t.Parallel()

	for _, first := range []string{"won", "lost"} {
		w := newWorld(t)
		lin, chen, deal := twoOnDeal(w, "negotiation")
		says := map[*phone]string{lin: "won", chen: "lost"}
		order := []*phone{lin, chen}
		if first == "lost" {
			order = []*phone{chen, lin}
		}
		for p, stage := range says {
			p.edit(deal, values("stage", stage))
		}

		alone := order[0].push()[0]
		second := order[1].push()[0]
		lin.pull()
		chen.pull()

		require.Equal(t, record.Applied, alone.Result)
		require.Equal(t, record.Merged, second.Result)
		require.Equal(t, "state", second.Clashes[0].Code)
		require.JSONEq(t, `"`+says[order[1]]+`"`, string(second.Clashes[0].Lost))
		asked := *second.Clashes[0].Conflict
		for _, p := range order {
			require.Equal(t, "negotiation", p.text(deal, "stage"))
			require.Equal(t, "open", p.text(asked, "state"), "owner and manager are asked")
			require.Contains(t, p.raw(asked, "values"), "won")
			require.Contains(t, p.raw(asked, "values"), "lost")
		}

		w.pass(time.Minute)
		chen.edit(deal, values("stage", "won"))
		decided := chen.push()[0]
		lin.pull()

		require.Equal(t, record.Applied, decided.Result)
		require.Equal(t, "won", lin.text(deal, "stage"))
		require.Equal(t, "resolved", lin.text(asked, "state"))
		require.Equal(t, "won", lin.text(asked, "chosen"))
		require.Equal(t, w.person(w.org, "chen").String(), lin.text(asked, "resolver"))
	}
}

// Of two open stages the further stands, whoever comes first, and a note is in
// the inbox.
func TestState_twoOpenStages(t *testing.T) {
	t.Parallel()

	for _, linFirst := range []bool{true, false} {
		w := newWorld(t)
		lin, chen, deal := twoOnDeal(w, "lead")
		lin.edit(deal, values("stage", "qualified"))
		chen.edit(deal, values("stage", "proposal"))
		order := []*phone{lin, chen}
		if !linFirst {
			order = []*phone{chen, lin}
		}
		order[0].push()
		out := order[1].push()[0]
		lin.pull()

		require.Equal(t, "proposal", lin.text(deal, "stage"))
		require.NotNil(t, out.Clashes[0].Conflict)
		require.Equal(t, "open", lin.text(*out.Clashes[0].Conflict, "state"))
	}
}

// A plan that the server has given up as missed and that was done in time
// without a network is done, in both orders; and what needs no note makes none.
func TestState_missedAndDone(t *testing.T) {
	t.Parallel()

	for _, late := range []bool{true, false} {
		w := newWorld(t)
		lin, _, shop := twoOn(w)
		plan := lin.create("visit_plan", values("account", shop, "date", "2026-11-21", "status", "planned"))
		lin.sync()
		lin.edit(plan, values("status", "done"))
		missed := record.Edit{Op: record.OpEdit, Kind: "visit_plan", ID: plan, Seen: lin.seen(plan), Set: values("status", "missed")}
		if late {
			w.propose(w.org, missed)
			lin.push()
		} else {
			lin.push()
			w.propose(w.org, missed)
		}
		lin.pull()

		require.Equal(t, "done", lin.text(plan, "status"))
	}
}

// A step that there is not from what was on the screen is refused with a reason
// and with what there is; his other edits stand.
func TestState_refusedTransition(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, shop := twoOn(w)
	visit := lin.create("visit", values("account", shop, "status", "open"))
	lin.sync()
	lin.edit(visit, values("next_step", "报价"))
	lin.edit(visit, values("status", "reviewed"))
	lin.edit(visit, values("status", "closed"))
	lin.edit(visit, values("status", "reviewed")) // from what he has typed himself, not from what the server has

	out := lin.push()
	lin.pull()

	require.Equal(t, record.Applied, out[0].Result)
	require.Equal(t, "transition", refusalCode(out[1]))
	require.Contains(t, out[1].Refusal.Fields[0].Detail, `it was at "open", and from there it cannot go to "reviewed"`)
	require.JSONEq(t, `{"status":"open"}`, string(out[1].Records[0].Set))
	require.Equal(t, record.Applied, out[2].Result)
	require.Equal(t, record.Applied, out[3].Result)
	require.Equal(t, "reviewed", lin.text(visit, "status"))
}

// A third who joins a question makes it a question about three: the old one has
// run out, the new one lists all.
func TestState_askedAnew(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, deal := twoOnDeal(w, "negotiation")
	third := w.phone("lin")
	third.pull()
	lin.edit(deal, values("stage", "won"))
	chen.edit(deal, values("stage", "lost"))
	third.edit(deal, values("stage", "proposal"))
	lin.push()
	first := *chen.push()[0].Clashes[0].Conflict
	second := *third.push()[0].Clashes[0].Conflict
	lin.pull()

	require.Equal(t, "negotiation", lin.text(deal, "stage"))
	require.Equal(t, "expired", lin.text(first, "state"))
	require.Equal(t, "open", lin.text(second, "state"))
	for _, stage := range []string{"won", "lost", "proposal"} {
		require.Contains(t, lin.raw(second, "values"), stage)
	}
}
