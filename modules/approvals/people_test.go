package approvals_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/modules/approvals"
	"roadbook/record"
)

func flow(nodes string) string {
	return `{"start": {"on": "submit"}, "relevant": ["discount"], "nodes": [` + nodes + `]}`
}

func (w *world) waiting(a record.ID) (logins []string) {
	w.t.Helper()
	for _, text := range w.record(a).Texts("waiting") {
		for _, login := range []string{"admin", "wang", "chen", "lin", "zhou", "fin", "fang"} {
			if id(login).String() == text {
				logins = append(logins, login)
			}
		}
	}
	return logins
}

// Of all that are asked each must agree, in any order; a no of one ends it.
func TestApproval_all(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", flow(`{"name": "finance", "mode": "all", "who": {"role": "finance"}}`))
	a, b := w.submit("lin", w.deal("a", "discount", "22")), w.submit("lin", w.deal("b", "discount", "22"))

	w.decides("fang", a, "approve")
	require.Equal(t, []string{"fin"}, w.waiting(a))
	w.decides("fin", a, "approve")
	require.Equal(t, approvals.Approved, w.state(a))

	w.decides("fin", b, "approve")
	w.decides("fang", b, "reject")
	require.Equal(t, approvals.Rejected, w.state(b))
}

// In order, the second is asked when the first has agreed.
func TestApproval_inOrder(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", flow(`{"name": "both", "mode": "order", "who": {"people": ["`+id("fang").String()+`", "`+id("chen").String()+`"]}}`))
	a := w.submit("lin", w.deal("a", "discount", "22"))

	require.Equal(t, []string{"fang"}, w.waiting(a))
	out, _ := w.says("chen", a, "approve", w.head())
	require.Empty(t, code(out))
	require.Equal(t, approvals.Pending, w.state(a))
	w.decides("fang", a, "approve")
	require.Equal(t, []string{"chen"}, w.waiting(a))
	w.decides("chen", a, "approve")
	require.Equal(t, approvals.Approved, w.state(a))
}

// A deputy decides for whoever is away, while he is.
func TestApproval_deputy(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", discount)
	w.must("admin", record.Edit{Op: record.OpEdit, Kind: "user", ID: id("chen"), Seen: seen(w), Set: values(
		"deputy", id("zhou"), "away_until", w.clock.Add(time.Hour).Format(time.RFC3339))})
	a := w.submit("lin", w.deal("a", "discount", "22", "amount", money("900")))

	require.ElementsMatch(t, []string{"chen", "zhou"}, w.waiting(a))
	w.decides("zhou", a, "reject")

	require.Equal(t, approvals.Rejected, w.state(a))
	seat := w.steps(a)[0].Who[1]
	require.Equal(t, id("chen"), seat.For)
	out, d := w.says("chen", a, "approve", w.head())
	require.Empty(t, code(out))
	require.Equal(t, approvals.Late, d.Text("outcome"))
	w.clock = w.clock.Add(time.Hour)
	require.Equal(t, []string{"chen"}, w.waiting(w.submit("lin", w.deal("b", "discount", "22"))))
}

// Where whoever is asked has left, whoever is above him is; where there is nobody,
// who administers the org, and that can be seen.
func TestApproval_whoHasLeft(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", flow(`{"name": "n", "who": {"people": ["`+id("zhou").String()+`"]}}`))
	w.must("admin", record.Edit{Op: record.OpEdit, Kind: "user", ID: id("zhou"), Seen: seen(w), Set: values("status", "left")})
	a := w.submit("lin", w.deal("a", "discount", "22"))
	require.Equal(t, []string{"chen"}, w.waiting(a))
	require.Equal(t, "left", w.steps(a)[0].Why)

	w.must("admin", record.Edit{Op: record.OpEdit, Kind: "unit", ID: id("team"), Seen: seen(w), Set: values("manager", nil)},
		record.Edit{Op: record.OpEdit, Kind: "unit", ID: id("region"), Seen: seen(w), Set: values("manager", nil)})
	b := w.submit("lin", w.deal("b", "discount", "22"))
	require.Equal(t, []string{"admin"}, w.waiting(b))
	require.Equal(t, "nobody", w.steps(b)[0].Why)
}

// Who asks does not decide himself, if the flow says so: the step is left out.
func TestApproval_skipsTheSubmitter(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", flow(`{"name": "n", "skip_submitter": true, "who": {"people": ["`+id("chen").String()+`"]}}, {"name": "m", "who": {"manager": 1}}`))
	a := w.submit("chen", w.deal("a", "discount", "22"))

	require.Equal(t, "skipped", w.steps(a)[0].State)
	require.Equal(t, []string{"wang"}, w.waiting(a), "who leads a team is led from above")
}

