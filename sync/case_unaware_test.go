package sync_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// ids are some ids in order: the first of two is the one that goes on.
func (w *world) ids(n int) (all []record.ID) {
	for range n {
		all = append(all, w.id())
	}
	slices.SortFunc(all, func(a, b record.ID) int { return bytes.Compare(a[:], b[:]) })
	return all
}

// makes creates a record of a given id.
func (p *phone) makes(id record.ID, kind string, set record.Values) {
	p.typed(record.Edit{Op: record.OpCreate, Kind: kind, ID: id, Set: set})
}

// Somebody enters a shop twice, sees it, and deletes one of the two. He has it
// still, whichever he deleted, and what he typed for the one that he kept.
func TestDuplicate_deleteOfOneLeavesTheOther(t *testing.T) {
	t.Parallel()

	for _, gone := range []int{0, 1} {
		w := newWorld(t)
		lin := w.phone("lin")
		lin.pull()
		ids := w.ids(2)
		for _, id := range ids {
			lin.makes(id, "account", shopValues(0))
		}
		no := lin.remove(ids[gone])
		late := w.id()
		lin.makes(late, "contact", values("account", ids[1-gone], "name", "王"))
		lin.sync()
		w.settles()
		lin.pull()

		require.True(t, lin.has(ids[0]), gone)
		require.Equal(t, ids[0].String(), lin.text(late, "account"), gone)
		require.Equal(t, record.Merged, lin.outs[no].Result, gone)
		require.NotEmpty(t, lin.outs[no].Clashes, "he is told: %d", gone)
		require.Empty(t, w.inspect(false))
	}
}

// A delete that has not seen what came in by a merge keeps the record and asks; one
// that has deletes it, and one of a customer that was merged away does nothing.
func TestDuplicate_deleteThatKnowsDeletes(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, gao := w.phone("lin"), w.phone("gao")
	ids := w.ids(2)
	lin.makes(ids[0], "account", shopValues(0))
	lin.sync()
	lin.pull()
	gao.makes(ids[1], "account", shopValues(1))
	gao.push()
	early := lin.remove(ids[0])
	lin.push()
	gone := gao.remove(ids[1])
	gao.push()
	w.settles()
	lin.pull()
	require.True(t, lin.has(ids[0]))
	require.Equal(t, "deleted", lin.outs[early].Clashes[0].Field)
	require.NotNil(t, lin.outs[early].Clashes[0].Conflict, "he is asked")
	require.Equal(t, "merged", gao.outs[gone].Clashes[0].Field)

	lin.remove(ids[0])
	lin.sync()
	lin.pull()
	require.False(t, lin.has(ids[0]), "he knows by now")
	require.Empty(t, w.inspect(false))
}

// What is led on takes out of a set what its author had in the one that he wrote
// to. What he has put into the other himself stays, and his next edit of the dead
// one knows of the one before.
func TestDuplicate_removalOfTheOther(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	lin.pull()
	ids := w.ids(2)
	lin.makes(ids[0], "account", values("name", "旺", "phones", []string{"13800138000"}, "tags", []string{"冷链"}))
	lin.makes(ids[1], "account", values("name", "旺", "phones", []string{"13800138000"}, "tags", []string{"冷链", "重点"}))
	edit := record.Edit{Op: record.OpEdit, Kind: "account", ID: ids[1]}
	edit.Remove = values("tags", []string{"冷链", "重点"})
	lin.typed(edit)
	edit.Remove, edit.Set = nil, values("stage", "customer")
	lin.typed(edit)
	edit.Set = values("stage", "regular")
	lin.typed(edit)
	lin.sync()
	lin.pull()

	require.JSONEq(t, `["冷链"]`, lin.base[ids[0]].set["tags"])
	require.Equal(t, "regular", lin.text(ids[0], "stage"))
	require.Zero(t, lin.count("conflict"), "nobody is asked between what he typed himself")
}
