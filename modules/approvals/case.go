package approvals

import (
	"encoding/json"
	"fmt"
	"slices"

	"roadbook/errs"
	"roadbook/record"
)

// open takes an approval in hand, with the flow that it goes by. subject may be
// another version of the record than the one that stands.
func (t *turn) open(approval, subject *record.Record) (*Case, error) {
	flow, err := t.desk.Record(t.ctx, approval.Ref("runs"))
	if err != nil {
		return nil, err
	}
	if flow == nil || subject == nil {
		return nil, errs.New("approvals.open", errs.Missing, "what this approval goes by is not there").Coded("missing")
	}
	p, err := t.plan(flow, subject.Kind)
	if err != nil {
		return nil, err
	}
	c, err := t.newCase(p, subject, approval.Owner)
	if err != nil {
		return nil, err
	}
	c.State, c.Round = approval.Text("state"), int(numberIn(approval, "round"))
	if err := json.Unmarshal([]byte(approval.Text("steps")), &c.Steps); err != nil {
		return nil, fmt.Errorf("the steps of an approval cannot be read: %w", err)
	}
	return c, nil
}

func (t *turn) newCase(p *plan, subject *record.Record, submitter record.ID) (*Case, error) {
	company, err := readCompany(t.ctx, t.desk)
	if err != nil {
		return nil, err
	}
	var customer *record.Record
	if subject.Root != subject.ID {
		if customer, err = t.desk.Record(t.ctx, subject.Root); err != nil {
			return nil, err
		}
	}
	who := company.people[submitter]
	if who == nil {
		who = &member{id: submitter}
	}
	return &Case{plan: p, company: company, submitter: who, subject: subject, values: p.words.values(subject, customer, who.roles)}, nil
}

// keep has the server write what an approval has come to.
func (t *turn) keep(approval *record.Record, c *Case, changed []difference, more ...record.Value) error {
	steps, err := document("steps", c.Steps)
	if err != nil {
		return err
	}
	known, err := document("facts", c.plan.facts(c.subject))
	if err != nil {
		return err
	}
	differs := text("changed", "")
	if len(changed) > 0 {
		if differs, err = document("changed", changed); err != nil {
			return err
		}
	}
	locked := text("locked", "")
	if isOpen(c.State) && len(c.plan.Locked) > 0 {
		if locked, err = document("locked", c.plan.Locked); err != nil {
			return err
		}
	}
	set := append(record.Values{
		text("state", c.State), steps, known, differs, locked, number("round", int64(c.Round)), instant("due_at", c.due()),
	}, more...)
	if isOpen(c.State) {
		set = append(set, text("decided_at", ""))
	} else {
		set = append(set, instant("decided_at", t.author.Arrived))
	}
	e := record.Edit{Op: record.OpEdit, Kind: kindApproval, ID: approval.ID, Set: set}
	waits, was := c.waitsFor(), refs(approval, "waiting")
	if gone := without(was, waits); len(gone) > 0 {
		e.Remove = append(e.Remove, record.Value{Field: "waiting", Raw: people(gone)})
	}
	if come := without(waits, was); len(come) > 0 {
		e.Add = append(e.Add, record.Value{Field: "waiting", Raw: people(come)})
	}
	if come := without(c.everybody(), refs(approval, "collaborators")); len(come) > 0 {
		e.Add = append(e.Add, record.Value{Field: "collaborators", Raw: people(come)})
	}
	t.edits = append(t.edits, e)
	return nil
}

func refs(rec *record.Record, field string) (ids []record.ID) {
	for _, text := range rec.Texts(field) {
		if id, err := record.ParseID(text); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

func without(all, some []record.ID) (out []record.ID) {
	for _, id := range all {
		if !slices.Contains(some, id) {
			out = append(out, id)
		}
	}
	return out
}