// Somebody may hand his decision on, or have somebody decide as well.
func TestApproval_forwardAndAdd(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", discount)
	a, b := w.submit("lin", w.deal("a", "discount", "22")), w.submit("lin", w.deal("b", "discount", "22"))

	w.decides("chen", a, "forward", "to", id("wang"))
	require.Equal(t, []string{"wang"}, w.waiting(a))
	out, d := w.says("chen", a, "approve", w.head())
	require.Empty(t, code(out))
	require.Equal(t, approvals.Late, d.Text("outcome"))
	w.decides("wang", a, "approve")
	require.Equal(t, approvals.Approved, w.state(a))

	w.decides("chen", b, "add", "to", id("fang"))
	require.ElementsMatch(t, []string{"chen", "fang"}, w.waiting(b))
	out, _ = w.says("chen", b, "add", w.head(), "to", id("fang"))
	require.Equal(t, "asked_already", code(out))
	out, _ = w.says("chen", b, "add", w.head(), "to", id("nobody"))
	require.Equal(t, "reference", code(out))
	w.decides("fang", b, "approve")
	require.Equal(t, approvals.Pending, w.state(b))
	w.decides("chen", b, "approve")
	require.Equal(t, approvals.Approved, w.state(b))
}

// A step is left out by whoever may, and for a reason.
func TestApproval_skip(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", flow(`{"name": "n", "may_skip": ["admin"], "who": {"manager": 1}}`))
	a := w.submit("lin", w.deal("a", "discount", "22"))

	out, _ := w.says("chen", a, "skip", w.head(), "comment", "x")
	require.Equal(t, "not_approver", code(out))
	out, _ = w.says("admin", a, "skip", w.head())
	require.Equal(t, "reason", code(out))
	require.Equal(t, approvals.Counted, w.decides("admin", a, "skip", "comment", "陈经理出国").Text("outcome"))
	require.Equal(t, approvals.Approved, w.state(a))
	require.Equal(t, "陈经理出国", w.steps(a)[0].Why)
}

// Who asks takes it back. A yes of which he did not know does not hold him up.
func TestApproval_withdraw(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", discount)
	deal := w.deal("a", "discount", "22")
	a := w.submit("lin", deal)
	out, _ := w.says("chen", a, "withdraw", w.head())
	require.Equal(t, "not_approver", code(out))
	w.decides("chen", a, "approve")

	require.Equal(t, approvals.Counted, w.decides("lin", a, "withdraw").Text("outcome"))
	require.Equal(t, approvals.Withdrawn, w.state(a))
	out, d := w.says("chen", a, "approve", w.head())
	require.Empty(t, code(out))
	require.Equal(t, approvals.Late, d.Text("outcome"))
	require.Equal(t, approvals.Pending, w.state(w.submit("lin", deal)), "and asks anew")
}

// What is returned is mended and asked for anew; what is deleted needs no approval.
func TestApproval_returnedAndDeleted(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", discount)
	deal := w.deal("a", "discount", "22")
	a := w.submit("lin", deal)
	w.decides("chen", a, "return", "comment", "写明原因")
	require.Equal(t, approvals.Returned, w.state(a))
	b := w.submit("lin", deal, "remark", "竞品降价")

	w.must("lin", record.Edit{Op: record.OpDelete, Kind: "opportunity", ID: deal, Seen: seen(w)})
	require.Equal(t, approvals.Withdrawn, w.state(b))
}

// Of a yes and a no that arrive at once the no is meant.
func TestApproval_bothAtOnce(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", discount)
	a := w.submit("lin", w.deal("a", "discount", "22"))
	decision := func(said string) record.Edit {
		return record.Edit{Op: record.OpCreate, Kind: "approval_decision", ID: id(said), Seen: seen(w), Set: values("approval", a, "decision", said)}
	}

	w.must("chen", decision("approve"), decision("reject"))

	require.Equal(t, approvals.Rejected, w.state(a))
	require.Equal(t, approvals.Counted, w.record(id("reject")).Text("outcome"))
}

// Some are not to be decided with many at once.
func TestApproval_alone(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", flow(`{"name": "n", "alone": "amount > 5000.0", "who": {"manager": 1}}`))
	small, big := w.submit("lin", w.deal("a", "amount", money("100"))), w.submit("lin", w.deal("b", "amount", money("9000")))

	require.Equal(t, approvals.Counted, w.decides("chen", small, "approve", "many", true).Text("outcome"))
	require.Equal(t, approvals.Alone, w.decides("chen", big, "approve", "many", true).Text("outcome"))
	require.Equal(t, approvals.Pending, w.state(big))
	require.Equal(t, approvals.Counted, w.decides("chen", big, "approve").Text("outcome"))
}

// A step needs nobody where the flow says so.
func TestApproval_automatic(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", flow(`{"name": "n", "auto_approve": "discount <= 10.0", "who": {"manager": 1}}`))
	a := w.submit("lin", w.deal("a", "discount", "8"))

	require.Equal(t, approvals.Approved, w.state(a))
	require.Equal(t, "automatic", w.steps(a)[0].State)
}
