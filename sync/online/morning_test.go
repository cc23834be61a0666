package online_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync/online"
)

// The morning pack has two days, with the customers of the plan and their contacts,
// and what rings.
func TestMorning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shanghai := time.FixedZone("", 8*60*60)
	shop := w.create("lin", "account", "name", "兴旺", "remark", "wants a freezer")
	other := w.create("lin", "account", "name", "not of the plan")
	wang := w.create("lin", "contact", "account", shop, "name", "王芳")
	w.create("lin", "contact", "account", other, "name", "x")
	second := w.create("lin", "visit_plan", "account", shop, "date", "2026-11-22", "order", 1, "status", "planned")
	first := w.create("lin", "visit_plan", "account", shop, "date", "2026-11-21", "order", 2, "status", "planned")
	w.create("lin", "visit_plan", "account", shop, "date", "2026-11-23", "status", "planned")
	task := w.create("lin", "task", "title", "tomorrow", "due_at", "2026-11-22T09:00:00Z", "status", "open")
	daily := w.create("lin", "reminder", "title", "daily", "at", "2026-11-01T01:00:00Z", "zone", "Asia/Shanghai", "recurrence", "FREQ=DAILY", "fired_until", "2026-11-21T02:00:00Z")
	w.create("lin", "reminder", "title", "later", "at", "2026-11-23T01:00:00Z")
	w.create("lin", "reminder", "title", "done", "at", "2026-11-22T01:00:00Z", "done_at", "2026-11-20T01:00:00Z")
	w.create("zhou", "reminder", "title", "zhous", "at", "2026-11-22T01:00:00Z")

	got, err := w.online.Morning(t.Context(), w.who("lin"), w.now().In(shanghai))
	require.NoError(t, err)

	require.Equal(t, "2026-11-21", got.Day)
	require.Equal(t, "2026-11-22", got.Until)
	require.Equal(t, []record.ID{first, second}, idsOf(got.Plan))
	require.Equal(t, first, *got.Next)
	require.Equal(t, []record.ID{task}, idsOf(got.Tasks))
	require.Equal(t, []record.ID{shop}, idsOf(got.Accounts))
	require.Equal(t, "wants a freezer", got.Accounts[0].Values.Text("remark"))
	require.Equal(t, []record.ID{wang}, idsOf(got.Contacts))
	require.Equal(t, []record.ID{daily}, idsOf(got.Reminders))
	require.Equal(t, "2026-11-22T01:00:00Z", got.Reminders[0].Values.Text("rings_at"))
	require.Equal(t, online.Counts{Planned: 2, Tasks: 1, Reminders: 1}, got.Counts)
	require.Empty(t, got.LeftOff)

	today, err := w.online.Today(t.Context(), w.who("lin"), w.now().In(shanghai))
	require.NoError(t, err)
	require.Empty(t, today.Reminders, "it has rung today")
}

func idsOf(rs []online.Record) (ids []record.ID) {
	for _, r := range rs {
		ids = append(ids, r.ID)
	}
	return ids
}

// However much there is, the pack is no longer than it may be; it is cut from the
// end, in the same way every time, and says what is missing.
func TestMorning_full(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := strings.Repeat("长", 70)
	for i := range 200 {
		shop, contact := w.id(), w.id()
		w.write("lin",
			record.Edit{Op: record.OpCreate, Kind: "account", ID: shop, Set: values("name", fmt.Sprint(i)+long, "address", long, "remark", long, "short_name", long)},
			record.Edit{Op: record.OpCreate, Kind: "contact", ID: contact, Set: values("account", shop, "name", long, "title", long)},
			record.Edit{Op: record.OpCreate, Kind: "visit_plan", ID: w.id(), Set: values("account", shop, "date", "2026-11-21", "order", i)},
			record.Edit{Op: record.OpCreate, Kind: "task", ID: w.id(), Set: values("account", shop, "title", long, "due_at", "2026-11-21T09:00:00Z", "status", "open")})
	}

	got, err := w.online.Morning(t.Context(), w.who("lin"), w.now())
	require.NoError(t, err)
	again, err := w.online.Morning(t.Context(), w.who("lin"), w.now())
	require.NoError(t, err)

	require.Equal(t, js(got), js(again))
	require.LessOrEqual(t, len(js(got)), online.MaxMorningBytes)
	require.Greater(t, len(js(got)), online.MaxMorningBytes*95/100)
	require.Len(t, got.Plan, 200)
	require.Len(t, got.Accounts, 200)
	require.Equal(t, 200, got.Counts.Tasks)
	require.Equal(t, map[string]int{"tasks": 200 - len(got.Tasks), "contacts": 200}, got.LeftOff)
	require.NotEmpty(t, got.Tasks)
}
