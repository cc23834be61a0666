package online_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync/online"
)

// A board counts what the people have to do whom its reader leads; a rep sees his
// own. What is done, or was finished by one while another handed it on, is not on it.
func TestBoard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("lin", "task", "title", "a", "due_at", "2026-11-20T09:00:00Z", "status", "open")
	w.create("lin", "task", "title", "b", "due_at", "2026-11-22T09:00:00Z", "status", "doing")
	w.create("lin", "task", "title", "c", "status", "open")
	w.create("lin", "task", "title", "d", "due_at", "2026-11-20T09:00:00Z", "status", "done")
	w.create("zhou", "task", "title", "e", "due_at", "2026-11-20T09:00:00Z", "status", "doing")
	lin, zhou := w.who("lin").Person, w.who("zhou").Person

	board := func(login string) online.Board {
		got, err := w.online.Board(t.Context(), w.who(login), w.now())
		require.NoError(t, err)
		return got
	}
	all := board("chen")
	require.Len(t, all.People, 2)
	require.Equal(t, []int{2, 2, 2}, []int{all.Open, all.Doing, all.Overdue})
	of := map[record.ID]online.OnBoard{}
	for _, p := range all.People {
		require.NotEmpty(t, p.Name)
		p.Name = ""
		of[p.ID] = p
	}
	require.Equal(t, online.OnBoard{ID: lin, Open: 2, Doing: 1, Overdue: 1}, of[lin])
	require.Equal(t, online.OnBoard{ID: zhou, Doing: 1, Overdue: 1}, of[zhou])
	mine := board("lin")
	require.Len(t, mine.People, 1)
	require.Equal(t, 2, mine.Open)
	require.False(t, mine.More)

	shop := w.create("lin", "account", "name", "兴旺") // through which lin still sees it
	for _, doneFirst := range []bool{true, false} {
		task := w.id()
		seen := w.write("chen", record.Edit{Op: record.OpCreate, Kind: "task", ID: task, Set: values("title", "f", "account", shop, "status", "open", "owner", lin)}).Seq
		done, given := edit("task", task, seen, "status", "done"), edit("task", task, seen, "owner", zhou)
		if doneFirst {
			w.write("lin", done)
			w.write("chen", given)
		} else {
			w.write("chen", given)
			w.write("lin", done)
		}
		got := w.get("chen", "task", task)
		require.Equal(t, "done", got.Values.Text("status"))
		require.Equal(t, zhou.String(), got.Values.Text("owner"))
	}
	require.Equal(t, all, board("chen"))
}
