package demo

import (
	"strconv"
	"time"

	"roadbook/record"
)

// workHours are those in which reps visit.
var workHours = hours{8*time.Hour + 30*time.Minute, 18 * time.Hour}

// call is when a rep's q-th visit takes place, from check-in to check-out.
func (r *rep) call(q int) hours {
	day := r.dayFor(q, r.calls)
	from, to := r.spread(r.calls, day)
	return workHours.slot(newDice(0, "call/"+r.Login, q), day, q-from, to-from)
}

func (r *rep) visitID(q int) record.ID {
	return newID(r.call(q).from, "visit/"+r.Login, q)
}

// visits appends the visits that a rep makes on a day. The record is stamped
// with the check-out, after which it does not change.
func (o *Org) visits(r *rep, day int, today []work) []work {
	from, to := r.spread(r.calls, day)
	for q := from; q < to; q++ {
		f := o.visit(r, q)
		if planned(day) {
			f.id("plan", PlanID(r.Login, day, q-from))
		}
		at := r.call(q)
		today = append(today, o.create(r.id, "visit", r.visitID(q), at.to, f.made(r.id, at.from)))
	}
	return today
}

// visit is the content of a rep's q-th visit.
func (o *Org) visit(r *rep, q int) *form {
	d, account, at := newDice(o.Seed, "visit/"+r.Login, q), r.stop(q), r.call(q)
	spot := o.siteOf(r, account).point
	f := o.form(16).id("account", AccountID(account))
	boot := at.from - time.Duration(d.between(1, 250))*time.Hour
	f.raw("check_in", o.evidence(d, at.from, boot, spot)).raw("check_out", o.evidence(d, at.to, boot, spot))
	f.list("purpose", pick(d, purposes), pick(d, purposes))
	said := blanksFor(d, o.faceOf(account, 0).called())
	if end := pick(d, visitEndings); d.chance(5) {
		f.text("summary", said.fill(pick(d, visitsInVain))).text("result", "absent")
	} else {
		f.text("summary", said.fill(pick(d, visitOpenings), pick(d, visitFindings), end.text))
		f.text("result", end.result)
	}
	if d.chance(30) {
		f.text("next_step", said.fill(pick(d, nextSteps)))
	}
	if d.chance(20) {
		f.time("next_visit_at", days(dayOf(at.from)+d.between(7, 30))+10*time.Hour)
	}
	if d.chance(25) {
		f.list("competitor_seen", said.rival)
	}
	if d.chance(4) {
		f.list("participants", PersonID(r.lead).String())
	}
	return f.text("status", visitStatus(d, at.to))
}

// visitStatus is reviewed for most of what the manager has had a week for.
func visitStatus(d *dice, at time.Duration) string {
	if at < days(-7) && d.chance(70) {
		return "reviewed"
	}
	return "closed"
}

// evidence is what a phone that was started at a time says of a check-in or
// check-out at a spot.
func (o *Org) evidence(d *dice, at, boot time.Duration, spot point) []byte {
	b := append(make([]byte, 0, 128), `{"time_device":`...)
	b = append(b, o.instant(at)...)
	b = append(b, `,"time_since_boot_ms":`...)
	b = strconv.AppendInt(b, (at - boot).Milliseconds(), 10)
	b = append(b, `,"location":`...)
	b = append(b, spot.near(d).json(d.between(6, 45))...)
	return append(b, '}')
}

var purposes = words(`display display stock stock order order order
	payment new_product complaint relationship training`)
