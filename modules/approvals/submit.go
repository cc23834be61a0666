package approvals

import (
	"slices"
	"strings"

	"roadbook/errs"
	"roadbook/record"
)

// asked begins what somebody asks to be approved, and keeps him from going on with
// it otherwise than by decisions.
func (t *turn) asked(was, now *record.Record) error {
	const op = "approvals.submit"

	switch {
	case was == nil && now.State == record.Live:
	case !t.author.System && t.desk.Edited(now.ID):
		return errs.New(op, errs.Denied, "an approval goes on by decisions, and is not changed or deleted").Coded("approval")
	default:
		return nil
	}
	subject, err := t.desk.Record(t.ctx, now.Ref("record"))
	if err != nil {
		return err
	}
	if subject == nil || isOurs(subject.Kind.Name) || subject.Kind.Scope != "" {
		return errs.New(op, errs.Invalid, "there is nothing to approve of a record of this kind").Coded("no_flow")
	}
	flow, p, err := t.flowOf(now, subject)
	if err != nil {
		return err
	}
	if err := t.alreadyAsked(now, subject, flow.Text("code")); err != nil {
		return err
	}
	c, err := t.newCase(p, subject, now.Owner)
	if err != nil {
		return err
	}
	if err := c.begin(t.author.Arrived); err != nil {
		return err
	}
	if err := t.keep(now, c, nil, text("about_kind", subject.Kind.Name), text("code", flow.Text("code")), reference("runs", flow.ID)); err != nil {
		return err
	}
	t.ended(c)
	return nil
}

// flowOf finds the flow that an approval goes by: the version that is published now
// of the one that was chosen, which may have been another when that was typed, or
// else the first that applies.
func (t *turn) flowOf(approval, subject *record.Record) (*record.Record, *plan, error) {
	const op = "approvals.submit"

	all, err := t.flows(subject.Kind.Name)
	if err != nil {
		return nil, nil, err
	}
	code := ""
	if id := approval.Ref("flow"); !id.IsZero() {
		chosen, err := t.desk.Record(t.ctx, id)
		if err != nil {
			return nil, nil, err
		}
		if chosen == nil || chosen.Kind.Name != kindFlow || chosen.Text("about_kind") != subject.Kind.Name {
			return nil, nil, errs.New(op, errs.Invalid, "this flow is not for records of this kind").Coded("no_flow").
				Of(errs.Field{Field: "flow", Detail: "a flow for records of this kind was expected"})
		}
		code = chosen.Text("code")
	}
	customer, err := t.customerOf(subject)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range all {
		if f.Text("state") != "published" || code != "" && f.Text("code") != code {
			continue
		}
		p, err := t.plan(f, subject.Kind)
		if err != nil {
			return nil, nil, err
		}
		needed, err := p.start.Holds(p.words.values(subject, customer, t.author.Roles))
		if err != nil {
			return nil, nil, err
		}
		if needed {
			return f, p, nil
		}
	}
	return nil, nil, errs.New(op, errs.Clash, "this needs no approval as it is").Coded("no_flow")
}

func (t *turn) customerOf(subject *record.Record) (*record.Record, error) {
	if subject.Root == subject.ID || subject.Root.IsZero() {
		return nil, nil //nolint:nilnil // it is a customer itself, or has none
	}
	return t.desk.Record(t.ctx, subject.Root)
}

// flows are those about a kind that have been published, in the order of their
// codes and the latest first.
func (t *turn) flows(kind string) ([]*record.Record, error) {
	all, err := t.desk.Records(t.ctx, kindFlow)
	if err != nil {
		return nil, err
	}
	var out []*record.Record
	for _, f := range all {
		if f.Text("about_kind") == kind && f.Raw("published_at") != nil {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b *record.Record) int {
		if by := strings.Compare(a.Text("code"), b.Text("code")); by != 0 {
			return by
		}
		return int(numberIn(b, "version") - numberIn(a, "version"))
	})
	return out, nil
}

// alreadyAsked refuses to ask twice for the same at a time.
func (t *turn) alreadyAsked(approval, subject *record.Record, code string) error {
	all, err := t.desk.Below(t.ctx, subject.ID, kindApproval)
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.ID != approval.ID && a.Text("code") == code && isOpen(a.Text("state")) {
			return errs.New("approvals.submit", errs.Clash, "this was submitted before, and waits for a decision").Coded("already_submitted")
		}
	}
	return nil
}

// ended writes to the record what a flow says that follows from its end.
func (t *turn) ended(c *Case) {
	set := c.plan.Approved
	switch c.State {
	case Approved:
	case Rejected:
		set = c.plan.Rejected
	default:
		return
	}
	var values record.Values
	for _, f := range c.subject.Kind.Fields {
		if raw := set[f.Name]; raw != nil && !same(raw, c.subject.Raw(f.Name)) {
			values = append(values, record.Value{Field: f.Name, Raw: raw})
		}
	}
	if len(values) > 0 {
		t.set(c.subject, values...)
	}
}
