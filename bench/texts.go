package bench

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"roadbook/demo"
	"roadbook/record"
)

// texts are contents as the demo org writes them, handed out in turn: bytes
// are only worth comparing if they are what people write.
type texts struct {
	accounts, visits []record.Values
	a, v             int
}

// kept are the fields that mean something outside of the demo org.
var (
	accountFields = []string{
		"name", "short_name", "industry", "grade", "source", "stage", "tags", "phones", "address",
		"location", "visit_cycle_days", "remark", "created_at",
	}
	visitFields = []string{
		"check_in", "check_out", "purpose", "summary", "result", "next_step", "next_visit_at",
		"competitor_seen", "status", "created_at",
	}
)

// readTexts makes a demo org and keeps what its accounts and visits say.
func readTexts(now time.Time) *texts {
	t := &texts{}
	for item := range demo.New(demo.Options{Midnight: demo.Midnight(now)}).Proposals() {
		switch e := item.Mutation.Edits[0]; e.Kind {
		case "account":
			t.accounts = append(t.accounts, only(e.Set, accountFields))
		case "visit":
			t.visits = append(t.visits, only(e.Set, visitFields))
		}
	}
	return t
}

func only(set record.Values, fields []string) record.Values {
	out := make(record.Values, 0, len(fields)+2)
	for _, v := range set {
		if slices.Contains(fields, v.Field) {
			out = append(out, v)
		}
	}
	return out
}

func (t *texts) account(owner record.ID) record.Values {
	t.a++
	set := withOwner(t.accounts[t.a%len(t.accounts)], owner)
	if t.a < len(t.accounts) {
		return set
	}
	return set.With("phones", json.RawMessage(fmt.Sprintf(`["19%09d"]`, t.a))) // or it would be the one of before
}

func (t *texts) visit(account, owner record.ID) record.Values {
	t.v++
	return append(withOwner(t.visits[t.v%len(t.visits)], owner), record.Value{Field: "account", Raw: text(account.String())})
}

// withOwner is a copy, since contents are handed out more than once.
func withOwner(set record.Values, owner record.ID) record.Values {
	out := append(make(record.Values, 0, len(set)+2), set...)
	if owner.IsZero() {
		return out
	}
	return append(out, record.Value{Field: "owner", Raw: text(owner.String())})
}
