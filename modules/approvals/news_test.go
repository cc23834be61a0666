package approvals_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/jobs"
	"roadbook/modules/approvals"
	"roadbook/record"
	"roadbook/sync"
	"roadbook/sync/reactions"
)

// react lets what follows follow, and returns the jobs that were asked for.
func (w *world) react() *jobs.Queue {
	w.t.Helper()
	queue, err := jobs.New(jobs.Config{Pool: w.pool, Log: slog.New(slog.DiscardHandler)})
	require.NoError(w.t, err)
	news := &approvals.News{Jobs: queue}
	r := &reactions.Runner{Engine: w.engine, Reactions: []reactions.Reaction{news}, Now: func() time.Time { return w.clock }}
	for more := true; more; {
		more, err = r.Step(w.t.Context(), w.org, news)
		require.NoError(w.t, err)
	}
	return queue
}

// told is what somebody is told, as codes and titles.
func (w *world) told(login string) map[string]string {
	w.t.Helper()
	w.react()
	all := map[string]string{}
	rows, err := w.pool.Query(w.t.Context(), `SELECT fields->>'code', fields->>'title' FROM records WHERE org = $1 AND kind = 22 AND owner = $2`,
		w.org, [16]byte(id(login)))
	require.NoError(w.t, err)
	defer rows.Close()
	for rows.Next() {
		var code, title string
		require.NoError(w.t, rows.Scan(&code, &title))
		all[code] = title
	}
	return all
}

// Whoever must decide is told, and whoever has asked what came of it; nobody twice,
// and nobody of what he did himself.
func TestNews(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.react()
	w.publish("discount", discount)
	deal := w.deal("fridge", "discount", "22", "amount", money("900000"))
	a := w.submit("lin", deal)
	require.Equal(t, map[string]string{"approval_waiting": "有一项审批等待您处理"}, w.told("chen"))
	var escalates bool
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT (fields->>'escalate')::bool FROM records WHERE org = $1 AND kind = 22`, w.org).Scan(&escalates))
	require.True(t, escalates)
	require.Empty(t, w.told("fin"))

	w.decides("chen", a, "approve")
	require.Contains(t, w.told("fin"), "approval_waiting")
	require.Contains(t, w.told("fang"), "approval_waiting")
	require.Empty(t, w.told("lin"))
	seen := w.head()
	w.decides("fin", a, "reject")
	require.Equal(t, map[string]string{"approval_rejected": "申请未获批准"}, w.told("lin"))
	w.says("fang", a, "approve", seen)
	require.Contains(t, w.told("fang"), "approval_late")
}

func TestNews_changed(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.react()
	w.publish("discount", discount)
	deal := w.deal("fridge", "discount", "22", "amount", money("900"))
	a := w.submit("lin", deal)
	seen := w.head()
	w.edit("lin", deal, "discount", "30")
	w.says("chen", a, "approve", seen)

	require.Contains(t, w.told("chen"), "approval_changed")
	require.Contains(t, w.told("chen"), "approval_reconfirm")
	w.decides("lin", a, "withdraw")
	require.Contains(t, w.told("chen"), "approval_withdrawn")
}

// What time decides is done once when it is due, whoever does the job and however
// often; what was decided before is left alone.
func TestClock(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.react()
	w.publish("f", timed)
	a, b := w.submit("lin", w.deal("a", "discount", "22")), w.submit("lin", w.deal("b", "discount", "22"))
	stats, err := w.react().Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, stats.Waiting)
	w.decides("chen", b, "reject")
	k := &approvals.Clock{Engine: w.engine, Now: func() time.Time { return w.clock }}
	strike := func(a record.ID, at time.Time) error {
		return k.Strike(t.Context(), jobs.Job[approvals.Due]{Args: approvals.Due{Org: w.org, Approval: a, At: at}, Try: 1})
	}
	first, second := w.clock.Add(12*time.Hour), w.clock.Add(24*time.Hour)

	require.True(t, jobs.IsLater(strike(a, first)), "the clock was put back")
	w.clock = first
	for range 2 {
		require.NoError(t, strike(a, first))
		require.NoError(t, strike(b, first))
	}
	require.ElementsMatch(t, []string{"chen", "wang"}, w.waiting(a))
	w.clock = second
	for range 2 {
		require.NoError(t, strike(a, second))
	}
	require.Equal(t, "passed", w.steps(a)[0].State)
	require.Equal(t, approvals.Rejected, w.state(b))
	require.Equal(t, 3, w.count("approval_decision"))
}

func (w *world) count(kind string) (n int) {
	w.t.Helper()
	require.NoError(w.t, w.engine.Look(w.t.Context(), access.Caller{Org: w.org}, func(s sync.Sight) error {
		return w.pool.QueryRow(w.t.Context(), "SELECT count(*) FROM records WHERE org = $1 AND kind = $2", w.org, s.Schema.Kind(kind).No).Scan(&n)
	}))
	return n
}

// What waits for somebody who leaves is decided by whoever is above him: nothing
// waits for ever for nobody.
func TestClock_whoLeaves(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.react()
	w.publish("f", flow(`{"name": "n", "mode": "all", "who": {"people": ["`+id("chen").String()+`", "`+id("fin").String()+`"]}}`))
	a := w.submit("lin", w.deal("a", "discount", "22"))
	w.decides("fin", a, "approve")
	require.Equal(t, []string{"chen"}, w.waiting(a))
	before, err := w.react().Stats(t.Context())
	require.NoError(t, err)
	w.must("admin", record.Edit{Op: record.OpEdit, Kind: "user", ID: id("chen"), Seen: seen(w), Set: values("status", "left")})
	after, err := w.react().Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, before.Waiting+1, after.Waiting)

	k := &approvals.Clock{Engine: w.engine, Now: func() time.Time { return w.clock }}
	for range 2 {
		require.NoError(t, k.Leave(t.Context(), jobs.Job[approvals.Left]{Args: approvals.Left{Org: w.org, Person: id("chen")}, Try: 1}))
	}

	require.Equal(t, []string{"wang"}, w.waiting(a))
	require.Contains(t, w.told("wang"), "approval_waiting")
	w.decides("wang", a, "approve")
	require.Equal(t, approvals.Approved, w.state(a))
}
