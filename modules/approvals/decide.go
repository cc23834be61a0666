package approvals

import (
	"encoding/json"
	"slices"
	"time"

	"roadbook/errs"
	"roadbook/record"
)

// Told is what an approver is told whose decision did not count.
type Told struct {
	State string          `json:"state"`          // of the approval
	Said  string          `json:"said,omitempty"` // what was decided before
	By    record.ID       `json:"by,omitzero"`
	At    time.Time       `json:"at,omitzero"`
	Diffs json.RawMessage `json:"changed,omitempty"`
}

// decided judges what somebody says.
func (t *turn) decided(was, now *record.Record) error {
	const op = "approvals.decide"

	if was != nil || now.State != record.Live {
		if t.desk.Edited(now.ID) && !t.author.System {
			return errs.New(op, errs.Denied, "what was decided stays; decide anew").Coded("approval")
		}
		return nil
	}
	approval, err := t.desk.Record(t.ctx, now.Ref("approval"))
	if err != nil {
		return err
	}
	if approval == nil || approval.State != record.Live {
		return errs.New(op, errs.Missing, "what this decides is not there").Coded("missing")
	}
	subject, err := t.desk.Record(t.ctx, approval.Parent)
	if err != nil {
		return err
	}
	c, err := t.open(approval, subject)
	if err != nil {
		return err
	}
	to := now.Ref("to")
	w := word{
		said: now.Text("decision"), person: t.author.Person, to: to, comment: now.Text("comment"), decision: now.ID,
		typed: t.author.Typed, arrived: t.author.Arrived, system: t.author.System, many: string(now.Raw("many")) == "true",
	}
	outcome, told, changed, err := t.judge(c, approval, now, w)
	if err != nil {
		return err
	}
	if seen := t.desk.Seen(now.ID); len(seen) > 0 {
		t.set(now, text("seen_version", string(seen.AppendJSON(nil))))
	}
	t.set(now, text("outcome", outcome))
	if told != nil {
		said, err := document("told", told)
		if err != nil {
			return err
		}
		t.set(now, said)
	}
	if outcome == Late || outcome == Alone {
		return nil
	}
	if err := t.keep(approval, c, changed); err != nil {
		return err
	}
	t.ended(c)
	return nil
}

// judge says what becomes of a word, and lets it count if it does.
func (t *turn) judge(c *Case, approval, decision *record.Record, w word) (outcome string, told *Told, changed []difference, err error) {
	if w.said == Withdraw {
		outcome, told, err = t.withdraw(c, approval, w)
		return outcome, told, nil, err
	}
	if w.said == Reject && c.takesBack(w) {
		return Counted, nil, nil, nil
	}
	if !isOpen(c.State) || !c.isNow(decision, w) {
		reopened, err := t.reopen(c, w)
		if err != nil {
			return "", nil, nil, err
		}
		if reopened {
			return Counted, nil, nil, nil
		}
		if isOpen(c.State) && !c.wasAsked(w.person) && !w.system {
			return "", nil, nil, c.may(w, t.author.Roles)
		}
		return Late, c.decidedBy(), nil, nil
	}
	if err := c.may(w, t.author.Roles); err != nil {
		return "", nil, nil, err
	}
	if w.many {
		alone, err := t.isAlone(c)
		if alone || err != nil {
			return Alone, &Told{State: c.State}, nil, err
		}
	}
	if !w.system && !t.author.Returned && (w.said == Approve || w.said == Reject || w.said == Return) {
		if changed, err = t.unseen(c, decision); err != nil {
			return "", nil, nil, err
		}
	}
	if len(changed) > 0 {
		c.State = Reconfirm
		diffs, err := json.Marshal(changed)
		return Again, &Told{State: Reconfirm, Diffs: diffs}, changed, err
	}
	c.State = Pending
	return Counted, nil, nil, c.say(w)
}

// unseen lists the relevant fields that are not what somebody had before him when
// he decided.
func (t *turn) unseen(c *Case, decision *record.Record) (changed []difference, err error) {
	for _, name := range c.plan.Relevant {
		seen, err := t.desk.OnScreen(t.ctx, decision.ID, c.subject, name)
		if err != nil {
			return nil, err
		}
		if now := c.subject.Raw(name); !same(seen, now) {
			changed = append(changed, difference{Field: name, Seen: record.OrNull(seen), Now: record.OrNull(now)})
		}
	}
	return changed, nil
}

