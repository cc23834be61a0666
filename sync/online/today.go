package online

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/query"
	"roadbook/record"
	"roadbook/sync"
)

// Limits of a day at a glance.
const (
	MaxTodayBytes = 30 << 10 // what a phone on 2G gets in a few seconds
	maxTodayRunes = 80       // of a text: it is a line of a list
	maxOfADay     = 1000     // records of one sort that are counted
)

// Today is a person's day at a glance, in no more than MaxTodayBytes of JSON.
type Today struct {
	Day       string     `json:"day"`
	Plan      []Record   `json:"plan"`           // visits planned for the day, in order
	Next      *record.ID `json:"next,omitempty"` // of the plan: the first that is not over
	Tasks     []Record   `json:"tasks"`          // due by the end of the day, also those overdue
	Conflicts []Record   `json:"conflicts"`      // that ask this person to look
	Requests  []Record   `json:"requests"`       // to change what this person's roles answer for
	Approvals []Record   `json:"approvals"`      // that wait for this person
	Reminders []Record   `json:"reminders"`      // that ring on that day, with the time in rings_at
	Accounts  []Record   `json:"accounts"`       // whom the plan and the tasks are about
	Counts    Counts     `json:"counts"`

	LeftOff map[string]int `json:"left_off,omitempty"` // of each list, how many had no room
}

// Counts are how many there are, also of those that had no room; each up to
// 1,000.
type Counts struct {
	Planned   int `json:"planned"`
	Done      int `json:"done"`
	Tasks     int `json:"tasks"`
	Overdue   int `json:"overdue"`
	Conflicts int `json:"conflicts"`
	Requests  int `json:"requests"`
	Approvals int `json:"approvals"`
	Reminders int `json:"reminders"`
}

// What is shown of each sort of record.
var (
	planShows     = []string{"account", "date", "window_from", "window_to", "visit_type", "reason", "order", "status"}
	taskShows     = []string{"title", "account", "opportunity", "due_at", "priority", "status"}
	requestShows  = []string{"record", "about_kind", "field", "asked", "stood", "owner", "created_at"}
	conflictShows = []string{"record", "about_kind", "field", "created_at"}
	approvalShows = []string{"record", "about_kind", "code", "state", "facts", "due_at", "owner", "created_at"}
	reminderShows = []string{"title", "about_kind", "subject", "recurrence"}
	accountShows  = []string{"name", "short_name", "grade", "address", "location", "phones"}
)

// Today is the day of the caller in which an instant falls; where days begin
// and end is its location's to say.
func (s *Service) Today(ctx context.Context, who access.Caller, at time.Time) (out Today, err error) {
	err = s.engine.Look(ctx, who, func(v sync.Sight) error {
		d := &day{s: s, v: v, me: strconv.Quote(who.Person.String()), at: at, days: 1, shows: accountShows}
		if err := d.read(ctx); err != nil {
			return err
		}
		out = d.fit()
		return nil
	})
	return out, err
}

// day is a day in the making, or some of them in a row.
type day struct {
	s     *Service
	v     sync.Sight
	me    string // as a filter writes it
	at    time.Time
	days  int
	shows []string // of customers

	plan, tasks, conflicts, requests, approvals, reminders []Record

	accounts map[string]Record
}

// end is when the last of its days is over.
func (d *day) end() time.Time {
	return time.Date(d.at.Year(), d.at.Month(), d.at.Day()+d.days, 0, 0, 0, 0, d.at.Location())
}

func (d *day) read(ctx context.Context) (err error) {
	end := strconv.Quote(d.end().UTC().Format(time.RFC3339))
	mine := "owner == " + d.me
	dates := ` && date >= ` + strconv.Quote(d.at.Format(time.DateOnly)) + ` && date < ` + strconv.Quote(d.end().Format(time.DateOnly))
	if d.plan, err = d.all(ctx, Query{Kind: "visit_plan", Filter: mine + dates, Sort: "id"}, planShows); err != nil {
		return err
	}
	slices.SortStableFunc(d.plan, inOrder)
	open := ` && status in ["open", "doing"] && due_at < timestamp(` + end + ")"
	if d.tasks, err = d.all(ctx, Query{Kind: "task", Filter: mine + open, Sort: "due_at"}, taskShows); err != nil {
		return err
	}
	if d.conflicts, err = d.all(ctx, Query{Kind: "conflict", Filter: mine + ` && state == "open"`}, conflictShows); err != nil {
		return err
	}
	if d.requests, err = d.readRequests(ctx); err != nil {
		return err
	}
	waiting := d.me + ` in waiting && state in ["pending", "needs_reconfirm"]`
	if d.approvals, err = d.all(ctx, Query{Kind: "approval", Filter: waiting, Sort: "id"}, approvalShows); err != nil {
		return err
	}
	if d.reminders, err = d.readReminders(ctx, mine); err != nil {
		return err
	}
	return d.readAccounts(ctx)
}

// readRequests are those that wait for somebody with a role of this person. A
// request is no conflict, and in nobody's inbox: this is where he meets it.
func (d *day) readRequests(ctx context.Context) ([]Record, error) {
	if len(d.v.Actor.Roles) == 0 {
		return nil, nil
	}
	roles := make([]string, len(d.v.Actor.Roles))
	for i, role := range d.v.Actor.Roles {
		roles[i] = strconv.Quote(role)
	}
	filter := `state == "open" && by in [` + strings.Join(roles, ", ") + "]"
	return d.all(ctx, Query{Kind: "request", Filter: filter, Sort: "id"}, requestShows)
}

