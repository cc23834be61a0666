package sync_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// More shops become one in one commit than a chain of parents may be long, each
// going on as the next. What is typed for the first of them arrives, before the
// redirects are led on and after that; then each leads straight to who is there.
func TestDuplicate_longChain(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	lin.pull()
	ids := w.ids(20)
	for _, id := range slices.Backward(ids) {
		lin.makes(id, "account", shopValues(0))
	}
	lin.push()
	late := func(field string) {
		no := lin.typed(record.Edit{Op: record.OpEdit, Kind: "account", ID: ids[19], Set: values(field, "晚")})
		visit := w.id()
		lin.makes(visit, "visit", values("account", ids[19], "summary", "晚"))
		lin.push()
		require.Equal(t, record.Applied, lin.outs[no].Result, "%+v", lin.outs[no].Refusal)
		lin.pull()
		require.Equal(t, "晚", lin.text(ids[0], field))
		require.Equal(t, ids[0].String(), lin.text(visit, "account"))
	}
	late("short_name")
	w.settles()
	late("remark")

	require.Equal(t, 1, lin.count("account"))
	for _, id := range ids[1:] {
		require.Equal(t, ids[0].String(), lin.text(id.Derive("merge_redirect"), "survivor"))
	}
	require.Empty(t, w.inspect(false))
}

// Three may be one, in pairs, and the first is found to be one with a fourth. What
// people were asked of it they are asked of the one that it goes on as, once; who
// has not read of that and answers the old question is heard.
func TestDuplicate_questionOfTheDead(t *testing.T) {
	t.Parallel()

	for _, old := range []bool{false, true} { // whether the question of before is answered
		w := newWorld(t)
		phones := []*phone{w.phone("zhou"), w.phone("lin"), w.phone("lin")}
		chen, early := w.phone("chen"), w.phone("chen")
		ids := w.ids(3)
		phones[1].makes(ids[1], "account", likely("甲店铺"))
		phones[1].sync()
		phones[2].makes(ids[2], "account", likely("乙店铺"))
		phones[2].sync()
		early.pull()
		phones[0].makes(ids[0], "account", likely("甲店铺")) // the first goes on as this one
		phones[0].sync()
		w.settles()
		chen.pull()
		was, is := apartOf(ids[1], ids[2]), apartOf(ids[0], ids[2])
		require.Equal(t, "moot", chen.text(was, "state"))
		require.Equal(t, "open", chen.text(is, "state"))

		p, note := chen, is
		if old {
			p, note = early, was
		}
		no := p.edit(note, values("state", "merged"))
		p.sync()
		w.settles()
		chen.pull()
		require.Equal(t, record.Merged, p.outs[no].Result, "%+v", p.outs[no].Refusal)
		require.Equal(t, 1, chen.count("account"))
		require.Equal(t, "merged", chen.text(is, "state"))
		require.NotEqual(t, "open", chen.text(was, "state"))
		require.Empty(t, w.inspect(false))

		no = chen.edit(was, values("state", "dismissed"))
		chen.sync()
		require.Equal(t, "merged", chen.outs[no].Refusal.Code, "both are part of a third: which is to be undone?")
		for _, id := range ids[1:] {
			chen.pull()
			chen.edit(id.Derive("merge_redirect"), values("state", "split"))
			chen.sync()
			w.settles()
		}
		chen.pull()
		require.Equal(t, 3, chen.count("account"))
		require.Empty(t, w.inspect(false))
	}
}

// A question that somebody else's merge has closed is asked again when it is undone.
func TestDuplicate_questionComesBack(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, zhou, chen := w.phone("lin"), w.phone("zhou"), w.phone("chen")
	ids := w.ids(3)
	lin.makes(ids[2], "account", likely("甲店铺"))
	lin.makes(ids[1], "account", values("name", "乙店铺", "phones", []string{"13800138000"}, "tax_no", "91310000MA1K4XYZ01"))
	lin.sync()
	zhou.makes(ids[0], "account", values("name", "丙店铺", "tax_no", "91310000MA1K4XYZ01"))
	zhou.sync()
	w.settles()
	chen.pull()
	was, is := apartOf(ids[1], ids[2]), apartOf(ids[0], ids[2])
	require.Equal(t, "moot", chen.text(was, "state"))
	require.Equal(t, "open", chen.text(is, "state"), "it has the number now")

	chen.edit(ids[1].Derive("merge_redirect"), values("state", "split"))
	chen.sync()
	w.settles()
	chen.pull()

	require.Equal(t, "open", chen.text(was, "state"))
	require.Equal(t, "moot", chen.text(is, "state"), "the number has gone again")
	require.Empty(t, w.inspect(false))
}
