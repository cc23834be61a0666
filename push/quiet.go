package push

import (
	"time"
	_ "time/tzdata" // for machines that have none: what is refused is refused everywhere

	"roadbook/record"
)

// Quiet are the hours of the day in which somebody is left alone, in the time of
// where he is. The zero value is none.
type Quiet struct {
	From, To Clock
	Zone     *time.Location
}

// Clock is a time of day in minutes.
type Clock int

// minutesOfDay is how many there are on a clock.
const minutesOfDay = 24 * 60

// ParseClock reads a time of day as 22:30.
func ParseClock(text string) (Clock, bool) {
	at, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, false
	}
	return Clock(at.Hour()*60 + at.Minute()), true
}

// defaultZone is where people are who do not say where.
const defaultZone = "Asia/Shanghai"

// quietOf are somebody's quiet hours by his preferences, nil if he has none.
func quietOf(prefs *record.Record) (q Quiet) {
	if prefs == nil || prefs.State != record.Live {
		return q
	}
	from, begins := ParseClock(prefs.Text("quiet_from"))
	to, ends := ParseClock(prefs.Text("quiet_to"))
	if !begins || !ends {
		return q
	}
	name := prefs.Text("zone")
	if name == "" {
		name = defaultZone
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return q // the rule lets none in; the names of zones change, though
	}
	return Quiet{From: from, To: to, Zone: zone}
}

// Until reports whether it is quiet at a moment, and until when.
//
// On a day on which the clock is set, a time of day comes twice or not at all.
// Then the quiet begins with the first and ends with the second, or both with the
// moment at which the clock passes over it.
func (q Quiet) Until(now time.Time) (end time.Time, quiet bool) {
	if q.Zone == nil || q.From == q.To {
		return now, false
	}
	y, m, d := now.In(q.Zone).Date()
	for day := -1; day <= 0; day++ { // it may have begun yesterday
		last := d + day
		if q.To < q.From {
			last++
		}
		begin, end := q.instant(y, m, d+day, q.From, false), q.instant(y, m, last, q.To, true)
		if !now.Before(begin) && now.Before(end) {
			return end, true
		}
	}
	return now, false
}

// instant is when it is some time of day on a day; of two the second if asked.
func (q Quiet) instant(y int, m time.Month, d int, at Clock, second bool) time.Time {
	wall := time.Date(y, m, d, 0, int(at), 0, 0, time.UTC)
	before, after := q.offset(wall.Add(-minutesOfDay*time.Minute)), q.offset(wall.Add(minutesOfDay*time.Minute))
	early, late := wall.Add(-max(before, after)), wall.Add(-min(before, after))
	isIt := func(t time.Time) bool { return q.offset(t) == wall.Sub(t) }
	switch {
	case isIt(early) && (!second || !isIt(late)):
		return early
	case isIt(late):
		return late
	}
	passed, _ := late.In(q.Zone).ZoneBounds() // the clock was set over it
	return passed
}

// offset is how far the clock is ahead of UTC.
func (q Quiet) offset(t time.Time) time.Duration {
	_, seconds := t.In(q.Zone).Zone()
	return time.Duration(seconds) * time.Second
}
