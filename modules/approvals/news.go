package approvals

import (
	"context"
	"time"

	"roadbook/jobs"
	"roadbook/record"
	"roadbook/record/notice"
	"roadbook/store/pg"
	"roadbook/sync/history"
	"roadbook/sync/reactions"
)

// News tells people what an approval has come to, and has time decide what nobody
// does.
type News struct{ Jobs *jobs.Queue }

var _ reactions.Reaction = (*News)(nil)

// Name implements reactions.Reaction.
func (*News) Name() string { return "approvals" }

// Kinds implements reactions.Reaction.
func (*News) Kinds() []string { return []string{kindApproval, kindDecision, "user"} }

// React implements reactions.Reaction.
func (n *News) React(ctx context.Context, view reactions.View, c *reactions.Change) (out reactions.Effects, err error) {
	var all []notice.Notice
	var due []jobs.Due
	for i := range c.Edits {
		e := &c.Edits[i]
		switch e.Kind {
		case kindApproval:
			rec, err := view.Record(ctx, e.ID)
			if err != nil || rec == nil {
				return out, err
			}
			all = append(all, newsOf(e, rec, c.Person)...)
			if at, err := time.Parse(time.RFC3339, e.Set.Text("due_at")); err == nil && e.Was.Text("due_at") != e.Set.Text("due_at") {
				due = append(due, jobs.Due{Args: Due{Org: c.Org, Approval: e.ID, At: at}, At: at})
			}
		case "user":
			if e.Set.Text("status") == "left" {
				due = append(due, jobs.Due{Args: Left{Org: c.Org, Person: e.ID}, At: c.Arrived})
			}
		case kindDecision:
			if outcome := e.Set.Text("outcome"); outcome == Late || outcome == Again {
				code := map[string]string{Late: "approval_late", Again: "approval_reconfirm"}[outcome]
				rec, err := view.Record(ctx, e.ID)
				if err != nil || rec == nil {
					return out, err
				}
				all = append(all, notice.Notice{To: rec.Owner, Category: notice.Approval, Code: code, About: kindApproval, Subject: rec.Ref("approval")})
			}
		}
	}
	if out.Edits, err = reactions.Tell(ctx, view, c, all); err != nil {
		return out, err
	}
	if len(due) > 0 {
		out.Later = append(out.Later, func(ctx context.Context, tx pg.Tx) error { return n.Jobs.Insert(ctx, tx, due...) })
	}
	return out, nil
}

// newsOf is who must know of what became of an approval: those whom it waits for
// now, whoever has asked, and those who were asked for nothing.
func newsOf(e *history.Logged, rec *record.Record, by record.ID) (all []notice.Notice) {
	about := notice.Notice{Category: notice.Approval, About: kindApproval, Subject: e.ID}
	code := "approval_waiting"
	state, was := e.Set.Text("state"), e.Was.Text("state")
	if state == Reconfirm || state == Pending && len(e.Set.Text("changed")) > 0 {
		code = "approval_changed"
	}
	waits := idsIn(e.Add.Get("waiting"))
	if code == "approval_changed" {
		waits = append(waits, refs(rec, "waiting")...)
	}
	for _, to := range waits {
		if to != by {
			asks := about
			asks.To, asks.Code, asks.Escalate = to, code, true // what nobody reads waits for ever
			all = append(all, asks)
		}
	}
	if state == was {
		return all
	}
	said := map[string]string{Approved: "approval_approved", Rejected: "approval_rejected", Returned: "approval_returned"}[state]
	if said != "" && rec.Owner != by {
		about.To, about.Code = rec.Owner, said
		all = append(all, about)
	}
	if state == Withdrawn || state == Rejected && was == Approved {
		for _, to := range refs(rec, "collaborators") {
			if to != by {
				about.To, about.Code = to, "approval_"+state
				all = append(all, about)
			}
		}
	}
	return all
}

func idsIn(raw []byte) []record.ID {
	rec := &record.Record{Kind: &record.Kind{}}
	rec.Put("ids").Raw = raw
	return refs(rec, "ids")
}
