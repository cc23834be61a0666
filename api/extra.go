package api

import (
	"encoding/json"
	"errors"
	"time"

	"roadbook/api/words"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
)

// Extender is an error whose answer carries more than the usual members: what
// a device needs after a hole, a fork or a restore. Any error in the chain may
// be one; the outermost counts. The members of the JSON object that Extra
// returns, for instance of a wire.Problem, are added to the problem. They
// cannot replace the usual ones, which api fills in (status, title, detail,
// kind, code, fields, request_id), and an internal error shows none of them.
// The refusals in the outcomes of a wire.Problem are told in the device's
// language.
type Extender interface {
	error
	Extra() any
}

// Delayer is an error that knows when to try again. Without one, limited and
// busy name a time that suits most causes.
type Delayer interface {
	error
	RetryAfter() time.Duration
}

// remedies are what a device does about a stale cursor, in this order, as the
// member "do". Nothing of its outbox is dropped in any of them.
var remedies = map[string]string{
	"foreign": `["resync","outbox"]`,
	"horizon": `["resync","outbox"]`,
	"sight":   `["resync","outbox"]`,
	"epoch":   `["journal","resync","outbox"]`,
	"rewound": `["journal","resync","outbox"]`,
}

// usual are the members that api alone fills in.
var usual = map[string]bool{
	"type": true, "status": true, "title": true, "detail": true, "instance": true,
	"kind": true, "code": true, "fields": true, "request_id": true,
}

// extras are the further members of the problem that err is answered with. On
// an error those that could be had are returned all the same.
func extras(err error, failure *errs.Error, lang words.Language) (record.Values, error) {
	var members record.Values
	if failure.Kind == errs.Internal {
		return members, nil
	}
	if do, ok := remedies[failure.Code]; ok && failure.Kind == errs.Stale {
		members = members.With("do", json.RawMessage(do))
	}
	e, ok := errors.AsType[Extender](err)
	if !ok {
		return members, nil
	}
	text, err := json.Marshal(told(e.Extra(), lang))
	if err != nil || string(text) == "null" {
		return members, err
	}
	more, err := record.ParseValues(text)
	for _, m := range more {
		if !usual[m.Field] {
			members = members.With(m.Field, m.Raw)
		}
	}
	return members, err
}

// told puts what is meant for a person into his language.
func told(extra any, lang words.Language) any {
	switch p := extra.(type) {
	case wire.Problem:
		p.Outcomes = translated(p.Outcomes, lang)
		return p
	case *wire.Problem:
		if p != nil {
			return told(*p, lang)
		}
	}
	return extra
}

// translated returns the outcomes with their refusals in the device's
// language. The engine's own are left as they are: it may keep them.
func translated(outcomes []record.Outcome, lang words.Language) []record.Outcome {
	if lang == words.English {
		return outcomes
	}
	out := make([]record.Outcome, len(outcomes))
	for i, o := range outcomes {
		if o.Refusal != nil {
			o.Refusal = words.Refusal(o.Refusal, lang)
		}
		out[i] = o
	}
	return out
}
