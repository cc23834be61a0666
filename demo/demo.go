// Package demo makes the demo org: a company that sells food and drinks to
// shops and restaurants in eight Chinese cities, with 40 people, 3,000
// accounts and half a year of visits. It is pure: it hands out proposals, and
// whoever seeds an org commits them like anybody's work.
//
// The same options make the same proposals, byte for byte. Everything is drawn
// from the name of the thing that is made, never from what was made before it,
// so a million records stream by without being kept, and one record can be
// named without making the others: AccountID(0) is the same for every midnight,
// every seed and every size.
package demo

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"roadbook/record"
)

// Name is the org's name at sign-in.
const Name = "demo"

// Password is everybody's.
const Password = "roadbook"

// Item is one action of one person. Its mutation has an id, a stamp and one
// edit; its number and the schema's version are for whoever commits it.
//
// A record comes as one create in its final state, stamped with the time at
// which it was last touched. Only units are edited afterwards, to name their
// managers, because a manager's own record names his unit. The author is
// always the same for both, and one person's stamps never go back.
type Item struct {
	Person   record.ID
	Mutation record.Mutation
}

// Options say when and how large.
type Options struct {
	// Midnight is the beginning of the org's today, in the org's own zone: work
	// lies before it, plans reach 14 days beyond.
	Midnight time.Time
	// Seed draws other words and numbers for the same records.
	Seed uint64
	// Accounts, Visits and FollowUps are how many there are; contacts,
	// opportunities, plans and tasks follow from them. Without accounts the
	// sizes are those of the demo.
	Accounts, Visits, FollowUps int
}

// The sizes of the demo, and the least at which every rep has accounts.
const (
	demoAccounts  = 3_000
	demoVisits    = 18_000
	demoFollowUps = 12_000
	minAccounts   = 100
)

// zone is where the demo org works. China has had no summer time since 1991.
var zone = time.FixedZone("CST", 8*60*60)

// Midnight is the beginning of the day in the zone of the demo org.
func Midnight(now time.Time) time.Time {
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}

// Org is the demo org as a plan of what there will be; it holds no records.
type Org struct {
	Options
	reps []*rep
}

// New plans an org. Fewer than 100 accounts become 100.
func New(opt Options) *Org {
	if opt.Accounts == 0 {
		opt.Accounts, opt.Visits, opt.FollowUps = demoAccounts, demoVisits, demoFollowUps
	}
	opt.Accounts = max(opt.Accounts, minAccounts)
	return &Org{Options: opt, reps: hire(opt)}
}

// Proposals makes everything, parents before children: the founding by the
// administrator, then day after day, and within a day person after person.
func (o *Org) Proposals() iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for _, w := range o.founding() {
			if !yield(w.Item) {
				return
			}
		}
		var today []work
		for day := firstDay; day < 0; day++ {
			for _, p := range people {
				today = o.workOf(p, day, today[:0])
				for _, w := range today {
					if !yield(w.Item) {
						return
					}
				}
				clear(today)
			}
		}
	}
}

// workOf appends what one person does on one day, in the order of his doing it.
func (o *Org) workOf(p Person, day int, today []work) []work {
	if r := o.rep(p.Login); r != nil {
		today = o.customers(r, day, today)
		today = o.deals(r, day, today)
		today = o.tasks(r, PersonID(p.Login), day, today)
		today = o.plans(r, day, today)
		today = o.visits(r, day, today)
		today = o.followUps(r, day, today)
	}
	for _, r := range o.reps {
		if r.lead == p.Login {
			today = o.tasks(r, PersonID(p.Login), day, today)
		}
	}
	slices.SortStableFunc(today, func(a, b work) int { return cmp.Compare(a.at, b.at) })
	return today
}

// Scale is the options for an org of so many records in all, some ten visits
// and follow-ups to an account. Fewer than about two thousand are not to be
// had: 40 people plan their days.
func Scale(records int) Options {
	const (
		aside      = 2_300 // people, products and the plans of the days ahead
		perAccount = 13    // an account, what hangs on it, and ten visits and follow-ups
		visits     = 6     // of these ten
	)
	opt := Options{Accounts: max(minAccounts, (records-aside)/perAccount)}
	opt.Visits = opt.Accounts * visits
	opt.FollowUps = max(0, records-New(opt).Records())
	return opt
}

// Records is how many records the proposals create.
func (o *Org) Records() int {
	n := len(units) + len(people) + len(products)
	n += o.Accounts
	n += o.Accounts + o.Accounts/2 // contacts: one each, and a second at every other
	n += ceil(o.Accounts-dealAccount, everyFifth)
	n += ceil(o.Accounts-taskAccount, everyFifth)
	return n + o.planCount() + o.Visits + o.FollowUps
}

func (o *Org) planCount() int {
	n := 0
	for _, r := range o.reps {
		for day := -planDays; day <= planDays; day++ {
			switch {
			case day >= 0:
				n += o.ahead(r, day)
			case !rests(r.no, day):
				from, to := r.spread(r.calls, day)
				n += to - from
				if missed(day) {
					n++
				}
			}
		}
	}
	return n
}
