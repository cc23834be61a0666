package reminders_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/modules/reminders"
	"roadbook/record"
	"roadbook/record/reminder"
)

// number is a value that is no text.
func number(field, raw string) record.Value {
	return record.Value{Field: field, Raw: json.RawMessage(raw)}
}

// rule publishes a rule that makes tasks, unless it is told otherwise.
func (w *world) rule(name, trigger, days string, pairs ...string) record.Outcome {
	w.t.Helper()
	e := create("reminder_rule", name, "name", name, "status", "published")
	if trigger != "" {
		e.Set = append(e.Set, values("trigger", trigger)...)
	}
	if !slices.Contains(pairs, "zone") {
		e.Set = append(e.Set, values("zone", "Asia/Shanghai")...)
	}
	if days != "" {
		e.Set = append(e.Set, number("days", days))
	}
	set := values(pairs...)
	for field, usual := range map[string]string{"makes": "task", "title": name} {
		if set.Get(field) == nil {
			set = append(set, values(field, usual)...)
		}
	}
	for _, v := range set {
		if v.Field == "managers" || v.Field == "hour" || v.Field == "minutes" {
			v.Raw = json.RawMessage(strings.Trim(string(v.Raw), `"`))
		}
		e.Set = append(e.Set, v)
	}
	return w.propose(person("chen"), e)
}

// look has time go by, and the rules applied to everything.
func (w *world) look(at time.Time) {
	w.t.Helper()
	w.react()
	w.clock = at
	for range 3 {
		require.NoError(w.t, w.service.Passes(w.t.Context()))
		w.react()
	}
}

// effects are what rules have made somebody, as "title status-or-time".
func (w *world) effects(kind, login string) (all []string) {
	w.t.Helper()
	for _, r := range w.records(kind, person(login)) {
		said := r.Text("title") + " " + r.Text("status")
		if kind == reminder.Kind {
			when, err := time.Parse(time.RFC3339, r.Text("at"))
			require.NoError(w.t, err)
			said = r.Text("title") + " " + when.Add(8*time.Hour).Format("2006-01-02 15:04")
			if r.Text("done_at") != "" {
				said += " done"
			}
		}
		all = append(all, said)
	}
	return all
}

func day(n int) time.Time { return dawn.AddDate(0, 0, n) }

// account makes lin a customer who was contacted at dawn.
func (w *world) account(name string, pairs ...string) {
	w.t.Helper()
	w.commit(person("lin"), create("account", name, append([]string{"name", name, "owner", person("lin").String(), "last_contact_at", spelled(w.clock)}, pairs...)...))
}

func (w *world) visit(name, account string, at time.Time) {
	w.t.Helper()
	e := create("visit", name, "account", named(account).String(), "owner", person("lin").String())
	e.Set = append(e.Set, number("check_in", `{"time_device":"`+spelled(at)+`"}`))
	w.commit(person("lin"), e)
}

// A customer whom nobody has contacted for so many days is warned of, once, to
// whoever has him and to whoever leads that; a visit ends it.
func TestWatch_untouched(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.commit(record.NoID, create("unit", "team", "name", "team", "manager", person("chen").String()))
	w.commit(record.NoID, record.Edit{Op: record.OpEdit, Kind: "user", ID: person("lin"), Set: values("unit", named("team").String())})
	w.account("兴旺", "grade", "A")
	w.account("other", "grade", "B")
	require.Equal(t, record.Applied, w.rule("call him", "untouched", "45", "filter", `grade == "A"`, "managers", "true").Result)
	w.look(day(44))
	require.Empty(t, w.effects("task", "lin"))

	w.look(day(45))
	w.look(day(46))
	require.Equal(t, []string{"call him open"}, w.effects("task", "lin"))
	require.Equal(t, []string{"call him open"}, w.effects("task", "chen"))
	task := w.records("task", person("lin"))[0]
	require.Equal(t, reminder.EffectID(named("call him"), named("兴旺"), spelled(dawn), "task"), task.ID, "so a device makes the same")
	require.Equal(t, named("兴旺"), task.Ref("account"))
	require.Equal(t, named("call him"), task.Ref("origin.rule"))

	w.visit("v", "兴旺", day(46))
	w.look(day(47))
	require.Equal(t, []string{"call him cancelled"}, w.effects("task", "lin"))
	require.Equal(t, []string{"call him cancelled"}, w.effects("task", "chen"))
	w.look(day(46 + 45))
	require.Equal(t, []string{"call him cancelled", "call him open"}, w.effects("task", "lin"), "a new reason is a new task")
}