// all lists up to maxOfADay records. Of a kind that is not for this person, or
// that his org has not, or not with these fields, there are none.
func (d *day) all(ctx context.Context, q Query, shows []string) ([]Record, error) {
	q.Limit = query.MaxLimit
	var out []Record
	for {
		page, err := d.s.list(ctx, d.v, q)
		switch code := errs.CodeOf(err); {
		case code == "missing" || code == "filter" || code == "sort":
			return nil, nil
		case err != nil:
			return nil, err
		}
		for _, r := range page.Records {
			out = append(out, brief(r, shows))
		}
		if q.After = page.After; q.After == "" || len(out) >= maxOfADay {
			return out, nil
		}
	}
}

// brief is a record as a line of a list.
func brief(r Record, shows []string) Record {
	out := Record{Kind: r.Kind, ID: r.ID, Seq: r.Seq, Values: record.Values{}}
	for _, name := range shows {
		if raw := r.Values.Get(name); !record.IsNull(raw) {
			out.Values = append(out.Values, record.Value{Field: name, Raw: short(raw)})
		}
	}
	return out
}

// short cuts a long text.
func short(raw json.RawMessage) json.RawMessage {
	var text string
	if len(raw) <= maxTodayRunes || json.Unmarshal(raw, &text) != nil {
		return raw
	}
	if runes := []rune(text); len(runes) > maxTodayRunes {
		return record.AppendString(nil, string(runes[:maxTodayRunes])+"…")
	}
	return raw
}

// inOrder is the order in which visits were planned: by number, then by time.
func inOrder(a, b Record) int {
	if day := cmp.Compare(a.Values.Text("date"), b.Values.Text("date")); day != 0 {
		return day
	}
	x, errA := strconv.ParseFloat(string(a.Values.Get("order")), 64)
	y, errB := strconv.ParseFloat(string(b.Values.Get("order")), 64)
	switch {
	case errA == nil && errB != nil:
		return -1
	case errA != nil && errB == nil:
		return 1
	}
	return cmp.Or(cmp.Compare(x, y), cmp.Compare(a.Values.Text("window_from"), b.Values.Text("window_from")), slices.Compare(a.ID[:], b.ID[:]))
}

// readAccounts reads whom the day is about, as far as this person sees them.
func (d *day) readAccounts(ctx context.Context) error {
	d.accounts = map[string]Record{}
	var ids []record.ID
	for _, r := range slices.Concat(d.plan, d.tasks) {
		if id, err := record.ParseID(r.Values.Text("account")); err == nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	rows, err := d.v.Tx.Records(ctx, ids)
	if err != nil {
		return err
	}
	for i := range rows {
		rec, err := rows[i].Record(d.v.Schema)
		if err != nil {
			return err
		}
		if rec.State == record.Live && d.v.Actor.Sees(rec.Kind, rec.Scopes) {
			d.accounts[rec.ID.String()] = brief(project(rec, d.v.Actor), d.shows)
		}
	}
	return nil
}

// over are the states in which a planned visit asks for nothing any more.
var over = []string{"done", "missed", "cancelled", "rescheduled"}

// fit puts as much as there is room for into the answer: the plan with its
// accounts first, then the tasks with theirs, then what waits for a decision, what
// rings, what clashed and what is asked for.
func (d *day) fit() Today {
	t := Today{Day: d.at.Format(time.DateOnly), Counts: d.counts(), Next: d.next()}
	p := d.packing(MaxTodayBytes)
	t.Plan = p.put("plan", d.plan)
	t.Tasks = p.put("tasks", d.tasks)
	t.Approvals = p.put("approvals", d.approvals)
	t.Reminders = p.put("reminders", d.reminders)
	t.Conflicts = p.put("conflicts", d.conflicts)
	t.Requests = p.put("requests", d.requests)
	t.Accounts, t.LeftOff = p.accounts, p.left
	return t
}

func (d *day) counts() Counts {
	c := Counts{
		Planned: len(d.plan), Tasks: len(d.tasks), Conflicts: len(d.conflicts), Requests: len(d.requests), Approvals: len(d.approvals), Reminders: len(d.reminders),
	}
	for _, r := range d.plan {
		if r.Values.Text("status") == "done" {
			c.Done++
		}
	}
	now := d.at.UTC().Format(time.RFC3339)
	for _, r := range d.tasks {
		if r.Values.Text("due_at") < now {
			c.Overdue++
		}
	}
	return c
}

// next is the first visit of the plan that is not over.
func (d *day) next() *record.ID {
	for i := range d.plan {
		if !slices.Contains(over, d.plan[i].Values.Text("status")) {
			return &d.plan[i].ID
		}
	}
	return nil
}

// around is how much of an answer stands around its lists.
const around = 1024

// packing is an answer that has room for so much.
type packing struct {
	d        *day
	room     int
	accounts []Record
	left     map[string]int
}

func (d *day) packing(most int) *packing {
	return &packing{d: d, room: most - around, accounts: []Record{}}
}

// put lists records, each with its account, until one does not fit; and counts
// those that are left off.
func (p *packing) put(name string, from []Record) []Record {
	to := []Record{}
	for _, r := range from {
		account, found := p.d.accounts[r.Values.Text("account")]
		fresh := found && !slices.ContainsFunc(p.accounts, func(a Record) bool { return a.ID == account.ID })
		if fresh {
			p.room -= size(account)
		}
		if p.room -= size(r); p.room < 0 {
			break
		}
		to = append(to, r)
		if fresh {
			p.accounts = append(p.accounts, account)
		}
	}
	if left := len(from) - len(to); left > 0 {
		if p.left == nil {
			p.left = map[string]int{}
		}
		p.left[name] = left
	}
	return to
}

// size is how much of the answer a record takes.
func size(r Record) int {
	text, err := json.Marshal(r)
	if err != nil {
		return MaxMorningBytes
	}
	return len(text) + 1
}
