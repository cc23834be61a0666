package push

import (
	"context"

	"roadbook/jobs"
	"roadbook/record"
	"roadbook/record/notice"
	"roadbook/store/pg"
	"roadbook/sync/reactions"
)

// Outbox has notifications sent: it asks for a job as soon as one is committed,
// and for another when one was read, so that other devices no longer show it.
type Outbox struct{ Jobs *jobs.Queue }

var _ reactions.Reaction = (*Outbox)(nil)

// Name implements reactions.Reaction.
func (*Outbox) Name() string { return "push" }

// Kinds implements reactions.Reaction.
func (*Outbox) Kinds() []string { return []string{notice.Kind} }

// React implements reactions.Reaction.
func (o *Outbox) React(_ context.Context, _ reactions.View, c *reactions.Change) (out reactions.Effects, err error) {
	var due []jobs.Due
	for i := range c.Edits {
		e := &c.Edits[i]
		switch {
		case e.Kind != notice.Kind:
		case e.New && e.Op == record.OpCreate:
			due = append(due, jobs.Due{Args: Deliver{Org: c.Org, Notification: e.ID}})
			if after := escalateAfter[notice.Category(e.Set.Text("category"))]; after > 0 {
				again := Escalate{Org: c.Org, Notification: e.ID, After: after, Begun: c.Arrived}
				due = append(due, jobs.Due{Args: again, At: c.Arrived.Add(after)})
			}
		case e.Op == record.OpDelete || !record.IsNull(e.Set.Get("read_at")) && record.IsNull(e.Was.Get("read_at")):
			due = append(due, jobs.Due{Args: Silence{Org: c.Org, Notification: e.ID}})
		}
	}
	if len(due) > 0 {
		out.Later = append(out.Later, func(ctx context.Context, tx pg.Tx) error { return o.Jobs.Insert(ctx, tx, due...) })
	}
	return out, nil
}
