package approvals

import (
	"encoding/json"
	"slices"
	"time"

	"roadbook/errs"
	"roadbook/record"
)

// Step is a node of a flow on its way through one approval.
type Step struct {
	Node   string    `json:"node"`
	State  string    `json:"state"` // waiting, open, approved, rejected, returned, skipped, passed, automatic or left_out
	Mode   string    `json:"mode,omitempty"`
	Who    []Seat    `json:"who,omitempty"`
	Opened time.Time `json:"opened_at,omitzero"`
	Done   time.Time `json:"done_at,omitzero"`
	Passes time.Time `json:"passes_at,omitzero"`    // by itself
	Rises  time.Time `json:"escalates_at,omitzero"` // to whoever is above
	Why    string    `json:"why,omitempty"`
}

// Seat is somebody who is asked, and what he has said.
type Seat struct {
	Person   record.ID `json:"person"`
	For      record.ID `json:"for,omitzero"` // in whose place
	Said     string    `json:"said,omitempty"`
	By       record.ID `json:"by,omitzero"` // who has said it: he, or his deputy
	At       time.Time `json:"at,omitzero"` // when he has, and not when it arrived
	Arrived  time.Time `json:"arrived_at,omitzero"`
	Comment  string    `json:"comment,omitempty"`
	Decision record.ID `json:"decision,omitzero"`
}

// The states of a step.
const (
	waiting   = "waiting"
	open      = "open"
	skipped   = "skipped"
	passed    = "passed"
	automatic = "automatic"
	leftOut   = "left_out"
)

// Case is an approval in hand: what it has come to, and what it is about.
type Case struct {
	plan      *plan
	company   *company
	submitter *member
	subject   *record.Record
	values    map[string]any

	State string
	Steps []Step
	Round int
}

// word is what somebody says.
type word struct {
	said     string
	person   record.ID
	to       record.ID
	comment  string
	decision record.ID
	typed    time.Time
	arrived  time.Time
	system   bool
	many     bool // with others at once
}

// begin opens the flow.
func (c *Case) begin(now time.Time) error {
	c.State, c.Steps = Pending, make([]Step, len(c.plan.Nodes))
	c.Round++
	for i, n := range c.plan.Nodes {
		c.Steps[i] = Step{Node: n.Name, State: waiting, Mode: n.Mode}
	}
	return c.goOn(now)
}

// current is the step that is open, nil if none is.
func (c *Case) current() *Step {
	if i := c.at(); i >= 0 {
		return &c.Steps[i]
	}
	return nil
}

func (c *Case) at() int {
	return slices.IndexFunc(c.Steps, func(s Step) bool { return s.State == open })
}

// goOn opens the next step that asks somebody, or ends the approval.
func (c *Case) goOn(now time.Time) error {
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.State != waiting {
			continue
		}
		if err := c.open(i, now); err != nil {
			return err
		}
		if s.State == open {
			return nil
		}
	}
	c.State = Approved
	return nil
}

// open finds out whom a step asks, if anybody.
func (c *Case) open(i int, now time.Time) error {
	n, s := &c.plan.Nodes[i], &c.Steps[i]
	applies, err := c.plan.nodes[i].when.Holds(c.values)
	if err != nil {
		return err
	}
	s.Opened = now
	if !applies {
		s.State, s.Done = leftOut, now
		return nil
	}
	if c.plan.nodes[i].auto != nil {
		auto, err := c.plan.nodes[i].auto.Holds(c.values)
		if err != nil {
			return err
		}
		if auto {
			s.State, s.Done, s.Why = automatic, now, n.AutoApprove
			return nil
		}
	}
	s.Who, s.Why = c.company.asked(&n.Who, c.submitter, c.subject, now)
	if n.SkipSubmitter {
		s.Who = slices.DeleteFunc(s.Who, func(w Seat) bool { return w.Person == c.submitter.id })
		if len(s.Who) == 0 {
			s.State, s.Done, s.Why = skipped, now, "submitter"
			return nil
		}
	}
	s.State = open
	if n.PassAfter > 0 {
		s.Passes = now.Add(time.Duration(n.PassAfter))
	}
	if n.EscalateAfter > 0 {
		s.Rises = now.Add(time.Duration(n.EscalateAfter))
	}
	return nil
}

