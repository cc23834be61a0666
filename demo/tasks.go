package demo

import (
	"strconv"
	"time"

	"roadbook/record"
)

// The remainders, by 5 and by 10, of the accounts that have a task, and of
// those among them whose task the rep got from his manager.
const (
	taskAccount  = 2
	givenAccount = 2
)

// TaskID is the id of the task at an account whose number leaves 2 when divided
// by 5.
func TaskID(account int) record.ID { return newID(taskMade(account), "task", account) }

// taskMade is when a task was made: three to forty days ago.
func taskMade(account int) time.Duration {
	return days(-40+account*29%38) + 9*time.Hour + newDice(0, "task", account).upTo(8*time.Hour)
}

// errand is a task in time.
type errand struct {
	made, due, done time.Duration // done is zero while it is not
	status          string
}

func errandOf(account int) errand {
	d := newDice(0, "errand", account)
	e := errand{made: taskMade(account), status: "open"}
	made := dayOf(e.made)
	due := made + d.between(3, 21)
	e.due = days(due) + 18*time.Hour
	switch {
	case due < 0 && d.chance(85):
		e.status, e.done = "done", days(d.between(made+1, due))+10*time.Hour+d.upTo(7*time.Hour)
	case d.chance(5):
		e.status = "cancelled"
	case d.chance(30):
		e.status = "doing"
	}
	return e
}

// touched is when the task took on its present state.
func (e errand) touched() time.Duration {
	if e.status == "done" {
		return e.done
	}
	return e.made
}

// tasks appends what a person wrote on a day of the tasks of a rep: his own, or
// those that he was given.
func (o *Org) tasks(r *rep, author record.ID, day int, today []work) []work {
	if day < -40 {
		return today
	}
	r.each(everyFifth, taskAccount, func(i int) {
		e, own := errandOf(i), i%10 != givenAccount
		if dayOf(e.touched()) == day && own == (author == r.id) {
			f := o.task(i, e).made(r.id, e.made)
			today = append(today, o.create(author, "task", TaskID(i), e.touched(), f))
		}
	})
	return today
}

// task is the content of the one at an account.
func (o *Org) task(account int, e errand) *form {
	d := newDice(o.Seed, "task", account)
	said, job := blanksFor(d, o.faceOf(account, 0).called()), pick(d, jobs)
	f := o.form(12).text("title", said.fill(job.title)).text("detail", said.fill(job.detail))
	f.id("account", AccountID(account)).time("due_at", e.due)
	f.text("priority", pick(d, priorities))
	if len(job.steps) > 0 {
		f.raw("checklist", checklist(account, job.steps, e.status == "done"))
	}
	f.text("status", e.status)
	if e.status == "done" {
		f.time("done_at", e.done)
	}
	return f
}

func checklist(account int, steps []string, done bool) []byte {
	b := append(make([]byte, 0, 256), '[')
	for i, s := range steps {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"done":`...)
		b = strconv.AppendBool(b, done)
		b = append(b, `,"id":`...)
		b = append(b, quote(newID(taskMade(account), "step", account, i).String())...)
		b = append(b, `,"text":`...)
		b = append(append(b, quote(s)...), '}')
	}
	return append(b, ']')
}

var priorities = words("low normal normal normal high urgent")
