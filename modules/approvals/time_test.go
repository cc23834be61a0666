package approvals_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/modules/approvals"
	"roadbook/record"
	"roadbook/version"
)

// passes lets time decide a step, as the server does when it is due.
func (w *world) passes(a record.ID, said string) *record.Record {
	w.t.Helper()
	made := id("time " + w.clock.String() + said)
	w.server(record.Edit{Op: record.OpCreate, Kind: "approval_decision", ID: made, Set: values("approval", a, "decision", said)})
	return w.record(made)
}

// lateAt decides on a phone that was dark, at a time that was.
func (w *world) lateAt(login string, a record.ID, said string, at time.Time, seen uint64) *record.Record {
	w.t.Helper()
	made := id("late " + said + at.String())
	d := w.phone(login)
	d.push(at, record.Edit{Op: record.OpCreate, Kind: "approval_decision", ID: made, Seen: version.Vector{version.Log: seen}, Set: values("approval", a, "decision", said)})
	return w.record(made)
}

const timed = `{
	"start": {"on": "submit"}, "relevant": ["discount"], "closed_when": "stage == 'won'",
	"nodes": [
		{"name": "manager", "who": {"manager": 1}, "escalate_after": "12h", "pass_after": "24h"},
		{"name": "finance", "who": {"role": "finance"}}
	]}`

// Time passes a step that nobody decides, after it has asked whoever is above.
func TestTime_passes(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", timed)
	a := w.submit("lin", w.deal("a", "discount", "22"))
	require.Equal(t, "2026-11-30T20:00:00Z", w.record(a).Text("due_at"))

	w.clock = w.clock.Add(12 * time.Hour)
	require.Equal(t, approvals.Counted, w.passes(a, "escalate").Text("outcome"))
	require.ElementsMatch(t, []string{"chen", "wang"}, w.waiting(a))
	require.Equal(t, "2026-12-01T08:00:00Z", w.record(a).Text("due_at"))
	w.clock = w.clock.Add(12 * time.Hour)
	w.passes(a, "pass")

	require.Equal(t, "passed", w.steps(a)[0].State)
	require.ElementsMatch(t, []string{"fin", "fang"}, w.waiting(a))
	require.Empty(t, w.record(a).Text("due_at"))
}

// A no that was said before time has passed the step, and comes after, has the
// whole opened again; one that was said afterwards is too late.
func TestTime_lateReject(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", timed)
	begun := w.clock
	a, b, c := w.submit("lin", w.deal("a", "discount", "22")), w.submit("lin", w.deal("b", "discount", "22")), w.submit("lin", w.deal("c", "discount", "22"))
	seen := w.head()
	w.clock = begun.Add(24 * time.Hour)
	for _, each := range []record.ID{a, b, c} {
		w.passes(each, "pass")
		w.clock = w.clock.Add(time.Second)
		w.decides("fin", each, "approve")
		require.Equal(t, approvals.Approved, w.state(each))
	}
	w.clock = begun.Add(30 * time.Hour)

	require.Equal(t, approvals.Counted, w.lateAt("chen", a, "reject", begun.Add(20*time.Hour), seen).Text("outcome"))
	require.Equal(t, approvals.Rejected, w.state(a))

	require.Equal(t, approvals.Late, w.lateAt("chen", b, "reject", begun.Add(29*time.Hour), seen).Text("outcome"))
	require.Equal(t, approvals.Approved, w.state(b))

	require.Empty(t, code(w.edit("lin", id("deal c"), "stage", "won")))
	require.Equal(t, approvals.Late, w.lateAt("chen", c, "reject", begun.Add(21*time.Hour), seen).Text("outcome"), "it is too late to undo")
	require.Equal(t, approvals.Approved, w.state(c))
}

func decision(a record.ID, said string, seen uint64) record.Edit {
	return record.Edit{
		Op: record.OpCreate, Kind: "approval_decision", ID: id("decision on " + a.String()), Seen: version.Vector{version.Log: seen},
		Set: values("approval", a, "decision", said),
	}
}
