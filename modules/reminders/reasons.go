package reminders

import (
	"time"

	"roadbook/record"
)

const (
	// ahead is how long before its time a reminder is made, so that devices have it
	// on board.
	ahead = 7 * 24 * time.Hour
	// behind is how long after its time it is not made any more: a rule that is new
	// does not tell of what is over.
	behind = 24 * time.Hour
)

// reason is why a rule does something about a record: what exactly has triggered
// it, in a form that is the same wherever the rule runs, and for when.
type reason struct {
	trigger string
	at      time.Time
}

// reasonOf says whether a rule has a reason to do something about a record, by
// the times at which things were done and not by when the server heard of them.
func (w *watch) reasonOf(rec, account *record.Record, now time.Time) (r reason, is bool) {
	if !w.match.Holds(rec) {
		return r, false
	}
	switch w.trigger {
	case "task_due":
		return w.foreseen(rec, "due_at", isOpenTask(rec), now)
	case "plan_due":
		open := rec.Text("status") == "planned" || rec.Text("status") == ""
		if rec.Text("window_from") != "" {
			return w.foreseen(rec, "window_from", open, now)
		}
		return w.foreseen(rec, "date", open, now)
	case "plan_missed":
		day, err := time.ParseInLocation(time.DateOnly, rec.Text("date"), w.zone)
		over := day.AddDate(0, 0, 1).Add(w.offset)
		return reason{rec.Text("date"), over}, err == nil && (rec.Text("status") == "planned" || rec.Text("status") == "missed") && !now.Before(over)
	case "follow_up_overdue":
		next, happened := instantOf(rec, "next_at"), instantOf(rec, "happened_at")
		quiet := account != nil && !instantOf(account, "last_contact_at").After(happened)
		return reason{rec.Text("next_at"), next.Add(w.offset)}, quiet && !next.IsZero() && !now.Before(next.Add(w.offset))
	case "untouched":
		last := "last_contact_at"
		if rec.Text(last) == "" {
			last = "created_at"
		}
		at := instantOf(rec, last).Add(w.offset)
		return reason{rec.Text(last), at}, rec.Text(last) != "" && !now.Before(at)
	case "no_next_step":
		return w.noNextStep(rec, now)
	case "birthday":
		return w.birthday(rec, now)
	}
	return w.foreseen(rec, w.date.Name, true, now)
}

// foreseen is a reason at a time that a record names: of a day, at the hour that
// the rule names.
func (w *watch) foreseen(rec *record.Record, field string, open bool, now time.Time) (r reason, is bool) {
	at := instantOf(rec, field)
	if at.IsZero() {
		day, err := time.ParseInLocation(time.DateOnly, rec.Text(field), w.zone)
		if err != nil {
			return r, false
		}
		at = time.Date(day.Year(), day.Month(), day.Day(), w.hour, 0, 0, 0, w.zone)
	}
	return w.near(reason{at.UTC().Format(time.RFC3339), at.Add(w.offset)}, open, now)
}

// near reports whether it is time for a reason: for a reminder a while before, so
// that it is on board; for a task from its time on.
func (w *watch) near(r reason, open bool, now time.Time) (reason, bool) {
	if !w.rings {
		return r, open && !now.Before(r.at)
	}
	return r, open && now.Add(ahead).After(r.at) && now.Before(r.at.Add(behind))
}

func (w *watch) noNextStep(rec *record.Record, now time.Time) (r reason, is bool) {
	if stage := rec.Text("stage"); stage == "won" || stage == "lost" {
		return r, false
	}
	if next := instantOf(rec, "next_step_at"); !next.IsZero() {
		return reason{"past " + rec.Text("next_step_at"), next.Add(w.offset)}, !now.Before(next.Add(w.offset))
	}
	made := instantOf(rec, "created_at")
	return reason{"none " + rec.Text("stage"), made.Add(w.offset)}, rec.Text("next_step") == "" && !now.Before(made.Add(w.offset))
}

// birthday is the next one; whoever was born on the 29th of February has it on
// the 28th in other years.
func (w *watch) birthday(rec *record.Record, now time.Time) (r reason, is bool) {
	born, err := time.Parse(time.DateOnly, rec.Text("birthday"))
	if err != nil || string(rec.Raw("left_company")) == "true" {
		return r, false
	}
	for year := now.In(w.zone).Year(); ; year++ {
		day := born.Day()
		if leap := year%4 == 0 && (year%100 != 0 || year%400 == 0); born.Month() == time.February && day == 29 && !leap {
			day = 28
		}
		at := time.Date(year, born.Month(), day, w.hour, 0, 0, 0, w.zone)
		if next := at.Add(w.offset); now.Before(next.Add(behind)) {
			return w.near(reason{at.Format(time.DateOnly), next}, true, now)
		}
	}
}

func isOpenTask(rec *record.Record) bool {
	state := rec.Text("status")
	return state != "done" && state != "cancelled"
}

// instantOf is a time that a record names; evidence goes by when it was given.
func instantOf(rec *record.Record, field string) time.Time {
	text := rec.Text(field)
	if raw := rec.Raw(field); len(raw) > 0 && raw[0] == '{' {
		if vs, err := record.ParseValues(raw); err == nil {
			text = vs.Text("time_device")
		}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at
}
