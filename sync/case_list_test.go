package sync_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/record/field"
)

// line is a row of a checklist as an app that knows nothing of positions sends
// it.
type line struct {
	ID   string `json:"id"`
	Text string `json:"text"`
	Done bool   `json:"done,omitempty"`
}

// checklist is a task's list as a phone shows it.
func (p *phone) checklist(task record.ID) (out []line) {
	p.w.t.Helper()
	require.NoError(p.w.t, json.Unmarshal([]byte(p.raw(task, "checklist")), &out))
	return out
}

func (w *world) line(text string) line { return line{ID: w.id().String(), Text: text} }

// twoOnTask gives lin and chen a task with a checklist that both have seen.
func twoOnTask(w *world, texts ...string) (lin, chen *phone, task record.ID, rows []line) {
	lin, chen, shop := twoOn(w)
	for _, text := range texts {
		rows = append(rows, w.line(text))
	}
	task = lin.create("task", values("title", "陈列", "account", shop, "checklist", rows))
	lin.sync()
	chen.pull()
	return lin, chen, task, rows
}

// Two phones that send their whole lists lose nothing of each other's: a row
// ticked off, one put in, one moved.
func TestList_twoPhones(t *testing.T) {
	t.Parallel()

	for _, linFirst := range []bool{true, false} {
		w := newWorld(t)
		lin, chen, task, rows := twoOnTask(w, "拍照", "补货", "价签")
		ticked, added := rows[0], w.line("冰柜")
		ticked.Done = true
		lin.edit(task, values("checklist", []line{ticked, rows[1], rows[2]}))
		chen.edit(task, values("checklist", []line{rows[2], rows[0], added, rows[1]}))
		order := []*phone{lin, chen}
		if !linFirst {
			order = []*phone{chen, lin}
		}
		require.Equal(t, record.Applied, order[0].push()[0].Result)
		second := order[1].push()[0]
		lin.pull()
		chen.pull()

		require.Equal(t, record.Merged, second.Result)
		require.Empty(t, second.Clashes, "nobody has lost anything")
		for _, p := range order {
			require.Equal(t, []line{rows[2], ticked, added, rows[1]}, p.checklist(task))
		}
		var stored []map[string]any
		require.NoError(t, json.Unmarshal([]byte(lin.raw(task, "checklist")), &stored))
		for _, r := range stored {
			pos, _ := r[field.Position].(string)
			require.True(t, field.IsPosition(pos))
		}
	}
}

// A row that one has deleted and the other edited is there, and a person is
// asked.
func TestList_deletedAndEdited(t *testing.T) {
	t.Parallel()

	for _, linFirst := range []bool{true, false} {
		w := newWorld(t)
		lin, chen, task, rows := twoOnTask(w, "拍照", "补货")
		edited := line{ID: rows[1].ID, Text: "补货两箱"}
		lin.edit(task, values("checklist", []line{rows[0]}))
		chen.edit(task, values("checklist", []line{rows[0], edited}))
		order := []*phone{lin, chen}
		if !linFirst {
			order = []*phone{chen, lin}
		}
		order[0].push()
		second := order[1].push()[0]
		lin.pull()

		require.Equal(t, []line{rows[0], edited}, lin.checklist(task))
		require.Equal(t, "list", second.Clashes[0].Code)
		asked := *second.Clashes[0].Conflict
		require.Equal(t, "open", lin.text(asked, "state"))
		require.Equal(t, "checklist", lin.text(asked, "field"))
	}
}

// Who goes on without a network builds on his own list, and what came in between
// from others stays.
func TestList_goesOnOffline(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, task, rows := twoOnTask(w, "拍照")
	one, two, other := w.line("一"), w.line("二"), w.line("陈")
	lin.edit(task, values("checklist", []line{rows[0], one}))
	chen.edit(task, values("checklist", []line{other, rows[0]}))
	chen.push()
	lin.push()
	lin.edit(task, values("checklist", []line{rows[0], one, two}))
	lin.edit(task, values("checklist", []line{rows[0], two}))
	lin.sync()

	require.Equal(t, []line{other, rows[0], two}, lin.checklist(task))
}
