package push

import (
	"context"
	"time"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync"
)

// prefersKind is that of the record in which somebody says how he wants to be
// told. It is his own and private, and not part of the person, which only
// administrators write and everybody reads.
const prefersKind = "preference"

// PreferenceID is that of a person's preferences: each has one, under a name that
// all of his devices know.
func PreferenceID(person record.ID) record.ID { return person.Derive(prefersKind) }

// Rule looks at preferences: whose they are, and whether they can be kept to.
type Rule struct{}

var _ sync.Rule = Rule{}

// Check implements sync.Rule.
func (Rule) Check(_ context.Context, _ sync.View, _, now *record.Record) (sync.Effects, error) {
	const op = "push.Check"
	if now.Kind.Name != prefersKind || now.State != record.Live {
		return sync.Effects{}, nil
	}
	var wrong []errs.Field
	if now.ID != PreferenceID(now.Owner) {
		return sync.Effects{}, errs.New(op, errs.Invalid, "preferences have the id that follows from their person").Coded("preference")
	}
	if zone := now.Text("zone"); zone != "" {
		if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
			wrong = append(wrong, errs.Field{Field: "zone", Detail: "must be a time zone as Asia/Shanghai"})
		}
	}
	from, to := now.Text("quiet_from"), now.Text("quiet_to")
	for _, f := range []struct{ name, text, other string }{{"quiet_from", from, to}, {"quiet_to", to, from}} {
		if _, good := ParseClock(f.text); !good && (f.text != "" || f.other != "") {
			wrong = append(wrong, errs.Field{Field: f.name, Detail: "must be a time of day as 22:30"})
		}
	}
	if from != "" && from == to {
		wrong = append(wrong, errs.Field{Field: "quiet_to", Detail: "must be another time than quiet_from"})
	}
	if len(wrong) > 0 {
		return sync.Effects{}, errs.New(op, errs.Invalid, "quiet hours need a beginning, an end and a time zone").Coded("quiet").Of(wrong...)
	}
	return sync.Effects{}, nil
}
