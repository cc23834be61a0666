package reminders

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"roadbook/errs"
	"roadbook/query"
	"roadbook/record"
	"roadbook/record/reminder"
)

// kindRule is that of the records in which an org says what it wants to be
// reminded of.
const kindRule = "reminder_rule"

// The states of a rule. Only drafts are changed; a published one is replaced by
// another version.
const (
	statusDraft     = "draft"
	statusPublished = "published"
)

// Limits of rules.
const (
	MaxRules     = 50     // of an org that are published at once: each looks at each record
	MaxDays      = 3_660  // either way
	MaxMinutes   = 10_080 // either way: a week
	MaxTitleSize = 200    // characters of what it has tasks and reminders say
)

// kindOf are the kinds that the triggers look at; custom names its own.
var kindOf = map[string]string{
	"task_due": "task", "plan_due": "visit_plan", "plan_missed": "visit_plan", "follow_up_overdue": "follow_up",
	"untouched": "account", "no_next_step": "opportunity", "birthday": "contact",
}

// watch is a rule at work.
type watch struct {
	id       record.ID // of its first version: what it has made stays its own
	version  string
	trigger  string
	kind     *record.Kind
	date     *record.Field // of a custom one
	match    *query.Matcher
	offset   time.Duration // from the time that it goes by
	hour     int           // of the day, where only a day is known
	zone     *time.Location
	task     bool
	rings    bool
	title    string
	priority string
	managers bool
}

// faulty says why a rule cannot work: which field, and what is the matter with it.
func faulty(field, detail string) error {
	return errs.New("reminders.Check", errs.Invalid, "this rule cannot work: %s: %s", field, detail).Coded("rule").
		Of(errs.Field{Field: field, Detail: detail})
}

// readWatch reads a rule, or says why it cannot work.
func readWatch(rec *record.Record, kinds func(string) *record.Kind) (*watch, error) {
	w := &watch{
		id: rec.Ref("of"), version: string(rec.Raw("version")), trigger: rec.Text("trigger"), title: strings.TrimSpace(rec.Text("title")),
		priority: rec.Text("priority"), managers: string(rec.Raw("managers")) == "true", hour: 9,
	}
	if w.id.IsZero() {
		w.id = rec.ID
	}
	for _, step := range []func(*record.Record, func(string) *record.Kind) error{w.readKind, w.readWhen, w.readEffect} {
		if err := step(rec, kinds); err != nil {
			return nil, err
		}
	}
	var err error
	if w.match, err = query.NewMatcher(w.kind, rec.Text("filter")); err != nil {
		return nil, faulty("filter", whereIn(rec.Text("filter"), err))
	}
	return w, nil
}

func (w *watch) readKind(rec *record.Record, kinds func(string) *record.Kind) error {
	name, known := kindOf[w.trigger]
	switch {
	case w.trigger == "":
		return faulty("trigger", "it says no trigger")
	case w.trigger == "custom":
		name = rec.Text("about_kind")
	case !known:
		return faulty("trigger", "there is no such trigger")
	}
	w.kind = kinds(name)
	if w.kind == nil || w.kind.Scope != "" || w.kind.Name == reminder.Kind {
		return faulty("about_kind", "there are no records of this kind to look at")
	}
	if w.trigger != "custom" {
		return nil
	}
	if w.date = w.kind.Field(rec.Text("date_field")); w.date == nil || w.date.Type != "date" && w.date.Type != "datetime" && w.date.Type != "evidence" {
		return faulty("date_field", "this kind has no day or time of this name")
	}
	return nil
}

func (w *watch) readWhen(rec *record.Record, _ func(string) *record.Kind) error {
	days, okDays := numberOf(rec, "days", MaxDays)
	minutes, okMinutes := numberOf(rec, "minutes", MaxMinutes)
	hour, okHour := numberOf(rec, "hour", 23)
	switch {
	case !okDays:
		return faulty("days", "it is a whole number of days, "+strconv.Itoa(MaxDays)+" at the most")
	case !okMinutes:
		return faulty("minutes", "it is a whole number of minutes, "+strconv.Itoa(MaxMinutes)+" at the most")
	case !okHour || hour < 0:
		return faulty("hour", "it is an hour from 0 to 23")
	case w.trigger == "untouched" && days < 1:
		return faulty("days", "it says after how many days")
	case w.trigger != "custom" && days < 0 && w.trigger != "task_due" && w.trigger != "plan_due" && w.trigger != "birthday":
		return faulty("days", "nobody can be warned before the reason is there")
	}
	w.offset = time.Duration(days)*24*time.Hour + time.Duration(minutes)*time.Minute
	if rec.Raw("hour") != nil {
		w.hour = hour
	}
	var err error
	if w.zone, err = reminder.Zone(rec.Text("zone")); err != nil || rec.Text("zone") == "" {
		return faulty("zone", "it needs a time zone, such as Asia/Shanghai")
	}
	return nil
}

func numberOf(rec *record.Record, field string, most int) (n int, ok bool) {
	raw := rec.Raw(field)
	if raw == nil {
		return 0, true
	}
	n, err := strconv.Atoi(string(raw))
	return n, err == nil && n <= most && n >= -most
}

func (w *watch) readEffect(rec *record.Record, _ func(string) *record.Kind) error {
	switch makes := rec.Text("makes"); {
	case makes == "":
		return faulty("makes", "it says neither task nor reminder")
	case w.trigger == "task_due" && makes != "reminder":
		return faulty("makes", "a task is no task of a task: it makes reminders")
	default:
		w.task, w.rings = makes != "reminder", makes != "task"
	}
	if w.title == "" || utf8.RuneCountInString(w.title) > MaxTitleSize {
		return faulty("title", "it says what is to be done, in "+strconv.Itoa(MaxTitleSize)+" characters at the most")
	}
	return nil
}

// whereIn says at which line and column a filter is wrong, and why.
func whereIn(text string, err error) string {
	var e *errs.Error
	if !errors.As(err, &e) || len(e.Fields) == 0 {
		return err.Error()
	}
	_, place, _ := strings.Cut(e.Fields[0].Field, ":")
	at, failed := strconv.Atoi(place)
	if failed != nil {
		return e.Fields[0].Detail
	}
	line, column := 1, 1
	for i, c := range []rune(text) {
		if i >= at-1 {
			break
		}
		if column++; c == '\n' {
			line, column = line+1, 1
		}
	}
	return fmt.Sprintf("line %d, column %d: %s", line, column, e.Fields[0].Detail)
}
