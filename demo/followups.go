package demo

import (
	"time"

	"roadbook/record"
)

// talkHours are those in which reps telephone and write.
var talkHours = hours{9 * time.Hour, 20 * time.Hour}

// talk is when a rep's q-th follow-up takes place and when he has noted it.
func (r *rep) talk(q int) hours {
	day := r.dayFor(q, r.talks)
	from, to := r.spread(r.talks, day)
	return talkHours.slot(newDice(0, "talk/"+r.Login, q), day, q-from, to-from)
}

func (r *rep) followUpID(q int) record.ID {
	return newID(r.talk(q).to, "follow_up/"+r.Login, q)
}

// followUps appends those that a rep notes on a day.
func (o *Org) followUps(r *rep, day int, today []work) []work {
	from, to := r.spread(r.talks, day)
	for q := from; q < to; q++ {
		at := r.talk(q)
		f := o.followUp(r, q, at).made(r.id, at.to)
		today = append(today, o.create(r.id, "follow_up", r.followUpID(q), at.to, f))
	}
	return today
}

// followUp is the content of a rep's q-th follow-up. It goes to another account
// than the day's visits.
func (o *Org) followUp(r *rep, q int, at hours) *form {
	d := newDice(o.Seed, "follow_up/"+r.Login, q)
	account := r.stop(q*17 + r.held/2)
	kind := pick(d, followUpKinds)
	said := blanksFor(d, o.faceOf(account, 0).called())
	f := o.form(10).id("account", AccountID(account))
	if hasOpportunity(account) && dealTouched(account) < at.from {
		f.id("opportunity", OpportunityID(account))
	}
	f.text("kind", kind).time("happened_at", at.from)
	f.text("content", said.fill(pick(d, followUpOpenings[kind]), pick(d, followUpTopics),
		pick(d, followUpAsides), pick(d, followUpEndings)))
	if d.chance(40) {
		f.text("next_step", said.fill(pick(d, nextSteps)))
		f.time("next_at", days(dayOf(at.from)+d.between(1, 14))+10*time.Hour)
	}
	if d.chance(6) {
		f.list("mentions", PersonID(r.lead).String())
	}
	return f
}

var followUpKinds = words("call call call chat chat chat chat meeting mail")
