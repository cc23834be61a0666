package online

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"roadbook/access"
	"roadbook/record"
	"roadbook/record/reminder"
	"roadbook/rules"
	"roadbook/sync"
)

// Limits of the morning pack.
const (
	MaxMorningBytes = 256 << 10 // what a mini-program is fetched in the background
	morningDays     = 2         // it is fetched every twelve hours: what is needed today, and tomorrow before the next
)

// Morning is what somebody needs of his next two days without a network, in no
// more than MaxMorningBytes of JSON. What has no room is cut from the end of this
// order: plan, approvals, tasks, reminders, contacts; a record stands there with
// its customer or not at all.
type Morning struct {
	Day       string     `json:"day"`
	Until     string     `json:"until"` // the last day
	Plan      []Record   `json:"plan"`
	Next      *record.ID `json:"next,omitempty"`
	Approvals []Record   `json:"approvals"`
	Tasks     []Record   `json:"tasks"`
	Reminders []Record   `json:"reminders"`
	Accounts  []Record   `json:"accounts"`
	Contacts  []Record   `json:"contacts"` // of the customers of the plan
	Counts    Counts     `json:"counts"`

	LeftOff map[string]int `json:"left_off,omitempty"`
}

// What is shown of customers and their contacts: enough to go there.
var (
	visitedShows = []string{
		"name", "short_name", "grade", "stage", "industry", "tags", "address", "location", "phones", "last_contact_at", "remark",
	}
	contactShows = []string{"account", "name", "title", "role", "mobiles", "wechat", "is_decision_maker", "birthday"}
)

// Morning is the pack of the caller for the day in which an instant falls, and the
// next one.
func (s *Service) Morning(ctx context.Context, who access.Caller, at time.Time) (out Morning, err error) {
	err = s.engine.Look(ctx, who, func(v sync.Sight) error {
		d := &day{s: s, v: v, me: strconv.Quote(who.Person.String()), at: at, days: morningDays, shows: visitedShows}
		if err := d.read(ctx); err != nil {
			return err
		}
		contacts, err := d.readContacts(ctx)
		if err != nil {
			return err
		}
		p := d.packing(MaxMorningBytes)
		out = Morning{Day: at.Format(time.DateOnly), Until: d.end().AddDate(0, 0, -1).Format(time.DateOnly), Next: d.next(), Counts: d.counts()}
		out.Plan = p.put("plan", d.plan)
		out.Approvals = p.put("approvals", d.approvals)
		out.Tasks = p.put("tasks", d.tasks)
		out.Reminders = p.put("reminders", d.reminders)
		out.Contacts = p.put("contacts", contacts)
		out.Accounts, out.LeftOff = p.accounts, p.left
		return nil
	})
	return out, err
}

// readContacts are those of the customers of the plan, in its order.
func (d *day) readContacts(ctx context.Context) (all []Record, err error) {
	var accounts []string
	for _, r := range d.plan {
		if id := r.Values.Text("account"); id != "" && !slices.Contains(accounts, id) {
			accounts = append(accounts, id)
		}
	}
	for some := range slices.Chunk(accounts, rules.MaxList/4) { // which a filter holds by its length as well
		quoted := make([]string, len(some))
		for i, id := range some {
			quoted[i] = strconv.Quote(id)
		}
		found, err := d.all(ctx, Query{Kind: "contact", Filter: "account in [" + strings.Join(quoted, ", ") + "]", Sort: "id"}, contactShows)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(found, func(a, b Record) int {
			return slices.Index(accounts, a.Values.Text("account")) - slices.Index(accounts, b.Values.Text("account"))
		})
		all = append(all, found...)
	}
	return all, nil
}

// readReminders are those that ring before the days are over, or should have, with
// the time at which they do.
func (d *day) readReminders(ctx context.Context, mine string) (due []Record, err error) {
	all, err := d.all(ctx, Query{Kind: reminder.Kind, Filter: mine + " && done_at == null", Sort: "at"}, append(
		[]string{"at", "zone", "snoozed_until", "fired_until", "rings_on", "owner"}, reminderShows...))
	if err != nil {
		return nil, err
	}
	type ring struct {
		Record
		at time.Time
	}
	var rings []ring
	for _, r := range all {
		read, err := reminder.Read(r.Values)
		if err != nil {
			continue // it is from before, and rings nowhere
		}
		at, is := read.Due(d.at)
		if !is {
			at, is = read.Next(d.at)
		}
		if !is || !at.Before(d.end()) {
			continue
		}
		shown := brief(r, reminderShows)
		shown.Values = append(shown.Values, record.Value{Field: "rings_at", Raw: record.AppendString(nil, at.UTC().Format(time.RFC3339))})
		rings = append(rings, ring{shown, at})
	}
	slices.SortStableFunc(rings, func(a, b ring) int { return a.at.Compare(b.at) })
	for _, r := range rings {
		due = append(due, r.Record)
	}
	return due, nil
}