// What counts is when the work was done: a visit that was logged without a network
// before the warning, and arrives after it, ends it.
func TestWatch_realTime(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.account("兴旺")
	w.rule("call him", "untouched", "45")
	w.look(day(46))
	require.Equal(t, []string{"call him open"}, w.effects("task", "lin"))

	w.visit("offline", "兴旺", day(44)) // two days ago
	w.react()
	require.Equal(t, []string{"call him cancelled"}, w.effects("task", "lin"))
	require.Equal(t, spelled(day(44)), w.record("兴旺").Text("last_contact_at"))
	w.look(day(44 + 44))
	require.Len(t, w.effects("task", "lin"), 1)

	w.visit("of next year", "兴旺", day(400)) // a clock that is wrong
	w.look(day(44 + 45))
	require.Len(t, w.effects("task", "lin"), 2)
}

// A rule that is published for the first time finds out first when customers were
// contacted, and warns of nobody who was.
func TestWatch_knowsTheContactsFirst(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	for i := range 20 {
		w.account(strconv.Itoa(i))
		w.visit("v"+strconv.Itoa(i), strconv.Itoa(i), dawn)
	}
	w.clock = day(50)
	for i := range 20 {
		w.visit("w"+strconv.Itoa(i), strconv.Itoa(i), day(50))
	}
	w.rule("call him", "untouched", "45")
	w.look(day(51))

	require.Empty(t, w.effects("task", "lin"))
}

// A device that has run the same rule without a network and the server make one
// task, whichever is first.
func TestWatch_onADeviceAsWell(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.account("one")
	w.account("two")
	w.rule("call him", "untouched", "45")
	onDevice := func(account string) record.Edit {
		id := reminder.EffectID(named("call him"), named(account), spelled(dawn), "task")
		return record.Edit{Op: record.OpCreate, Kind: "task", ID: id, Set: values(
			"title", "call him", "owner", person("lin").String(), "account", named(account).String(), "status", "open",
			"origin.rule", named("call him").String(), "origin.subject", named(account).String(), "origin.trigger", spelled(dawn))}
	}
	w.look(day(44))
	w.clock = day(45)
	w.commit(person("lin"), onDevice("one"))
	w.look(day(45))
	w.commit(person("lin"), onDevice("two"))
	w.react()
	require.Equal(t, []string{"call him open", "call him open"}, w.effects("task", "lin"))

	w.visit("v", "one", day(45))
	w.react()
	require.Equal(t, []string{"call him cancelled", "call him open"}, w.effects("task", "lin"), "the server puts away what the device has made")
}

