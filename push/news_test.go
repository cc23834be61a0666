package push_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

func create(kind, name string, pairs ...string) record.Edit {
	return record.Edit{Op: record.OpCreate, Kind: kind, ID: seedID.Derive(name), Set: values(pairs...)}
}

func edit(kind, name string, pairs ...string) record.Edit {
	return record.Edit{Op: record.OpEdit, Kind: kind, ID: seedID.Derive(name), Set: values(pairs...)}
}

// Who is given a task is told, once, in his language and with the time at which
// it was given; whoever gives it to himself, has it already, or has left is not.
func TestNews_ofTasks(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, zhou, chen := person("lin"), person("zhou"), person("chen")
	w.commit(lin, create("task", "own", "title", "mine", "owner", lin.String()))
	w.commit(chen, create("task", "left", "title", "his", "owner", person("gone").String()))
	w.commit(chen, create("task", "done", "title", "done", "status", "done", "owner", lin.String()))
	w.react()
	require.Empty(t, w.told("lin"))
	require.Empty(t, w.told("gone"))

	w.commit(chen, create("task", "one", "title", "call 兴旺", "owner", lin.String()))
	w.commit(chen, edit("task", "one", "title", "call them"))
	given := w.clock
	w.clock = w.clock.Add(time.Hour)
	w.react()

	n := w.told("lin")["task_assigned"]
	require.NotNil(t, n)
	require.Equal(t, "您有一个新任务", n.Text("title"))
	require.Equal(t, seedID.Derive("one"), n.Ref("subject"))
	require.Equal(t, chen, n.Ref("by"))
	require.Equal(t, given.Format(time.RFC3339), n.Text("at"), "when it was given, and not when that was noticed")
	require.NotContains(t, string(n.Raw("title")), "兴旺")
	w.commit(lin, edit("task", "one", "owner", zhou.String()))
	w.react()
	require.Equal(t, "You have a new task", w.told("zhou")["task_assigned"].Text("title"))
	require.Empty(t, w.told("chen"))
}

// The same happening tells of itself once, however often it is met.
func TestNews_once(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	n := w.task()
	_, err := w.pool.Exec(t.Context(), "UPDATE reactions SET seq = seq - 5")
	require.NoError(t, err)

	w.react()

	require.Equal(t, n.ID, w.told("lin")["task_assigned"].ID)
	require.Len(t, w.told("lin"), 1)
}

// Both whose customers became one are told of it, but for the one who knows.
func TestNews_ofMerges(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, zhou := person("lin"), person("zhou")
	phones := record.Value{Field: "phones", Raw: []byte(`["13800138000"]`)}
	one := create("account", "a", "name", "兴旺超市", "owner", lin.String())
	one.Set = append(one.Set, phones)
	other := create("account", "b", "name", "兴旺超市", "owner", zhou.String())
	other.Set = append(other.Set, phones)
	w.commit(lin, one)
	w.commit(zhou, other)
	w.react()

	both := len(w.told("lin")) + len(w.told("zhou"))
	require.Equal(t, 1, both, "the one who came second has it in the answer")
}
