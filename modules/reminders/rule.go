package reminders

import (
	"bytes"
	"context"

	"roadbook/record"
	"roadbook/record/reminder"
	"roadbook/sync"
)

// Rule refuses reminders that could never ring: without a time, in a zone that
// there is not, or with a recurrence that nobody can read.
type Rule struct{}

var _ sync.Rule = Rule{}

// Check implements sync.Rule.
func (Rule) Check(_ context.Context, _ sync.View, was, now *record.Record) (sync.Effects, error) {
	if now.Kind.Name != reminder.Kind || now.State != record.Live || !rewritten(was, now, "at", "zone", "recurrence") {
		return sync.Effects{}, nil
	}
	_, err := reminder.Read(now)
	return sync.Effects{}, err
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
