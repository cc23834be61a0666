package sync_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// likely is a customer whom people are to look at: it has the number of another.
func likely(name string) record.Values {
	return values("name", name, "phones", []string{"13800138000"})
}

// suspected are two customers that may be one, and whoever leads both their
// owners has read so.
func suspected(w *world) (lin, chen *phone, a, b, note record.ID) {
	lin, chen = w.phone("lin"), w.phone("chen")
	zhou := w.phone("zhou")
	ids := w.ids(2)
	lin.makes(ids[0], "account", likely("甲店铺"))
	lin.sync()
	zhou.makes(ids[1], "account", likely("乙店铺"))
	zhou.sync()
	lin.pull()
	chen.pull()
	w.pass(time.Minute)
	return lin, chen, ids[0], ids[1], apartOf(ids[0], ids[1])
}

// Two people judge one pair without knowing of each other. What the log accepts
// first stands, whatever the stamps say; the other is told who decided and when,
// also by a repeat, and neither note says anything but what is.
func TestDuplicate_twoJudge(t *testing.T) {
	t.Parallel()

	for _, first := range []string{"dismissed", "merged"} {
		for _, second := range []string{"dismissed", "merged"} {
			for _, skew := range []time.Duration{-time.Hour, time.Hour} {
				w := newWorld(t)
				lin, chen, a, b, note := suspected(w)
				other := w.phone("chen")
				other.pull()
				other.skew, lin.skew = skew, skew
				one, two := chen, other // who says that they are one must lead both
				if second == "dismissed" {
					two = lin
				}
				one.edit(note, values("state", first))
				one.push()
				no := two.edit(note, values("state", second))
				frame := two.bytes(two.ready())
				two.push()
				w.settles()
				chen.pull()

				out := two.outs[no]
				require.Equal(t, record.Merged, out.Result, "%+v", out.Refusal)
				require.Len(t, out.Clashes, 1, "%s, then %s", first, second)
				c := out.Clashes[0]
				require.Equal(t, "decided", c.Code)
				require.Equal(t, "state", c.Field)
				require.JSONEq(t, `"`+first+`"`, string(c.Kept))
				require.JSONEq(t, `"`+second+`"`, string(c.Lost))
				require.Equal(t, chen.who.Person, c.By)
				require.Equal(t, chen.text(note, "decided_at"), c.At)
				again, err := two.send(frame)
				require.NoError(t, err)
				require.Equal(t, clashesOf(out), clashesOf(again[0]))
				require.Equal(t, []record.ID{c.By}, []record.ID{again[0].Clashes[0].By})

				require.Equal(t, first, chen.text(note, "state"))
				require.Equal(t, first == "dismissed", chen.has(a) && chen.has(b))
				require.Equal(t, first == "merged", chen.has(b.Derive("merge_redirect")))
				require.Empty(t, w.inspect(false))
			}
		}
	}
}

// Who says of two that were made one that they are not undoes that, with the
// rights that it takes to undo it; and whoever knows may decide anew, and again.
func TestDuplicate_dismissedIsUndone(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, a, b, note := suspected(w)
	for range 2 {
		chen.edit(note, values("state", "merged"))
		chen.sync()
		w.settles()
		chen.pull()
		lin.pull()
		require.False(t, chen.has(b))
		require.Equal(t, "merged", chen.text(b.Derive("merge_redirect"), "state"))

		no := lin.edit(note, values("state", "dismissed"))
		lin.sync()
		w.settles()
		chen.pull()
		lin.pull()
		require.Equal(t, record.Applied, lin.outs[no].Result, "%+v", lin.outs[no].Refusal)
		require.True(t, chen.has(a) && chen.has(b))
		require.Equal(t, "dismissed", chen.text(note, "state"))
		require.Equal(t, lin.who.Person.String(), chen.text(note, "resolver"))
		require.Equal(t, "split", chen.text(b.Derive("merge_redirect"), "state"))
		require.Equal(t, lin.who.Person.String(), chen.text(b.Derive("merge_redirect"), "resolver"))
		require.Empty(t, w.inspect(false))
	}
}

// What the server has found by itself nobody has decided: who said before he knew
// of it that they are not one is heard. Of two who undo it the second is told.
func TestDuplicate_foundIsNotDecided(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, a, b, note := suspected(w)
	no := lin.edit(note, values("state", "dismissed")) // and is not sent
	chen.edit(b, values("name", "甲店铺"))
	chen.sync()
	w.settles()
	chen.pull()
	require.False(t, chen.has(b), "now they are certainly one")
	require.Empty(t, chen.text(note, "resolver"))
	undo := chen.edit(b.Derive("merge_redirect"), values("state", "split"))

	lin.push()
	chen.push()
	w.settles()
	chen.pull()
	require.Equal(t, record.Applied, lin.outs[no].Result, "%+v %+v", lin.outs[no].Refusal, lin.outs[no].Clashes)
	require.True(t, chen.has(a) && chen.has(b))
	require.Equal(t, "dismissed", chen.text(note, "state"))
	require.Equal(t, "decided", chen.outs[undo].Clashes[0].Code)
	require.Equal(t, lin.who.Person, chen.outs[undo].Clashes[0].By)
	require.Empty(t, w.inspect(false))
}
