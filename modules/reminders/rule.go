package reminders

import (
	"bytes"
	"context"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/record/reminder"
	"roadbook/sync"
)

// Rule refuses reminders that could never ring: without a time, in a zone that
// there is not, or with a recurrence that nobody can read; and the publishing of
// rules that could never work.
type Rule struct{}

var _ sync.Rule = Rule{}

// Check implements sync.Rule.
func (Rule) Check(ctx context.Context, view sync.View, was, now *record.Record) (sync.Effects, error) {
	if now.State != record.Live {
		return sync.Effects{}, nil
	}
	switch now.Kind.Name {
	case reminder.Kind:
		if rewritten(was, now, "at", "zone", "recurrence") {
			_, err := reminder.Read(now)
			return sync.Effects{}, err
		}
	case kindRule:
		return sync.Effects{}, checkRule(ctx, view, was, now)
	}
	return sync.Effects{}, nil
}

// checkRule refuses to publish what cannot work, and to change what is published:
// devices go by it.
func checkRule(ctx context.Context, view sync.View, was, now *record.Record) error {
	published := now.Text("status") == statusPublished
	before := was != nil && was.State == record.Live && was.Text("status") == statusPublished
	switch {
	case published && before:
		if rewritten(was, now, "trigger", "about_kind", "date_field", "filter", "days", "minutes", "hour", "zone", "makes", "title", "priority", "managers") {
			return errs.New("reminders.Check", errs.Clash, "this rule is published and is not changed any more; make a new version of it").Coded("published")
		}
		return nil
	case !published:
		return nil
	}
	if _, err := readWatch(now, view.Kind); err != nil {
		return err
	}
	all, err := view.Records(ctx, kindRule)
	if err != nil {
		return err
	}
	others := 0
	for _, r := range all {
		if r.ID == now.ID || r.Text("status") != statusPublished {
			continue
		}
		others++
		if firstOf(r) == firstOf(now) {
			return errs.New("reminders.Check", errs.Clash, "another version of this rule is published; retire it first").Coded("published")
		}
	}
	if others >= MaxRules {
		return errs.New("reminders.Check", errs.Clash, "an organisation has %d rules at the most; retire one first", MaxRules).Coded("rules")
	}
	return nil
}

// firstOf is the first version of a rule.
func firstOf(rule *record.Record) record.ID {
	if id := rule.Ref("of"); !id.IsZero() {
		return id
	}
	return rule.ID
}

// rewritten reports whether one of the fields has another value than before.
func rewritten(was, now *record.Record, fields ...string) bool {
	for _, f := range fields {
		if was == nil || !bytes.Equal(was.Raw(f), now.Raw(f)) {
			return true
		}
	}
	return false
}
