package demo

import (
	"slices"
	"time"
)

// The days of the demo, counted from its midnight: day 0 is today, which has
// only plans yet.
const (
	firstDay   = -900  // the first customers are won
	newDays    = 720   // for so long customers are won, up to the first visit
	firstVisit = -180  // the history of visits begins
	planDays   = 14    // plans reach so far to both sides
	founded    = -1000 // units, people and products are entered
)

const oneDay = 24 * time.Hour

// days is a number of days as a time.
func days(n int) time.Duration { return time.Duration(n) * oneDay }

// dayOf is the day on which something falls.
func dayOf(at time.Duration) int {
	d := at / oneDay
	if at < d*oneDay {
		d--
	}
	return int(d)
}

// restPhase is the day of the week on which rep 0 rests. Reps take turns to
// rest, counted from midnight and not by the calendar, so that the demo has a
// today with work in it on whatever day it is made.
const restPhase = 3

func rests(rep, day int) bool { return ((day+rep)%7+7)%7 == restPhase }

// workdays are the days of a rep from the first visit until yesterday.
func workdays(rep int) []int {
	var list []int
	for day := firstVisit; day < 0; day++ {
		if !rests(rep, day) {
			list = append(list, day)
		}
	}
	return list
}

// spread deals so many things evenly to the workdays of a rep and says which
// of them fall on a day: from and up to but not including to.
func (r *rep) spread(things, day int) (from, to int) {
	w, works := slices.BinarySearch(r.days, day)
	if !works {
		return 0, 0
	}
	return ceil(w*things, len(r.days)), ceil((w+1)*things, len(r.days))
}

// dayFor is the workday on which the q-th of so many things falls.
func (r *rep) dayFor(q, things int) int { return r.days[q*len(r.days)/things] }

func ceil(a, b int) int { return (a + b - 1) / b }

// hours is a stretch of a day.
type hours struct{ from, to time.Duration }

// slot cuts a day's hours into equal parts and leaves some air around each.
func (h hours) slot(d *dice, day, part, parts int) hours {
	length := (h.to - h.from) / time.Duration(max(parts, 1))
	begin := h.from + time.Duration(part)*length
	begin = days(day) + begin.Truncate(time.Second) + d.upTo(length/4)
	stay := min(length/2, 15*time.Minute+d.upTo(35*time.Minute))
	return hours{from: begin, to: begin + stay.Truncate(time.Second)}
}
