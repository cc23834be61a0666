package reminders

import (
	"context"
	"slices"

	"roadbook/jobs"
	"roadbook/record"
	"roadbook/store/pg"
	"roadbook/sync/reactions"
)

// Watching has the rules of an org applied to what has changed, and to everything
// when a rule has.
type Watching struct{ Jobs *jobs.Queue }

var _ reactions.Reaction = (*Watching)(nil)

// Name implements reactions.Reaction.
func (*Watching) Name() string { return "reminder rules" }

// Kinds implements reactions.Reaction.
func (*Watching) Kinds() []string {
	return []string{kindRule, "account", "contact", "opportunity", "visit_plan", "visit", "follow_up", "task"}
}

// React implements reactions.Reaction.
func (r *Watching) React(ctx context.Context, view reactions.View, c *reactions.Change) (out reactions.Effects, err error) {
	var changed []record.ID
	var made []effect
	rules := false
	for i := range c.Edits {
		e := &c.Edits[i]
		if !slices.Contains(r.Kinds(), e.Kind) {
			continue
		}
		rules = rules || e.Kind == kindRule
		changed = append(changed, e.ID)
		if e.Kind != "task" || !e.New || c.Person.IsZero() {
			continue
		}
		rec, err := view.Record(ctx, e.ID) // it may be what a rule has made on a device
		if err != nil {
			return out, err
		}
		if m, is := effectIn(rec); is {
			made, changed = append(made, m), append(changed, m.Subject)
		}
	}
	out.Later = append(out.Later, func(ctx context.Context, tx pg.Tx) error {
		if rules {
			return askPass(ctx, tx, c.Org, c.Arrived)
		}
		if is, err := watched(ctx, tx, c.Org); err != nil || !is {
			return err
		}
		if err := keepEffects(ctx, tx, c.Org, effectsKeep, made); err != nil {
			return err
		}
		return r.Jobs.Insert(ctx, tx, jobs.Due{Args: Applying{Org: c.Org, Records: record.SortedIDs(changed)}})
	})
	return out, nil
}

// effectIn reads what a task says it comes from.
func effectIn(rec *record.Record) (m effect, is bool) {
	if rec == nil {
		return m, false
	}
	m = effect{Subject: rec.Ref("origin.subject"), Rule: rec.Ref("origin.rule"), Effect: rec.ID}
	return m, !m.Subject.IsZero() && !m.Rule.IsZero()
}