// isAlone reports whether the open step is not to be decided with many at once.
func (t *turn) isAlone(c *Case) (bool, error) {
	alone := c.plan.nodes[c.at()].alone
	if alone == nil {
		return false, nil
	}
	return alone.Holds(c.values)
}

// withdraw takes back what was asked. An approval of which whoever asked did not
// know does not hold him up.
func (t *turn) withdraw(c *Case, approval *record.Record, w word) (string, *Told, error) {
	if w.person != approval.Owner && !w.system {
		return "", nil, errs.New("approvals.decide", errs.Denied, "only whoever has asked can take it back").Coded("not_approver")
	}
	ended, err := t.isClosed(c)
	if err != nil {
		return "", nil, err
	}
	if !isOpen(c.State) && (c.State != Approved || ended) {
		return Late, c.decidedBy(), nil
	}
	c.State = Withdrawn
	return Counted, nil, nil
}

func (t *turn) isClosed(c *Case) (bool, error) {
	if c.plan.closed == nil {
		return false, nil
	}
	return c.plan.closed.Holds(c.values)
}

// reopen lets a no count that was said before time has passed the step, and has
// come only now, if the flow says so and it is not too late.
func (t *turn) reopen(c *Case, w word) (bool, error) {
	if w.said != Reject || c.plan.LateReject == "note" || c.State != Approved && !isOpen(c.State) {
		return false, nil
	}
	i := slices.IndexFunc(c.Steps, func(s Step) bool {
		return s.State == passed && w.typed.Before(s.Done) && s.seat(w.person) >= 0
	})
	if i < 0 {
		return false, nil
	}
	if closed, err := t.isClosed(c); closed || err != nil {
		return false, err
	}
	c.reject(i, c.Steps[i].seat(w.person), w)
	return true, nil
}

// reject ends an approval at a step that may have been over.
func (c *Case) reject(step, seat int, w word) {
	s := &c.Steps[step]
	s.Who[seat] = Seat{
		Person: s.Who[seat].Person, For: s.Who[seat].For, Said: Reject, By: w.person, At: w.typed, Arrived: w.arrived, Comment: w.comment, Decision: w.decision,
	}
	s.State, s.Done, c.State = Rejected, w.arrived, Rejected
	for i := step + 1; i < len(c.Steps); i++ {
		c.Steps[i] = Step{Node: c.Steps[i].Node, State: waiting, Mode: c.plan.Nodes[i].Mode}
	}
}

// takesBack lets a no count of somebody whose yes has arrived with it: of both at
// once the no is meant.
func (c *Case) takesBack(w word) bool {
	for i := range c.Steps {
		for k, seat := range c.Steps[i].Who {
			if seat.By == w.person && seat.Said == Approve && seat.Arrived.Equal(w.arrived.UTC()) {
				c.reject(i, k, w)
				return true
			}
		}
	}
	return false
}

// isNow reports whether a word is about the step that is open: nobody who has been
// asked before has said it.
func (c *Case) isNow(decision *record.Record, w word) bool {
	i := c.at()
	if i < 0 {
		return false
	}
	if raw := decision.Raw("step"); !record.IsNull(raw) && numberIn(decision, "step") != int64(i) {
		return false
	}
	if w.system || w.said == Skip {
		return true
	}
	return c.Steps[i].seat(w.person) >= 0 || !c.wasAsked(w.person)
}

func (c *Case) wasAsked(person record.ID) bool { return slices.Contains(c.everybody(), person) }

// decidedBy is who has decided last, and what.
func (c *Case) decidedBy() *Told {
	told := &Told{State: c.State}
	for _, s := range c.Steps {
		for _, w := range s.Who {
			if w.Said != "" && !w.Arrived.Before(told.At) {
				told.Said, told.By, told.At = w.Said, w.By, w.At
			}
		}
		if s.State == passed && told.By.IsZero() {
			told.Said, told.At = Pass, s.Done
		}
	}
	return told
}