// seat is where somebody sits who may decide now, -1 if he may not: his own, or
// that of somebody whose deputy he is.
func (s *Step) seat(person record.ID) int {
	for i, w := range s.Who {
		if w.Person != person || w.Said != "" {
			continue
		}
		if s.Mode != "order" || !s.before(i) {
			return i
		}
	}
	return -1
}

// before reports whether somebody of those who decide one after the other has not
// said anything yet. A deputy and whoever he stands for are one.
func (s *Step) before(i int) bool {
	me := s.Who[i].principal()
	for _, w := range s.Who[:i] {
		if w.Said == "" && w.principal() != me {
			return true
		}
	}
	return false
}

// principal is whose decision a seat is.
func (w *Seat) principal() record.ID {
	if !w.For.IsZero() {
		return w.For
	}
	return w.Person
}

// say takes in what somebody says who may, and goes on. Nothing of it is stale.
func (c *Case) say(w word) error {
	i := c.at()
	s := &c.Steps[i]
	switch w.said {
	case Pass:
		s.State, s.Done = passed, w.arrived
		return c.goOn(w.arrived)
	case Escalate:
		c.escalate(s, w.arrived)
		return nil
	case Skip:
		s.State, s.Done, s.Why = skipped, w.arrived, w.comment
		s.Who = append(s.Who, Seat{Person: w.person, Said: Skip, By: w.person, At: w.typed, Arrived: w.arrived, Comment: w.comment, Decision: w.decision})
		return c.goOn(w.arrived)
	}
	at := s.seat(w.person)
	seat := &s.Who[at]
	seat.Said, seat.By, seat.At, seat.Arrived, seat.Comment, seat.Decision = w.said, w.person, w.typed, w.arrived, w.comment, w.decision
	switch w.said {
	case Forward:
		s.Who[at].For = record.NoID // it is his word that somebody else decides
		s.drop(seat.principal())
		s.ask(Seat{Person: w.to})
	case Add:
		seat.Said, seat.Decision = "", record.NoID // he decides as well
		s.Mode = "all"
		s.ask(Seat{Person: w.to})
	case Reject:
		s.State, s.Done, c.State = Rejected, w.arrived, Rejected
	case Return:
		s.State, s.Done, c.State = Returned, w.arrived, Returned
	case Approve:
		s.drop(seat.principal())
		if s.agreed() {
			s.State, s.Done = Approved, w.arrived
			return c.goOn(w.arrived)
		}
	}
	return nil
}

// escalate asks whoever is above those who have not said anything, and asks those
// no more who have left.
func (c *Case) escalate(s *Step, now time.Time) {
	if !now.Before(s.Rises) {
		s.Rises = time.Time{}
	}
	up := c.company.above(s.Who)
	s.Who = slices.DeleteFunc(s.Who, func(w Seat) bool {
		m := c.company.people[w.Person]
		return w.Said == "" && (m == nil || !m.active)
	})
	if len(up) == 0 && !slices.ContainsFunc(s.Who, func(w Seat) bool { return w.Said == "" }) {
		up, s.Why = c.company.admins(), "nobody"
	}
	for _, id := range up {
		s.ask(Seat{Person: id})
	}
}

// ask asks one more, unless he is asked already.
func (s *Step) ask(seat Seat) {
	if !slices.ContainsFunc(s.Who, func(w Seat) bool { return w.Person == seat.Person && w.Said == "" }) {
		s.Who = append(s.Who, seat)
	}
}

