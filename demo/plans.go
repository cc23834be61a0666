package demo

import (
	"time"

	"roadbook/record"
)

// plansPerDay is how many visits a rep plans ahead for a day.
const plansPerDay = 6

// planned reports whether plans reach to a day.
func planned(day int) bool { return day >= -planDays && day <= planDays }

// PlanID is the id of the i-th visit that somebody planned for a day, counted
// from 0. Day 0 is today.
func PlanID(login string, day, i int) record.ID {
	return newID(planMade(day, i), "plan/"+login, day+planDays, i)
}

// planMade is when a plan was made: in the evening, a week before or, of what
// lies further ahead, yesterday.
func planMade(day, i int) time.Duration {
	return days(min(day-7, -1)) + 18*time.Hour + 30*time.Minute + time.Duration(i)*10*time.Second
}

// plans appends those that a rep makes on a day for the days ahead, and those
// of the day itself, whose fate it seals.
func (o *Org) plans(r *rep, day int, today []work) []work {
	for ahead := range planDays + 1 {
		if dayOf(planMade(ahead, 0)) == day {
			today = o.plansAhead(r, ahead, today)
		}
	}
	if !planned(day) || rests(r.no, day) {
		return today
	}
	from, to := r.spread(r.calls, day)
	for q := from; q < to; q++ {
		at := r.call(q)
		f := o.plan(r.stop(q), day, q-from, at, "done")
		today = append(today, o.settled(r, day, q-from, at.from, f))
	}
	if missed(day) {
		fate := pick(newDice(o.Seed, "missed/"+r.Login, day+planDays), words("missed missed cancelled rescheduled"))
		at := hours{days(day) + 17*time.Hour, days(day) + 18*time.Hour}
		f := o.plan(r.stop(to+r.held/2), day, to-from, at, fate)
		today = append(today, o.settled(r, day, to-from, days(day)+20*time.Hour, f))
	}
	return today
}

// missed reports whether one more visit was planned for a past day than made.
func missed(day int) bool { return day%3 == 0 }

// settled is a plan whose day is over: last touched when the visit began.
func (o *Org) settled(r *rep, day, i int, at time.Duration, f *form) work {
	return o.create(r.id, "visit_plan", PlanID(r.Login, day, i), at, f.made(r.id, planMade(day, i)))
}

// plansAhead appends the plans for today or a day to come.
func (o *Org) plansAhead(r *rep, day int, today []work) []work {
	n := o.ahead(r, day)
	for i := range n {
		begin := days(day) + 9*time.Hour + time.Duration(i)*80*time.Minute
		f := o.plan(r.stop(r.calls+r.workdayAhead(day)*n+i), day, i, hours{begin, begin + time.Hour}, "planned")
		made := planMade(day, i)
		today = append(today, o.create(r.id, "visit_plan", PlanID(r.Login, day, i), made, f.made(r.id, made)))
	}
	return today
}

// ahead is how many visits a rep plans for today or a day to come.
func (o *Org) ahead(r *rep, day int) int {
	if rests(r.no, day) {
		return 0
	}
	return min(plansPerDay, r.held)
}

// workdayAhead counts the workdays of a rep from today to before a day.
func (r *rep) workdayAhead(day int) int {
	n := 0
	for d := range day {
		if !rests(r.no, d) {
			n++
		}
	}
	return n
}

// plan is the content of a plan.
func (o *Org) plan(account, day, i int, at hours, status string) *form {
	begin := days(day) + (at.from - days(day)).Truncate(30*time.Minute)
	reason := "cycle"
	if d := newDice(o.Seed, "reason", account, day+planDays); d.chance(15) {
		reason = pick(d, words("task task complaint"))
	}
	f := o.form(9).id("account", AccountID(account)).date("date", day)
	f.time("window_from", begin).time("window_to", begin+90*time.Minute)
	return f.text("reason", reason).number("order", i+1).text("status", status)
}
