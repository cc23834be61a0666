package approvals_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/modules/approvals"
	"roadbook/record"
	"roadbook/sync/online"
)

func (w *world) service() *approvals.Service {
	now := func() time.Time { return w.clock }
	return &approvals.Service{Engine: w.engine, Records: online.New(w.engine, []byte("a key of these tests, 32 bytes.."), now), Now: now}
}

func (w *world) caller(login string) access.Caller {
	return access.Caller{Org: w.org, Person: id(login), Device: id("device of " + login)}
}

// Twelve expenses are approved in one go: each for itself, those above the limit
// not, and a repeat is the same.
func TestService_manyAtOnce(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.must("admin", record.Edit{Op: record.OpCreate, Kind: "flow", ID: id("expenses"), Set: values(
		"code", "expense", "about_kind", "expense", "state", "published", "body",
		`{"start": {"on": "change", "when": "status == 'draft'"}, "relevant": ["amount"], "approved": {"status": "approved"}, "rejected": {"status": "rejected"},
		  "nodes": [{"name": "manager", "who": {"manager": 1}, "alone": "amount > 5000.0"}]}`)})
	for i := range 12 {
		amount := "120"
		if i%6 == 5 {
			amount = "9000"
		}
		w.must("lin", record.Edit{Op: record.OpCreate, Kind: "expense", ID: id(fmt.Sprintf("expense %d", i)), Set: values("amount", money(amount), "status", "draft")})
	}
	page, err := w.service().Records.List(t.Context(), w.caller("chen"), online.Query{
		Kind: "approval", Filter: `"` + id("chen").String() + `" in waiting`, Limit: 100,
	})
	require.NoError(t, err)
	require.Len(t, page.Records, 12)

	for round := range 2 {
		outcomes := map[string]int{}
		for _, a := range page.Records {
			said, err := w.service().Say(t.Context(), w.caller("chen"), id("key").Derive(a.ID.String()), approvals.Word{
				Approval: a.ID, Decision: "approve", Seen: record.Seq(w.head()),
			}, true)
			require.NoError(t, err)
			require.Equal(t, round > 0, said.Verdict.Repeated)
			outcomes[said.Outcome]++
		}
		require.Equal(t, map[string]int{approvals.Counted: 10, approvals.Alone: 2}, outcomes)
	}
	require.Equal(t, "approved", w.record(id("expense 0")).Text("status"))
	require.Equal(t, "draft", w.record(id("expense 5")).Text("status"))
	_, err = w.service().Say(t.Context(), w.caller("zhou"), id("other key"), approvals.Word{Approval: page.Records[0].ID, Decision: "approve"}, false)
	require.Equal(t, errs.Missing, errs.KindOf(err), "he does not see it: %v", err)
}

// A flow is tried on a sample before it is used: nothing is written.
func TestService_simulate(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	deal := w.deal("fridge", "discount", "10")
	before := w.head()
	body := `{"start": {"on": "submit", "when": "discount > 15.0"}, "relevant": ["discount"], "approved": {"next_step": "ok"}, "nodes": [
		{"name": "manager", "who": {"manager": 1}, "pass_after": "24h"}, {"name": "boss", "who": {"manager": 2}, "when": "discount > 30.0"},
		{"name": "finance", "mode": "all", "who": {"role": "finance"}, "when": "customer.grade == 'A'"}]}`
	try := func(set map[string]json.RawMessage) *approvals.Path {
		path, err := w.service().Simulate(t.Context(), w.caller("admin"), approvals.Trial{
			Body: body, About: "opportunity", Record: deal, Submitter: id("lin"), Set: set,
		})
		require.NoError(t, err)
		return path
	}

	require.False(t, try(nil).Starts)
	path := try(map[string]json.RawMessage{"discount": json.RawMessage(`"22"`)})
	require.True(t, path.Starts)
	require.Len(t, path.Steps, 3)
	require.Equal(t, "chen", path.Steps[0].Who[0].Name)
	require.Equal(t, "24h0m0s", path.Steps[0].Waits)
	require.Equal(t, "left_out", path.Steps[1].State)
	require.Len(t, path.Steps[2].Who, 2)
	require.Equal(t, "next_step", path.Set[0].Field)
	require.Equal(t, "wang", try(map[string]json.RawMessage{"discount": json.RawMessage(`"40"`)}).Steps[1].Who[0].Name)
	require.Equal(t, before, w.head(), "nothing is written")

	_, err := w.service().Simulate(t.Context(), w.caller("admin"), approvals.Trial{Body: "{", About: "opportunity"})
	require.Equal(t, "flow", errs.CodeOf(err))
	_, err = w.service().Simulate(t.Context(), w.caller("admin"), approvals.Trial{Body: body, About: "spaceship"})
	require.Equal(t, "unknown_kind", errs.CodeOf(err))
	_, err = w.service().Simulate(t.Context(), w.caller("admin"), approvals.Trial{Body: body, About: "opportunity", Set: map[string]json.RawMessage{"x": []byte("1")}})
	require.Equal(t, "unknown_field", errs.CodeOf(err))
}

// How long a node takes is counted from being asked to the decision's arrival, and
// how much of it a phone was dark.
func TestService_cycle(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", timed)
	begun := w.clock
	var all []record.ID
	for i := range 4 {
		all = append(all, w.submit("lin", w.deal(fmt.Sprint("d", i), "discount", "22")))
	}
	seen := w.head()
	for i, a := range all[:3] {
		w.clock = begun.Add(time.Duration(i+1) * time.Hour)
		d := w.phone("chen")
		d.push(w.clock.Add(-30*time.Minute), decision(a, "reject", seen))
	}
	w.clock = begun.Add(13 * time.Hour)

	cycle, err := w.service().Cycle(t.Context(), w.caller("chen"))

	require.NoError(t, err)
	require.Len(t, cycle.Flows, 1)
	f := cycle.Flows[0]
	require.Equal(t, 1, f.Open)
	require.Equal(t, 1, f.Overdue)
	require.Equal(t, approvals.Times{Count: 3, Median: 7200, P95: 10800}, f.Ended)
	n := f.Nodes[0]
	require.Equal(t, map[string]int{"rejected": 3}, n.Counts)
	require.Equal(t, approvals.Times{Count: 3, Median: 7200, P95: 10800}, n.Took)
	require.Equal(t, 3, n.Dark.Count)
	require.InDelta(t, 1800, n.Dark.Median, 1)
	none, err := w.service().Cycle(t.Context(), w.caller("zhou"))
	require.NoError(t, err)
	require.Empty(t, none.Flows, "what he does not see is not counted")
}