// drop takes away the seats of somebody and his deputies that have said nothing:
// one of them has, or somebody else is to.
func (s *Step) drop(principal record.ID) {
	s.Who = slices.DeleteFunc(s.Who, func(w Seat) bool { return w.Said == "" && w.principal() == principal })
}

// agreed reports whether enough people have said yes.
func (s *Step) agreed() bool {
	if s.Mode != "all" && s.Mode != "order" {
		return slices.ContainsFunc(s.Who, func(w Seat) bool { return w.Said == Approve })
	}
	return !slices.ContainsFunc(s.Who, func(w Seat) bool { return w.Said == "" })
}

// waitsFor lists who must decide now.
func (c *Case) waitsFor() (ids []record.ID) {
	s := c.current()
	if s == nil || !isOpen(c.State) {
		return nil
	}
	for _, w := range s.Who {
		if s.seat(w.Person) >= 0 && !slices.Contains(ids, w.Person) {
			ids = append(ids, w.Person)
		}
	}
	return ids
}

// everybody lists who was ever asked.
func (c *Case) everybody() (ids []record.ID) {
	for _, s := range c.Steps {
		for _, w := range s.Who {
			if !slices.Contains(ids, w.Person) {
				ids = append(ids, w.Person)
			}
		}
	}
	return ids
}

// due is when time next does something, the zero time if never.
func (c *Case) due() time.Time {
	s := c.current()
	switch {
	case s == nil || !isOpen(c.State):
		return time.Time{}
	case s.Rises.IsZero() || !s.Passes.IsZero() && s.Passes.Before(s.Rises):
		return s.Passes
	}
	return s.Rises
}

// may says why somebody may not say something, nil if he may.
func (c *Case) may(w word, roles []string) error {
	const op = "approvals.decide"

	i := c.at()
	s := &c.Steps[i]
	switch w.said {
	case Approve, Reject, Return, Forward, Add:
		if s.seat(w.person) < 0 {
			return errs.New(op, errs.Denied, "this waits for somebody else to decide").Coded("not_approver")
		}
	case Skip:
		if !slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(c.plan.Nodes[i].MaySkip, r) }) {
			return errs.New(op, errs.Denied, "your role may not leave out this step").Coded("not_approver")
		}
		if w.comment == "" {
			return errs.New(op, errs.Invalid, "say why the step is left out").Coded("reason").Of(errs.Field{Field: "comment", Detail: "this must be filled in"})
		}
	case Pass, Escalate:
		if !w.system {
			return errs.New(op, errs.Denied, "time decides this, and nobody else").Coded("not_approver")
		}
	}
	if w.said == Forward || w.said == Add {
		m := c.company.people[w.to]
		switch {
		case m == nil || !m.active:
			return errs.New(op, errs.Invalid, "somebody of this organisation was expected").Coded("owner").Of(errs.Field{Field: "to", Detail: "nobody of that name is here"})
		case slices.ContainsFunc(s.Who, func(o Seat) bool { return o.Person == w.to }):
			return errs.New(op, errs.Clash, "this person is asked already").Coded("asked_already").Of(errs.Field{Field: "to", Detail: "this person is asked already"})
		case len(s.Who) >= MaxSeats:
			return errs.New(op, errs.Invalid, "a step asks at most %d people", MaxSeats).Coded("seats").Of(errs.Field{Field: "to", Detail: "too many are asked already"})
		}
	}
	return nil
}

// MaxSeats is how many people one step asks at most.
const MaxSeats = 50

// saidBy is what time says of an approval at a moment, "" for nothing.
func saidBy(approval *record.Record, at time.Time) (string, error) {
	c := Case{State: approval.Text("state")}
	if err := json.Unmarshal([]byte(approval.Text("steps")), &c.Steps); err != nil {
		return "", err
	}
	s := c.current()
	switch {
	case s == nil:
		return "", nil
	case s.Passes.Truncate(time.Second).Equal(at):
		return Pass, nil
	case s.Rises.Truncate(time.Second).Equal(at):
		return Escalate, nil
	}
	return "", nil
}
