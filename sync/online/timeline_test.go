package online_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/online"
)

// A timeline merges all that happened around a record, the newest first, each
// once, in pages of any length, as far as its reader sees it.
func TestTimeline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := w.create("lin", "account", "name", "a")
	w.pass(time.Hour)
	task := w.create("lin", "task", "account", shop, "title", "t") // 09:00
	visit := w.create("lin", "visit", "account", shop, "status", "open", "check_in", map[string]string{"time_device": "2026-11-21T09:30:00.5Z"})
	early := w.create("lin", "visit", "account", shop, "check_in", map[string]string{"time_device": "2026-11-21T09:30:00Z"})
	plan := w.create("lin", "visit_plan", "account", shop, "date", "2026-12-01")
	w.pass(time.Hour)
	deal := w.create("lin", "opportunity", "account", shop, "name", "d") // 10:00
	call := w.create("lin", "follow_up", "account", shop, "opportunity", deal, "kind", "call", "happened_at", "2026-11-19T09:00:00Z")
	gone := w.create("lin", "task", "account", shop)
	w.write("lin", record.Edit{Op: record.OpDelete, Kind: "task", ID: gone, Seen: edit("", gone, w.get("lin", "task", gone).Seq).Seen})
	w.create("lin", "task", "account", w.create("lin", "account", "name", "other"))

	read := func(login, kind string, id record.ID, limit int) (ids []record.ID, at []string) {
		for after := ""; ; {
			page, err := w.online.Timeline(t.Context(), w.who(login), kind, id, after, limit)
			require.NoError(t, err)
			for _, h := range page.Happenings {
				ids, at = append(ids, h.ID), append(at, h.At)
			}
			if after = page.After; after == "" {
				return ids, at
			}
		}
	}
	for _, limit := range []int{0, 1, 2, 3, 6, 7} {
		ids, at := read("chen", "account", shop, limit)
		require.Equal(t, []record.ID{plan, deal, visit, early, task, call}, ids, "pages of %d", limit)
		require.Equal(t, []string{
			"2026-12-01", "2026-11-21T10:00:00Z", "2026-11-21T09:30:00.500Z", "2026-11-21T09:30:00Z", "2026-11-21T09:00:00Z", "2026-11-19T09:00:00Z",
		}, at[:6], fmt.Sprint(at))
	}
	ids, _ := read("fin", "account", shop, 0)
	require.Equal(t, []record.ID{task}, ids, "finance sees tasks and no visits")
	ids, _ = read("lin", "opportunity", deal, 0)
	require.Equal(t, []record.ID{call}, ids, "what refers to it")
	_, err := w.online.Timeline(t.Context(), w.who("zhou"), "account", shop, "", 0)
	require.Equal(t, errs.Missing, errs.KindOf(err))
	page, err := w.online.Timeline(t.Context(), w.who("lin"), "account", shop, "", 2)
	require.NoError(t, err)
	_, err = w.online.Timeline(t.Context(), w.who("lin"), "opportunity", deal, page.After, 2)
	require.Equal(t, "page", errs.CodeOf(err))
}

// A day has what its person plans and owes, with whom it is about, in few
// bytes.
func TestToday(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shanghai := time.FixedZone("", 8*60*60)
	shop := w.create("lin", "account", "name", "兴旺", "phones", []string{"13900139000"})
	done := w.create("lin", "visit_plan", "account", shop, "date", "2026-11-21", "order", 1, "status", "done")
	last := w.create("lin", "visit_plan", "account", shop, "date", "2026-11-21", "window_from", "2026-11-21T06:00:00Z", "status", "planned")
	next := w.create("lin", "visit_plan", "account", shop, "date", "2026-11-21", "order", 2, "status", "planned")
	w.create("lin", "visit_plan", "account", shop, "date", "2026-11-22", "status", "planned")
	overdue := w.create("lin", "task", "account", shop, "title", "a", "due_at", "2026-11-20T09:00:00Z", "status", "open")
	tonight := w.create("lin", "task", "title", "b", "due_at", "2026-11-21T15:59:59Z", "status", "doing")
	w.create("lin", "task", "title", "tomorrow", "due_at", "2026-11-21T16:00:00Z", "status", "open")
	w.create("lin", "task", "title", "over", "due_at", "2026-11-20T09:00:00Z", "status", "done")
	w.create("zhou", "task", "title", "zhous", "due_at", "2026-11-20T09:00:00Z", "status", "open")
	w.pass(time.Second)
	w.write("chen", edit("account", shop, 1, "name", "x"))

	got, err := w.online.Today(t.Context(), w.who("lin"), w.now().In(shanghai))
	require.NoError(t, err)

	ids := func(rs []online.Record) (ids []record.ID) {
		for _, r := range rs {
			ids = append(ids, r.ID)
		}
		return ids
	}
	require.Equal(t, "2026-11-21", got.Day)
	require.Equal(t, []record.ID{done, next, last}, ids(got.Plan))
	require.Equal(t, next, *got.Next)
	require.Equal(t, []record.ID{overdue, tonight}, ids(got.Tasks))
	require.Equal(t, []record.ID{shop}, ids(got.Accounts))
	require.Len(t, got.Conflicts, 1)
	require.Equal(t, online.Counts{Planned: 3, Done: 1, Tasks: 2, Overdue: 1, Conflicts: 1}, got.Counts)
	empty, err := w.online.Today(t.Context(), w.who("fin"), w.now())
	require.NoError(t, err)
	require.Equal(t, online.Counts{}, empty.Counts)
}

// However much there is to do, the day is short enough for a bad network, and
// says how much there is.
func TestToday_full(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := ""
	for range 1000 {
		long += "长"
	}
	for i := range 30 {
		var edits []record.Edit
		shop := w.id()
		edits = append(edits, record.Edit{Op: record.OpCreate, Kind: "account", ID: shop, Set: values("name", long, "address", long)})
		edits = append(edits, record.Edit{Op: record.OpCreate, Kind: "visit_plan", ID: w.id(), Set: values("account", shop, "date", "2026-11-21", "order", i)})
		edits = append(edits, record.Edit{Op: record.OpCreate, Kind: "task", ID: w.id(), Set: values("account", shop, "title", long, "due_at", "2026-11-21T09:00:00Z", "status", "open")})
		w.write("lin", edits...)
	}

	got, err := w.online.Today(t.Context(), w.who("lin"), w.now())

	require.NoError(t, err)
	require.LessOrEqual(t, len(js(got)), online.MaxTodayBytes)
	require.Greater(t, len(js(got)), online.MaxTodayBytes*9/10)
	require.Len(t, got.Plan, 30)
	require.Equal(t, online.Counts{Planned: 30, Tasks: 30}, got.Counts)
	require.Equal(t, map[string]int{"tasks": 30 - len(got.Tasks)}, got.LeftOff)
}