// The other reasons, each with what ends it.
func TestWatch_reasons(t *testing.T) {
	t.Parallel()

	account := named("兴旺").String()
	for name, tt := range map[string]struct {
		rule   func(w *world)
		make   []record.Edit
		until  time.Time
		kind   string
		want   []string
		ends   record.Edit
		wanted []string
	}{
		"a task that is due": {
			func(w *world) { w.rule("hurry", "task_due", "", "makes", "reminder", "minutes", "-30") },
			[]record.Edit{create("task", "t", "title", "t", "due_at", spelled(day(3)), "status", "open", "owner", person("lin").String())},
			day(1), "reminder",
			[]string{"hurry 2026-11-26 08:30"},
			edit("task", "t", "status", "done"),
			[]string{"hurry 2026-11-26 08:30 done"},
		},
		"a plan": {
			func(w *world) { w.rule("go", "plan_due", "-1", "makes", "reminder", "hour", "18") },
			[]record.Edit{create("visit_plan", "p", "account", account, "date", "2026-11-26", "status", "planned", "owner", person("lin").String())},
			day(1), "reminder",
			[]string{"go 2026-11-25 18:00"},
			edit("visit_plan", "p", "date", "2026-11-27"),
			[]string{"go 2026-11-25 18:00 done", "go 2026-11-26 18:00"},
		},
		"a plan that was missed": {
			func(w *world) { w.rule("missed", "plan_missed", "") },
			[]record.Edit{create("visit_plan", "p", "account", account, "date", "2026-11-24", "status", "planned", "owner", person("lin").String())},
			day(2), "task",
			[]string{"missed open"},
			edit("visit_plan", "p", "status", "done"),
			[]string{"missed cancelled"},
		},
		"no next step": {
			func(w *world) { w.rule("and now?", "no_next_step", "7") },
			[]record.Edit{create("opportunity", "o", "account", account, "name", "o", "stage", "lead", "owner", person("lin").String())},
			day(7), "task",
			[]string{"and now? open"},
			edit("opportunity", "o", "next_step", "call", "next_step_at", spelled(day(20))),
			[]string{"and now? cancelled"},
		},
		"a birthday": {
			func(w *world) { w.rule("cake", "birthday", "-2", "makes", "reminder", "hour", "8") },
			[]record.Edit{create("contact", "c", "account", account, "name", "c", "birthday", "1984-12-01", "owner", person("lin").String())},
			day(2), "reminder",
			[]string{"cake 2026-11-29 08:00"},
			edit("contact", "c", "left_company", "null", "birthday", "1984-12-03"),
			[]string{"cake 2026-11-29 08:00 done", "cake 2026-12-01 08:00"},
		},
		"a rule of one's own": {
			func(w *world) {
				w.rule("close it", "custom", "-3", "about_kind", "opportunity", "date_field", "close_date", "filter", `stage != "won"`, "makes", "both")
			},
			[]record.Edit{create("opportunity", "o", "account", account, "name", "o", "stage", "lead", "close_date", "2026-11-29", "owner", person("lin").String())},
			day(2), "reminder",
			[]string{"close it 2026-11-26 09:00"},
			edit("opportunity", "o", "stage", "won"),
			[]string{"close it 2026-11-26 09:00 done"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			w.account("兴旺")
			tt.rule(w)
			w.commit(person("lin"), tt.make...)
			w.look(tt.until)
			require.Equal(t, tt.want, w.effects(tt.kind, "lin"))

			w.commit(person("lin"), tt.ends)
			w.look(tt.until)

			require.Equal(t, tt.wanted, w.effects(tt.kind, "lin"))
		})
	}
}

// A reason that comes back takes up again what the server had put away; what
// somebody has ended himself stays ended.
func TestWatch_aReasonThatComesBack(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.account("兴旺", "grade", "A")
	w.rule("call him", "untouched", "45", "filter", `grade == "A"`, "makes", "both")
	w.clock = day(45)
	w.look(day(45))
	w.commit(person("lin"), edit("account", "兴旺", "grade", "B"))
	w.look(day(45))
	require.Equal(t, []string{"call him cancelled"}, w.effects("task", "lin"))
	w.commit(person("lin"), edit("account", "兴旺", "grade", "A"))
	w.look(day(45))
	require.Equal(t, []string{"call him open"}, w.effects("task", "lin"))

	task := w.records("task", person("lin"))[0]
	p := w.phone("lin", 0)
	require.NoError(t, p.Edit("task", task.ID, func(d *device.Draft) { d.Set("status", "cancelled") }))
	p.sync()
	w.look(day(46))
	w.look(day(47))
	require.Equal(t, []string{"call him cancelled"}, w.effects("task", "lin"))
}

// A follow-up that was promised and has not come is overdue; one that was done
// without a network is not, by its own time.
func TestWatch_followUpOverdue(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.account("兴旺")
	w.rule("follow up", "follow_up_overdue", "1")
	w.commit(person("lin"), create("follow_up", "f", "account", named("兴旺").String(), "happened_at", spelled(dawn), "next_at", spelled(day(5)), "owner", person("lin").String()))
	w.look(day(5))
	require.Empty(t, w.effects("task", "lin"))
	w.look(day(6))
	require.Equal(t, []string{"follow up open"}, w.effects("task", "lin"))

	w.visit("offline", "兴旺", day(4))
	w.react()

	require.Equal(t, []string{"follow up cancelled"}, w.effects("task", "lin"))
}

