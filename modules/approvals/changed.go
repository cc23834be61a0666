package approvals

import (
	"encoding/json"
	"slices"

	"roadbook/errs"
	"roadbook/record"
)

// changed looks at a record that approvals may be about: what is locked stays as
// it is, what was decided on other figures is decided anew, and what needs an
// approval now gets one.
func (t *turn) changed(was, now *record.Record) error {
	if now.Kind.Scope != "" {
		return nil
	}
	flows, err := t.flows(now.Kind.Name)
	if err != nil || len(flows) == 0 {
		return err
	}
	all, err := t.desk.Below(t.ctx, now.ID, kindApproval)
	if err != nil {
		return err
	}
	busy := map[string]bool{} // codes of flows that need not begin
	for _, a := range all {
		if a.Raw("runs") == nil {
			return nil // it is asked for in this very mutation
		}
		goesOn, err := t.follow(a, was, now)
		if err != nil {
			return err
		}
		busy[a.Text("code")] = busy[a.Text("code")] || goesOn
	}
	if now.State != record.Live {
		return nil
	}
	return t.start(flows, was, now, busy)
}

// follow lets an approval know what its record has become. It reports whether that
// stands for what the record is now, so that there is nothing new to ask.
func (t *turn) follow(a, was, now *record.Record) (bool, error) {
	state := a.Text("state")
	c, err := t.open(a, now)
	if err != nil {
		return false, err
	}
	if now.State != record.Live {
		if isOpen(state) {
			c.State = Withdrawn
			return false, t.keep(a, c, nil)
		}
		return false, nil
	}
	if isOpen(state) {
		if err := t.unlocked(c.plan, a, was, now); err != nil {
			return false, err
		}
	}
	changed := differences(c.plan.Relevant, was, now)
	if len(changed) == 0 {
		return isOpen(state) || state == Approved || sameFacts(a, c.plan.facts(now)), nil
	}
	needed := true
	if c.plan.Start.On == "change" {
		if needed, err = c.plan.start.Holds(c.values); err != nil {
			return false, err
		}
	}
	switch {
	case isOpen(state) && !needed:
		c.State = Withdrawn
		return false, t.keep(a, c, nil)
	case isOpen(state):
		return true, t.again(a, c, Pending, changed)
	case state != Approved || !needed:
		return false, nil
	}
	if closed, err := t.isClosed(c); closed || err != nil {
		return closed, err
	}
	return true, t.again(a, c, Reconfirm, changed)
}

// again asks everybody anew, on other figures.
func (t *turn) again(a *record.Record, c *Case, state string, changed []difference) error {
	if err := c.begin(t.author.Arrived); err != nil {
		return err
	}
	if c.State == Pending {
		c.State = state
	}
	if err := t.keep(a, c, changed); err != nil {
		return err
	}
	t.ended(c)
	return nil
}

// unlocked refuses to change what is locked to whoever knew that it was.
func (t *turn) unlocked(p *plan, a, was, now *record.Record) error {
	if t.author.System || t.author.Returned || !t.desk.Edited(now.ID) || !t.desk.Knew(now.ID, a.Slot("record").By.Seq) {
		return nil
	}
	var wrong []errs.Field
	for _, name := range p.Locked {
		if !same(was.Raw(name), now.Raw(name)) {
			wrong = append(wrong, errs.Field{Field: name, Detail: "it is locked until the approval is decided"})
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return errs.New("approvals.locked", errs.Clash, "this waits for an approval, and cannot be changed before; take that back first").Coded("field_locked").Of(wrong...)
}

// start begins what a change makes necessary.
func (t *turn) start(flows []*record.Record, was, now *record.Record, busy map[string]bool) error {
	for _, f := range flows {
		code := f.Text("code")
		if f.Text("state") != "published" || busy[code] {
			continue
		}
		p, err := t.plan(f, now.Kind)
		if err != nil {
			return err
		}
		if p.Start.On != "change" {
			continue
		}
		needed, err := t.becomesNeeded(p, was, now)
		if err != nil || !needed {
			if err != nil {
				return err
			}
			continue
		}
		busy[code] = true
		owner := t.author.Person
		if owner.IsZero() {
			owner = now.Owner
		}
		t.edits = append(t.edits, record.Edit{
			Op: record.OpCreate, Kind: kindApproval, ID: now.ID.Derive("approval " + code + " " + t.author.Mutation.String()),
			Set: record.Values{reference("record", now.ID), reference("flow", f.ID), reference("owner", owner)},
		})
	}
	return nil
}

// becomesNeeded reports whether a flow begins by a change: it is needed, and was
// not before or on other figures.
func (t *turn) becomesNeeded(p *plan, was, now *record.Record) (bool, error) {
	customer, err := t.customerOf(now)
	if err != nil {
		return false, err
	}
	needed, err := p.start.Holds(p.words.values(now, customer, t.author.Roles))
	if err != nil || !needed || was == nil || was.State != record.Live {
		return needed, err
	}
	before, err := p.start.Holds(p.words.values(was, customer, t.author.Roles))
	return !before || len(differences(p.Relevant, was, now)) > 0, err
}

// differences are the fields that are not what they were.
func differences(fields []string, was, now *record.Record) (all []difference) {
	for _, name := range fields {
		if before := was.Raw(name); !same(before, now.Raw(name)) {
			all = append(all, difference{Field: name, Seen: record.OrNull(before), Now: record.OrNull(now.Raw(name))})
		}
	}
	return all
}

func sameFacts(a *record.Record, now facts) bool {
	var was facts
	if json.Unmarshal([]byte(a.Text("facts")), &was) != nil || len(was) != len(now) {
		return false
	}
	for name, raw := range was {
		if !slices.Equal(raw, now[name]) {
			return false
		}
	}
	return true
}
