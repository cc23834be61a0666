package demo

import (
	"slices"

	"roadbook/access"
	"roadbook/record"
)

// rep is what the making of a rep's records needs to know of him.
type rep struct {
	Person
	id    record.ID
	no    int    // among the reps
	lead  string // login of his team's manager
	mate  record.ID
	city  city
	days  []int // his workdays until yesterday
	first int   // his first account
	held  int   // how many he has
	calls int   // his visits until yesterday
	talks int   // his follow-ups
}

// Lin has 420 of the demo's accounts, and 14 in a hundred of a smaller org's.
const (
	linAccounts = 420
	linPercent  = 14
)

// hire deals accounts, visits and follow-ups to the reps: accounts in blocks of
// uneven size, the daily work evenly.
func hire(opt Options) []*rep {
	var reps []*rep
	for _, p := range people {
		if slices.Contains(p.Roles, string(access.Rep)) {
			reps = append(reps, &rep{Person: p, id: PersonID(p.Login), no: len(reps)})
		}
	}
	shares := make([]int, len(reps)) // of the accounts that lin leaves, summed up
	for i := 1; i < len(reps); i++ {
		shares[i] = shares[i-1] + newDice(0, "share", i).between(60, 140)
	}
	lins := min(linAccounts, opt.Accounts*linPercent/100)
	rest, all := opt.Accounts-lins, shares[len(shares)-1]
	for i, r := range reps {
		r.lead = units[slices.IndexFunc(units, func(u Unit) bool { return u.Key == r.Unit })].Manager
		r.city = cities[r.City]
		r.days = workdays(i)
		r.calls = dealt(opt.Visits, i, len(reps))
		r.talks = dealt(opt.FollowUps, i, len(reps))
		r.held = lins
		if i > 0 {
			r.first = lins + rest*shares[i-1]/all
			r.held = lins + rest*shares[i]/all - r.first
		}
		r.mate = mateOf(reps, i)
	}
	return reps
}

// mateOf is the next rep of the same team, with whom some accounts are shared.
func mateOf(reps []*rep, i int) record.ID {
	for n := 1; n < len(reps); n++ {
		if m := reps[(i+n)%len(reps)]; m.Unit == reps[i].Unit {
			return m.id
		}
	}
	return record.NoID
}

// dealt is how many of the things the i-th of so many gets.
func dealt(things, i, among int) int { return (things + among - 1 - i) / among }

// rep finds a rep by login, or nil.
func (o *Org) rep(login string) *rep {
	i := slices.IndexFunc(o.reps, func(r *rep) bool { return r.Login == login })
	if i < 0 {
		return nil
	}
	return o.reps[i]
}

// stop is the account that a rep calls on with his q-th visit. He goes round
// his accounts in order, in such a way that today begins with the first: they
// lie by district, so that a day's visits are near each other.
func (r *rep) stop(q int) int {
	return r.first + ((q-r.calls)%r.held+r.held)%r.held
}

// each calls fn for those of his accounts whose number leaves a remainder.
func (r *rep) each(divisor, remainder int, fn func(account int)) {
	begin := r.first + ((remainder-r.first)%divisor+divisor)%divisor
	for i := begin; i < r.first+r.held; i += divisor {
		fn(i)
	}
}
