package approvals

import (
	"context"
	"slices"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync"
)

// Process moves approvals on, in the transaction of what somebody writes.
type Process struct{ plans *plans }

var _ sync.Process = (*Process)(nil)

// NewProcess is one that knows no flow yet.
func NewProcess() *Process { return &Process{plans: newPlans()} }

// Step implements sync.Process.
func (p *Process) Step(ctx context.Context, desk sync.Desk, was, now *record.Record) ([]record.Edit, error) {
	t := &turn{Process: p, ctx: ctx, desk: desk, author: desk.Author()}
	var err error
	switch now.Kind.Name {
	case kindFlow:
		err = t.published(was, now)
	case kindApproval:
		err = t.asked(was, now)
	case kindDecision:
		err = t.decided(was, now)
	default:
		err = t.changed(was, now)
	}
	return t.edits, err
}

// turn is one record in hand.
type turn struct {
	*Process

	ctx    context.Context //nolint:containedctx // that of the transaction
	desk   sync.Desk
	author sync.Author
	edits  []record.Edit
}

// plan is a flow, ready to be worked with.
func (t *turn) plan(flow *record.Record, kind *record.Kind) (*plan, error) {
	return t.plans.of(flow.Text("body"), kind, t.desk.Kind)
}

// published looks at a flow that is to be used from now on. The one before it is
// used for what it has begun, and for nothing new.
func (t *turn) published(was, now *record.Record) error {
	if now.State != record.Live || now.Text("state") != "published" {
		return t.still(was, now)
	}
	if was != nil && was.Text("state") == "published" {
		return t.still(was, now)
	}
	kind := t.desk.Kind(now.Text("about_kind"))
	if kind == nil || kind.Scope != "" || isOurs(kind.Name) {
		return errs.New("approvals.publish", errs.Invalid, "this flow cannot work: there is nothing of that kind to approve").Coded("flow").
			Of(errs.Field{Field: "about_kind", Detail: "a kind of records that belong to somebody was expected"})
	}
	if _, err := t.plan(now, kind); err != nil {
		return err
	}
	all, err := t.desk.Records(t.ctx, kindFlow)
	if err != nil {
		return err
	}
	version := int64(1)
	for _, f := range all {
		if f.ID == now.ID || f.Text("code") != now.Text("code") {
			continue
		}
		version = max(version, numberIn(f, "version")+1)
		if f.Text("state") == "published" {
			t.set(f, text("state", "retired"))
		}
	}
	t.set(now, number("version", version), instant("published_at", t.author.Arrived))
	return nil
}

// still refuses to change what a flow says that has been published, or to take it
// away: what it has begun goes by it.
func (t *turn) still(was, now *record.Record) error {
	if was == nil || was.Raw("published_at") == nil {
		return nil
	}
	switch {
	case now.State != record.Live:
		return errs.New("approvals.publish", errs.Clash, "what this flow has begun goes by it; retire it instead").Coded("flow_used")
	case string(was.Raw("body")) != string(now.Raw("body")):
		return errs.New("approvals.publish", errs.Clash, "what this flow has begun goes by it; publish another version instead").Coded("flow_used").
			Of(errs.Field{Field: "body", Detail: "it has been published"})
	}
	return nil
}

func isOurs(kind string) bool {
	return slices.Contains([]string{kindFlow, kindApproval, kindDecision}, kind)
}

// set has the server write fields of a record.
func (t *turn) set(rec *record.Record, set ...record.Value) {
	t.edits = append(t.edits, record.Edit{Op: record.OpEdit, Kind: rec.Kind.Name, ID: rec.ID, Set: set})
}
