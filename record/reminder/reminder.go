// Package reminder says when somebody is reminded of something, and by whom: the
// device on which it was set, or the server. Both go by the same answers, so that
// each time one of them rings and not the other.
package reminder

import (
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	"roadbook/errs"
	"roadbook/record"
)

// Kind is that of the records.
const Kind = "reminder"

// What stands in fired_by: a device by its id, the server, or that there was nobody
// to be told.
const (
	Server = "server"
	Nobody = "nobody"
)

// Patience is how long the server waits for a device that has promised to ring,
// and has not said that it did. Then it tells the person itself: the device is
// lost, or was never switched on again.
const Patience = 24 * time.Hour

// Fields are what a record says, also one that is not yet written.
type Fields interface {
	Text(field string) string
}

// Reminder is one, as it stands.
type Reminder struct {
	Owner   record.ID
	At      time.Time // the first time
	Snoozed time.Time // once more then; no time is not
	Fired   time.Time // all times up to this one are over
	Done    bool
	Device  record.ID // that has promised to ring, for what it says now; nobody if none has

	zone, recurrence string
	series           *series // nil for one time only
}

// wrong says why a reminder cannot work: which field, and what is the matter with
// it.
func wrong(field, detail string) *errs.Error {
	return errs.New("reminder.Read", errs.Invalid, "this reminder cannot work: %s", detail).Of(errs.Field{Field: field, Detail: detail})
}

// Read reads a reminder, or says why it cannot work.
func Read(f Fields) (*Reminder, error) {
	r := &Reminder{
		Snoozed: timeOf(f.Text("snoozed_until")), Fired: timeOf(f.Text("fired_until")), Done: f.Text("done_at") != "",
		zone: f.Text("zone"), recurrence: f.Text("recurrence"),
	}
	r.Owner, _ = record.ParseID(f.Text("owner"))
	if r.At = timeOf(f.Text("at")); r.At.IsZero() {
		return nil, wrong("at", "it has no time").Coded("required")
	}
	zone, err := Zone(r.zone)
	if err != nil {
		return nil, wrong("zone", err.Error()).Coded("zone")
	}
	if r.recurrence != "" {
		if r.zone == "" {
			return nil, wrong("zone", "what comes again needs a time zone, because clocks are set").Coded("zone")
		}
		if r.series, err = newSeries(r.recurrence, r.At, zone); err != nil {
			return nil, wrong("recurrence", err.Error()).Coded("recurrence")
		}
	}
	if device, sum, found := strings.Cut(f.Text("rings_on"), " "); found && sum == r.sum() {
		r.Device, _ = record.ParseID(device)
	}
	return r, nil
}

func timeOf(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// sum stands for all that says when and for whom a reminder rings.
func (r *Reminder) sum() string {
	ms := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return fmt.Sprint(t.UnixMilli())
	}
	said := strings.Join([]string{ms(r.At), r.zone, r.recurrence, ms(r.Snoozed), r.Owner.String()}, "\n")
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(said)))
}

// Promise is what a device writes to rings_on when it undertakes to ring for a
// reminder as it stands. Whoever changes the time, the zone, the recurrence, the
// snooze or the owner breaks the promise by that: the device may not know.
func (r *Reminder) Promise(device record.ID) string { return device.String() + " " + r.sum() }

// Next is when it rings next after an instant; of what is over already it never
// does.
func (r *Reminder) Next(after time.Time) (at time.Time, rings bool) {
	if r.Done {
		return time.Time{}, false
	}
	if r.Fired.After(after) {
		after = r.Fired
	}
	if r.series != nil {
		at, rings = r.series.next(after)
	} else if r.At.After(after) {
		at, rings = r.At, true
	}
	if r.Snoozed.After(after) && (!rings || r.Snoozed.Before(at)) {
		at, rings = r.Snoozed, true
	}
	return at, rings
}

// First is the earliest time that is not over, however long ago.
func (r *Reminder) First() (at time.Time, rings bool) { return r.Next(time.Time{}) }

// Due is the latest time that has come and is not over. What was missed rings
// once, and not once for each time.
func (r *Reminder) Due(now time.Time) (at time.Time, due bool) {
	if r.Done {
		return time.Time{}, false
	}
	if r.series != nil {
		at, due = r.series.last(r.Fired, now)
	} else if r.At.After(r.Fired) && !r.At.After(now) {
		at, due = r.At, true
	}
	if r.Snoozed.After(r.Fired) && !r.Snoozed.After(now) && (!due || r.Snoozed.After(at)) {
		at, due = r.Snoozed, true
	}
	return at, due
}

// EffectID names what a rule makes about a subject for a reason: "task", "reminder",
// or either for a manager. Whoever runs the rule, a device without a network or
// the server, makes the same.
func EffectID(rule, subject record.ID, trigger, what string) record.ID {
	return rule.Derive("effect " + subject.String() + " " + trigger + " " + what)
}

// Recurs reports whether it comes more than once.
func (r *Reminder) Recurs() bool { return r.series != nil }