// A rule that cannot work is refused when it is published, with where and why.
func TestRule_refusesToPublish(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	for field, out := range map[string]record.Outcome{
		"trigger":    w.rule("a", "", "1"),
		"filter":     w.rule("b", "untouched", "1", "filter", "grade == \"A\" &&\n colour == \"red\""),
		"days":       w.rule("c", "untouched", ""),
		"zone":       w.rule("d", "untouched", "1", "zone", "Asia/Atlantis"),
		"about_kind": w.rule("e", "custom", "1", "about_kind", "user", "date_field", "created_at"),
		"date_field": w.rule("f", "custom", "1", "about_kind", "account", "date_field", "name"),
		"makes":      w.rule("g", "task_due", "1"),
		"hour":       w.rule("h", "birthday", "1", "hour", "24"),
		"minutes":    w.rule("i", "birthday", "1", "minutes", strconv.Itoa(reminders.MaxMinutes+1)),
		"title":      w.rule("j", "birthday", "1", "title", strings.Repeat("王", reminders.MaxTitleSize+1)),
	} {
		require.Equal(t, record.Refused, out.Result, field)
		require.Equal(t, "rule", out.Refusal.Code, field)
		require.Equal(t, field, out.Refusal.Fields[0].Field)
		if field == "filter" {
			require.Contains(t, out.Refusal.Fields[0].Detail, "line 2, column 2: there is no field of this name")
		}
	}
	require.Equal(t, record.Refused, w.rule("k", "untouched", strconv.Itoa(reminders.MaxDays+1)).Result)
	require.Equal(t, record.Applied, w.rule("l", "untouched", strconv.Itoa(reminders.MaxDays), "title", strings.Repeat("王", reminders.MaxTitleSize)).Result)

	out := w.propose(person("chen"), edit("reminder_rule", "l", "title", "x"))
	require.Equal(t, "published", out.Refusal.Code, "it is not changed")
	out = w.rule("l2", "untouched", "5", "of", named("l").String())
	require.Equal(t, "published", out.Refusal.Code, "one version at a time")
	w.commit(person("chen"), edit("reminder_rule", "l", "status", "retired"))
	require.Equal(t, record.Applied, w.rule("l3", "untouched", "5", "of", named("l").String()).Result)
	require.Equal(t, "catalogue", w.propose(person("lin"), edit("reminder_rule", "l3", "name", "x")).Refusal.Code, "it is for administrators")
}

// There are so many rules and no more.
func TestRule_soMany(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	for i := range reminders.MaxRules {
		require.Equal(t, record.Applied, w.rule(strconv.Itoa(i), "untouched", "5").Result)
	}
	require.Equal(t, "rules", w.rule("more", "untouched", "5").Refusal.Code)
}

// Two servers make what a rule asks for once; a rule that is retired makes no more,
// and what it has made is put away.
func TestWatch_twoServers(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	for i := range 30 {
		w.account(strconv.Itoa(i))
	}
	w.rule("call him", "untouched", "45")
	w.look(day(1))
	w.clock = day(46)
	done := make(chan error)
	for range 3 {
		s := reminders.New(reminders.Config{Pool: w.pool, Engine: w.engine, Devices: w, Now: func() time.Time { return day(46) }})
		go func() { done <- s.Passes(t.Context()) }()
	}
	for range 3 {
		require.NoError(t, <-done)
	}
	w.look(day(46))
	require.Equal(t, slices.Repeat([]string{"call him open"}, 30), w.effects("task", "lin"))

	w.commit(person("chen"), edit("reminder_rule", "call him", "status", "retired"))
	w.look(day(47))
	require.Equal(t, slices.Repeat([]string{"call him cancelled"}, 30), w.effects("task", "lin"))
}
