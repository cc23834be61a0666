package approvals_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/modules/approvals"
	"roadbook/record"
	"roadbook/version"
)

const discount = `{
	"start": {"on": "submit", "when": "discount > 15.0"},
	"relevant": ["discount", "amount"], "locked": ["stage"],
	"nodes": [
		{"name": "manager", "who": {"manager": 1}},
		{"name": "finance", "who": {"role": "finance"}, "when": "amount > 100000.0"}
	],
	"approved": {"next_step": "报价已批准"}
}`

func money(amount string) map[string]string {
	return map[string]string{"amount": amount, "currency": "CNY"}
}

// A request goes from step to step, and its end is written to the record.
func TestApproval_stepByStep(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("discount", discount)
	deal := w.deal("fridge", "discount", "22", "amount", money("120000"))
	a := w.submit("lin", deal)

	require.Equal(t, approvals.Pending, w.state(a))
	require.Equal(t, []string{id("chen").String()}, w.record(a).Texts("waiting"))
	require.JSONEq(t, `{"discount":"22","amount":{"amount":"120000.00","currency":"CNY"}}`, w.record(a).Text("facts"))

	require.Equal(t, approvals.Counted, w.decides("chen", a, "approve", "comment", "好").Text("outcome"))
	require.Equal(t, approvals.Pending, w.state(a))
	require.Len(t, w.record(a).Texts("waiting"), 2, "both of finance are asked, and one is enough")

	require.Equal(t, approvals.Counted, w.decides("fin", a, "approve").Text("outcome"), "he sees the approval, and not the deal")
	require.Equal(t, approvals.Approved, w.state(a))
	require.Equal(t, "报价已批准", w.record(deal).Text("next_step"))
	require.Empty(t, w.record(a).Texts("waiting"))
	require.NotEmpty(t, w.record(a).Text("decided_at"))
	steps := w.steps(a)
	require.Equal(t, "好", steps[0].Who[0].Comment)
	require.Equal(t, id("chen"), steps[0].Who[0].By)
}

// A step whose condition does not hold is left out; a no ends it.
func TestApproval_rejected(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("discount", discount)
	small := w.submit("lin", w.deal("small", "discount", "20", "amount", money("900")))
	big := w.submit("lin", w.deal("big", "discount", "20", "amount", money("900000")))

	w.decides("chen", small, "approve")
	require.Equal(t, approvals.Approved, w.state(small))
	require.Equal(t, "left_out", w.steps(small)[1].State)

	w.decides("chen", big, "reject", "comment", "太低")
	require.Equal(t, approvals.Rejected, w.state(big))
	require.Equal(t, "waiting", w.steps(big)[1].State)
}

// What is unrelated to a decision may change while it is on its way. What is
// relevant has its author asked again, with what he had before him and what it is.
func TestApproval_onStaleFigures(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("discount", discount)
	deal := w.deal("fridge", "discount", "22", "amount", money("900"))
	a := w.submit("lin", deal)
	seen := w.head()

	require.Empty(t, code(w.edit("lin", deal, "next_step", "明天再去")))
	require.Empty(t, code(w.edit("lin", deal, "discount", "30")))
	out, d := w.says("chen", a, "approve", seen)

	require.Empty(t, code(out))
	require.Equal(t, approvals.Again, d.Text("outcome"))
	require.Equal(t, approvals.Reconfirm, w.state(a))
	require.JSONEq(t, `[{"field":"discount","seen":"22","now":"30"}]`, w.record(a).Text("changed"))
	require.Contains(t, d.Text("told"), `"changed":[{"field":"discount"`)

	require.Equal(t, approvals.Counted, w.decides("chen", a, "approve").Text("outcome"))
	require.Equal(t, approvals.Approved, w.state(a))
	require.Empty(t, w.record(a).Text("changed"))
	require.Contains(t, w.record(a).Text("facts"), `"30"`)
}

func TestApproval_unrelatedChange(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("discount", discount)
	deal := w.deal("fridge", "discount", "22", "amount", money("900"))
	a := w.submit("lin", deal)
	seen := w.head()
	require.Empty(t, code(w.edit("lin", deal, "next_step", "明天再去")))

	out, d := w.says("chen", a, "approve", seen)

	require.Empty(t, code(out))
	require.Equal(t, approvals.Counted, d.Text("outcome"))
	require.Equal(t, approvals.Approved, w.state(a))
	require.JSONEq(t, fmt.Sprintf(`{"log":"%d"}`, seen), d.Text("seen_version"))
}

