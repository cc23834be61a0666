package demo

import (
	"strconv"
	"time"

	"roadbook/record"
)

// Every fifth account has an opportunity, and every fifth, another one, a task.
const (
	everyFifth  = 5
	dealAccount = 1 // the remainder of those with an opportunity
)

func hasOpportunity(account int) bool { return account%everyFifth == dealAccount }

// OpportunityID is the id of the opportunity at an account whose number leaves
// 1 when divided by 5.
func OpportunityID(account int) record.ID {
	return newID(dealFound(account), "opportunity", account)
}

// dealFound is when an opportunity was noted: up to three days ago.
func dealFound(account int) time.Duration {
	const span = -firstVisit - 12
	return days(firstVisit+10+account*37%span) + 10*time.Hour + newDice(0, "deal", account).upTo(7*time.Hour)
}

// dealTouched is when an opportunity took on its present state.
func dealTouched(account int) time.Duration {
	found := dealFound(account)
	day := newDice(0, "deal touched", account).between(dayOf(found), -1)
	if day == dayOf(found) {
		return found
	}
	return found + days(day-dayOf(found))
}

// deals appends the opportunities that a rep last touched on a day.
func (o *Org) deals(r *rep, day int, today []work) []work {
	if day < firstVisit {
		return today
	}
	r.each(everyFifth, dealAccount, func(i int) {
		at := dealTouched(i)
		if dayOf(at) == day {
			f := o.opportunity(i, day).made(r.id, dealFound(i))
			today = append(today, o.create(r.id, "opportunity", OpportunityID(i), at, f))
		}
	})
	return today
}

// opportunity is the content of the one at an account.
func (o *Org) opportunity(account, day int) *form {
	d := newDice(o.Seed, "opportunity", account)
	stage := pick(d, dealStages)
	if account == opportunityO {
		stage = "qualified"
	}
	said := blanksFor(d, o.faceOf(account, 0).called())
	goods, fen := o.goods(d, account)
	f := o.form(16).id("account", AccountID(account)).text("name", said.fill(pick(d, dealNames)))
	f.raw("amount", amount(fen)).text("stage", stage)
	closed := stage == "won" || stage == "lost"
	if stage == "negotiation" {
		f.number("probability_override", d.between(10, 18)*5)
	}
	if closed {
		f.date("close_date", day)
	} else {
		f.date("close_date", d.between(5, 75))
	}
	if d.chance(45) {
		f.list("competitors", said.rival)
	}
	f.raw("products", goods).list("decision_people", ContactID(account, 0).String())
	if !closed {
		f.text("next_step", said.fill(pick(d, nextSteps)))
		f.time("next_step_at", days(d.between(1, 12))+10*time.Hour)
		f.text("win_plan", said.fill(pick(d, winPlans)))
	}
	if stage == "lost" {
		f.text("loss_reason", pick(d, lossReasons))
	}
	return f
}

// goods draws the rows of an opportunity and what they come to, in fen.
func (o *Org) goods(d *dice, account int) (rows []byte, fen int) {
	rows = append(make([]byte, 0, 512), '[')
	first, n := d.n(len(products)), d.between(1, 4)
	for i := range n {
		no := (first + i*7) % len(products)
		quantity := d.between(2, 40) * 5
		fen += quantity * products[no].fen
		if i > 0 {
			rows = append(rows, ',')
		}
		rows = append(rows, `{"id":`...)
		rows = append(rows, quote(newID(dealFound(account), "goods", account, i).String())...)
		rows = append(rows, `,"price":`...)
		rows = append(rows, amount(products[no].fen)...)
		rows = append(rows, `,"product":`...)
		rows = append(rows, quote(ProductID(no).String())...)
		rows = append(rows, `,"quantity":`...)
		rows = strconv.AppendInt(rows, int64(quantity), 10)
		rows = append(rows, '}')
	}
	return append(rows, ']'), fen
}

var (
	dealStages = words(`lead lead qualified qualified qualified proposal proposal proposal
		negotiation negotiation won won won lost lost`)
	lossReasons = words("price price competitor competitor budget timing product other")
)
