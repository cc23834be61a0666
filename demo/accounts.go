package demo

import (
	"fmt"
	"strings"
	"time"

	"roadbook/record"
)

// AccountID is the id of the i-th account, counted from 0. Lin has the first.
func AccountID(i int) record.ID { return newID(won(i), "account", i) }

// ContactID is the id of a person at the i-th account: 0 is who decides, and
// every second account has a 1.
func ContactID(account, i int) record.ID { return newID(met(account, i), "contact", account, i) }

// won is when an account was entered: their numbers go round the days on which
// customers are won, so that a day's can be found without the others.
func won(account int) time.Duration {
	return days(firstDay+account%newDays) + 9*time.Hour + newDice(0, "won", account).upTo(8*time.Hour)
}

// met is when a contact was entered, minutes after the account.
func met(account, i int) time.Duration { return won(account) + time.Duration(3+4*i)*time.Minute }

// contactsOf is how many contacts an account has.
func contactsOf(account int) int { return 1 + account%2 }

// customers appends the accounts that a rep wins on a day, with their contacts.
func (o *Org) customers(r *rep, day int, today []work) []work {
	if day < firstDay || day >= firstDay+newDays {
		return today
	}
	r.each(newDays, day-firstDay, func(i int) {
		f := o.account(r, i).made(r.id, won(i))
		today = append(today, o.create(r.id, "account", AccountID(i), won(i), f))
		for c := range contactsOf(i) {
			today = append(today, o.create(r.id, "contact", ContactID(i, c), met(i, c), o.contact(r, i, c)))
		}
	})
	return today
}

// site is where an account is.
type site struct {
	district district
	street   string
	address  string
	point    point
}

// siteOf gives each district of his city a stretch of a rep's accounts.
func (o *Org) siteOf(r *rep, i int) site {
	if i == customerK {
		return siteK
	}
	d := newDice(o.Seed, "site", i)
	in := r.city.districts[(i-r.first)*len(r.city.districts)/r.held]
	street := pick(d, in.streets)
	return site{in, street, r.city.address(d, in, street), in.around(d)}
}

// account is the content of the i-th account.
func (o *Org) account(r *rep, i int) *form {
	if i == customerK {
		return o.customerK(r)
	}
	d := newDice(o.Seed, "account", i)
	at, kind := o.siteOf(r, i), pick(d, trades)
	brand := pick(d, brands)
	grade := pick(d, []string{"A", "B", "B", "C", "C", "C"})
	stage := pick(d, stages)
	f := o.form(20).text("name", shopName(d, kind, brand, r.city.name, at))
	if d.chance(40) {
		f.text("short_name", brand)
	}
	if kind.company {
		f.text("tax_no", creditCode(d))
	}
	f.text("industry", kind.industry).text("grade", grade)
	f.text("source", pick(d, sources)).text("stage", stage)
	f.list("tags", tagsFor(d, stage)...)
	phones := []string{mobile(d)}
	if d.chance(35) {
		phones = append(phones, landline(d, r.city.name))
	}
	f.list("phones", phones...)
	f.text("address", at.address).raw("location", []byte(at.point.json(d.between(8, 40))))
	if i%23 == 5 {
		f.list("collaborators", r.mate.String())
	}
	if stage == "customer" || stage == "regular" {
		f.number("points", d.n(200)*10)
	}
	o.lastContact(f, r, i)
	f.number("visit_cycle_days", cycleDays[grade])
	if d.chance(60) {
		f.text("remark", blanksFor(d, o.faceOf(i, 0).called()).fill(pick(d, accountRemarks)))
	}
	return f.text("external_ids.erp", fmt.Sprintf("C%06d", i+1))
}

// lastContact is the end of the last visit to an account, if there was one.
func (o *Org) lastContact(f *form, r *rep, i int) {
	if q := r.calls - r.held + i - r.first; q >= 0 {
		f.time("last_contact_at", r.call(q).to)
	}
}

var (
	stages = words(`prospect prospect prospect interested interested interested
		customer customer customer customer customer customer customer
		regular regular regular regular regular regular lost`)
	sources   = words("cold_visit cold_visit cold_visit referral referral exhibition campaign online transfer")
	cycleDays = map[string]int{"A": 14, "B": 21, "C": 30}
)

func tagsFor(d *dice, stage string) []string {
	tags := make([]string, 0, 4)
	for range d.n(4) {
		tags = append(tags, pick(d, accountTags))
	}
	if stage == "regular" {
		tags = append(tags, "老客户")
	}
	return tags
}

// shopName is what stands above the door, or in the register of companies.
func shopName(d *dice, kind trade, brand, city string, at site) string {
	name := brand + pick(d, kind.signs)
	if kind.company {
		return city + name
	}
	switch d.n(3) {
	case 0:
		return strings.TrimSuffix(strings.TrimSuffix(at.district.name, "区"), "新") + name
	case 1:
		return name + "（" + at.street + "店）"
	}
	return name
}

// face is who somebody at an account is.
type face struct {
	surname, given string
	post           post
}

func (o *Org) faceOf(account, i int) face {
	d := newDice(o.Seed, "face", account, i)
	f := face{surname: pick(d, surnames), given: pick(d, givenNames)}
	if i == 0 {
		f.post = posts[d.n(deciders)]
	} else {
		f.post = posts[deciders+d.n(len(posts)-deciders)]
	}
	return f
}

// called is how one speaks of somebody: 王老板.
func (f face) called() string { return f.surname + f.post.called }

// contact is the content of a contact.
func (o *Org) contact(r *rep, account, i int) *form {
	d, who := newDice(o.Seed, "contact", account, i), o.faceOf(account, i)
	f := o.form(14).id("account", AccountID(account))
	f.text("name", who.surname+who.given).text("title", who.post.title).text("role", who.post.role)
	phone := mobile(d)
	f.list("mobiles", phone)
	if d.chance(20) {
		f.text("email", "m"+phone+"@mail.example")
	}
	if d.chance(60) {
		f.text("wechat", "wx_"+phone[3:])
	}
	if d.chance(25) {
		f.text("birthday", fmt.Sprintf("%d-%02d-%02d", d.between(1962, 2001), d.between(1, 12), d.between(1, 28)))
	}
	if d.chance(50) {
		f.list("preference", pick(d, preferences), pick(d, preferences))
	}
	f.yes("is_decision_maker", i == 0)
	if d.chance(3) {
		f.yes("left_company", true)
	}
	return f.made(r.id, met(account, i))
}