// What was approved on other figures is asked again.
func TestApproval_changedAfterwards(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("discount", discount)
	deal := w.deal("fridge", "discount", "22", "amount", money("900"))
	a := w.submit("lin", deal)
	w.decides("chen", a, "approve")

	require.Empty(t, code(w.edit("lin", deal, "discount", "40")))

	require.Equal(t, approvals.Reconfirm, w.state(a))
	require.JSONEq(t, `[{"field":"discount","seen":"22","now":"40"}]`, w.record(a).Text("changed"))
	require.Equal(t, []string{id("chen").String()}, w.record(a).Texts("waiting"))
	w.decides("chen", a, "reject")
	require.Equal(t, approvals.Rejected, w.state(a))
}

// What is locked stays as it is to whoever knew that it was. Whoever did not is
// not refused.
func TestApproval_locked(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("discount", discount)
	deal := w.deal("fridge", "discount", "22", "amount", money("900"))
	before := w.head()
	a := w.submit("lin", deal)

	out := w.edit("lin", deal, "stage", "won")
	require.Equal(t, "field_locked", code(out))
	require.Equal(t, "stage", out.Refusal.Fields[0].Field)
	require.Empty(t, code(w.edit("lin", deal, "win_plan", "还可以写")))
	late := w.does("chen", record.Edit{
		Op: record.OpEdit, Kind: "opportunity", ID: deal, Seen: version.Vector{version.Log: before}, Set: values("stage", "negotiation"),
	})
	require.Empty(t, code(late), "he could not know")
	w.decides("chen", a, "approve")
	require.Empty(t, code(w.edit("lin", deal, "stage", "won")))
}

// The first decision stands; who comes second is told who was first, and both are
// kept.
func TestApproval_twoDecide(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("discount", `{"start": {"on": "submit"}, "relevant": ["discount"], "nodes": [{"name": "finance", "who": {"role": "finance"}}]}`)
	a := w.submit("lin", w.deal("fridge", "discount", "22"))
	seen := w.head()
	w.clock = w.clock.Add(time.Minute)
	w.decides("fang", a, "reject")
	w.clock = w.clock.Add(time.Minute)

	out, d := w.says("fin", a, "approve", seen)

	require.Empty(t, code(out))
	require.Equal(t, approvals.Late, d.Text("outcome"))
	require.Contains(t, d.Text("told"), id("fang").String())
	require.Contains(t, d.Text("told"), "2026-11-30T08:01:00Z")
	require.Equal(t, approvals.Rejected, w.state(a))
}

// Only whoever is asked decides.
func TestApproval_notAsked(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("discount", discount)
	deal := w.deal("fridge", "discount", "22", "amount", money("900"))
	a := w.submit("lin", deal)

	out, _ := w.says("wang", a, "approve", w.head())
	require.Equal(t, "not_approver", code(out))
	out, _ = w.says("lin", a, "approve", w.head())
	require.Equal(t, "not_approver", code(out))
	out, _ = w.says("chen", a, "pass", w.head())
	require.Equal(t, "not_approver", code(out))
	out, _ = w.says("fin", a, "approve", w.head())
	require.NotEmpty(t, code(out), "he does not see it")
	require.Equal(t, "approval", code(w.does("chen", record.Edit{Op: record.OpDelete, Kind: "approval", ID: a, Seen: version.Vector{version.Log: w.head()}})))
	require.Equal(t, "approval", code(w.does("lin", record.Edit{Op: record.OpEdit, Kind: "approval", ID: a, Remove: values("collaborators", []record.ID{id("chen")})})))
	require.Equal(t, "already_submitted", code(w.does("lin", record.Edit{Op: record.OpCreate, Kind: "approval", ID: id("again"), Set: values("record", deal)})))
	cheap := w.deal("cheap", "discount", "5")
	require.Equal(t, "no_flow", code(w.does("lin", record.Edit{Op: record.OpCreate, Kind: "approval", ID: id("none"), Set: values("record", cheap)})))
}
