package sync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// A customer stays with whoever had it, whatever id somebody makes up for his; and
// an undone merge leaves each with his own.
func TestDuplicate_staysWithItsOwner(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, gao := w.phone("lin"), w.phone("gao")
	lin.pull()
	gao.pull()
	ids := w.ids(2)
	lin.makes(ids[1], "account", shopValues(0))
	lin.push()
	gao.makes(ids[0], "account", shopValues(1))
	gao.sync()
	w.settles()
	gao.pull()
	lin.pull()
	require.Equal(t, lin.who.Person.String(), gao.text(ids[0], "owner"))
	require.JSONEq(t, `["`+gao.who.Person.String()+`"]`, lin.base[ids[0]].set["collaborators"])
	no := gao.remove(ids[0])
	gao.sync()
	lin.pull()
	require.Equal(t, "denied", gao.outs[no].Refusal.Code)
	require.True(t, lin.has(ids[0]))
	require.Empty(t, w.inspect(false))

	undo := gao.edit(ids[1].Derive("merge_redirect"), values("state", "split"))
	gao.sync()
	w.settles()
	require.Equal(t, record.Applied, gao.outs[undo].Result, "%+v", gao.outs[undo].Refusal)
	lin.pull()
	gao.pull()
	require.True(t, lin.has(ids[1]) && gao.has(ids[0]))
	require.False(t, lin.has(ids[0]) || gao.has(ids[1]), "each has his own again")
	require.Empty(t, w.inspect(false))
}

// What people have said to be two is not made one by a third that is like both.
func TestDuplicate_apartThroughAThird(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, gao, zhou := w.phone("lin"), w.phone("gao"), w.phone("zhou")
	ids := w.ids(3)
	lin.makes(ids[1], "account", shopValues(0))
	lin.sync()
	gao.makes(ids[2], "account", shopValues(1))
	gao.sync()
	w.settles()
	gao.pull()
	gao.edit(ids[2].Derive("merge_redirect"), values("state", "split"))
	gao.sync()
	w.settles()
	zhou.makes(ids[0], "account", shopValues(0))
	zhou.sync()
	w.settles()
	lin.pull()
	gao.pull()

	require.True(t, lin.has(ids[0]), "it is one of the two")
	require.True(t, gao.has(ids[2]), "and not the other")
	require.True(t, gao.has(apartOf(ids[0], ids[2])), "which people are to look at")
	require.Empty(t, w.inspect(false))
}

// A branch with the name and the number of its head office is shown to people.
func TestDuplicate_branch(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	ids := w.ids(2)
	lin.makes(ids[0], "account", shopValues(0))
	lin.makes(ids[1], "account", append(shopValues(0), values("parent", ids[0])...))
	lin.sync()
	w.settles()
	lin.pull()

	require.True(t, lin.has(ids[0]) && lin.has(ids[1]))
	require.Empty(t, lin.text(ids[0], "parent"))
	require.Equal(t, "open", lin.text(apartOf(ids[0], ids[1]), "state"))
}
