package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
)

// pull is a request with further members.
func pull(members string) string { return `{"replica":"k7f2","cursor":""` + members + `}` }

// want is a request with a wish.
func want(members string) string { return pull(`,"want":{` + members + `}`) }

// listOf is a list of a text so many times.
func listOf(n int, text string) string {
	return `["` + strings.Join(times(n, text), `","`) + `"]`
}

func TestReadPull(t *testing.T) {
	t.Parallel()

	pins := make([]record.ID, wire.MaxPins)
	for i := range pins {
		pins[i] = record.MustID(acme)
	}
	room := strings.Repeat(" ", wire.MaxPullBytes-len(pull(``)))
	tests := []struct {
		name, body string
		want       wire.PullRequest // but for replica and the default of max_bytes
	}{
		{"the least", pull(``), wire.PullRequest{}},
		{"no cursor", `{"replica":"k7f2"}`, wire.PullRequest{}},
		{"a cursor", `{"replica":"k7f2","cursor":"Y3\u0041"}`, wire.PullRequest{Cursor: "Y3A"}},
		{"a cursor of null", `{"replica":"k7f2","cursor":null}`, wire.PullRequest{}},
		{"nulls", pull(`,"max_bytes":null,"want":null,"digest":null,"wait_ms":null`), wire.PullRequest{}},
		{"nulls inside", pull(`,"want":{"pins":null,"from":null}`), wire.PullRequest{Want: &wire.Want{}}},
		{"what is not known", pull(`,"mood":{"x":[1]},"want":{"y":2}`), wire.PullRequest{Want: &wire.Want{}}},
		{"the default said", pull(`,"max_bytes":0`), wire.PullRequest{}},
		{"the smallest page", pull(`,"max_bytes":1`), wire.PullRequest{MaxBytes: 1}},
		{"the largest page", pull(`,"max_bytes":4194304`), wire.PullRequest{MaxBytes: wire.MaxPageBytes}},
		{"the longest wait", pull(`,"wait_ms":25000`), wire.PullRequest{WaitMS: wire.MaxWaitMS}},
		{"digests", pull(`,"digest":true`), wire.PullRequest{Digest: true}},
		{"no digests", pull(`,"digest":false`), wire.PullRequest{}},
		{"a month", want(`"from":"2026-08"`), wire.PullRequest{Want: &wire.Want{From: "2026-08"}}},
		{"the first month", want(`"from":"1970-01"`), wire.PullRequest{Want: &wire.Want{From: "1970-01"}}},
		{"the last month", want(`"from":"2200-12"`), wire.PullRequest{Want: &wire.Want{From: "2200-12"}}},
		{"no pins", want(`"pins":[]`), wire.PullRequest{Want: &wire.Want{Pins: []record.ID{}}}},
		{"no kinds", want(`"kinds":[]`), wire.PullRequest{Want: &wire.Want{Kinds: []string{}}}},
		{
			"as many pins as may be", want(`"pins":` + listOf(wire.MaxPins, acme)),
			wire.PullRequest{Want: &wire.Want{Pins: pins}},
		},
		{
			"as many kinds as may be", want(`"kinds":` + listOf(wire.MaxKinds, "visit")),
			wire.PullRequest{Want: &wire.Want{Kinds: times(wire.MaxKinds, "visit")}},
		},
		{"as many bytes as may be", pull(``) + room, wire.PullRequest{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := wire.ReadPull([]byte(tt.body))

			require.NoError(t, err)
			tt.want.Replica = "k7f2"
			if tt.want.MaxBytes == 0 {
				tt.want.MaxBytes = wire.DefaultPageBytes
			}
			require.Equal(t, &tt.want, got)
		})
	}
}

func TestReadPull_refused(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name, body, code string
	}{
		{"nothing", ``, "malformed"},
		{"cut short", pull(``)[:20], "malformed"},
		{"a list", `[]`, "member"},
		{"a member twice", pull(`,"cursor":""`), "duplicate"},
		{"bytes that are no text", pull(",\"x\":\"\xff\""), "utf8"},
		{"half a character", pull(`,"x":"\ud800"`), "surrogate"},
		{"NUL", pull(`,"x":"\u0000"`), "nul"},
		{"too deep", pull(`,"x":` + nested(wire.MaxDepth)), "deep"},
		{"one byte too many", pull(``) + strings.Repeat(" ", wire.MaxPullBytes+1-len(pull(``))), "size"},
		{"no replica", `{"cursor":""}`, "replica"},
		{"a replica that is a number", `{"replica":7}`, "replica"},
		{"a replica with a long name", `{"replica":` + letters(wire.MaxName+1) + `}`, "replica"},
		{"a cursor that is a number", `{"replica":"k7f2","cursor":1}`, "cursor"},
		{"a page below 1", pull(`,"max_bytes":-1`), "max_bytes"},
		{"a page too large", pull(fmt.Sprintf(`,"max_bytes":%d`, wire.MaxPageBytes+1)), "max_bytes"},
		{"a page beyond 64 bits", pull(`,"max_bytes":99999999999999999999`), "max_bytes"},
		{"a page in text", pull(`,"max_bytes":"1"`), "max_bytes"},
		{"a page in fractions", pull(`,"max_bytes":1.5`), "max_bytes"},
		{"a wait too long", pull(fmt.Sprintf(`,"wait_ms":%d`, wire.MaxWaitMS+1)), "wait_ms"},
		{"a wait below 0", pull(`,"wait_ms":-1`), "wait_ms"},
		{"digests in numbers", pull(`,"digest":1`), "digest"},
		{"a wish that is a list", pull(`,"want":[]`), "want"},
		{"a wish twice", want(`"from":"2026-08","from":"2026-08"`), "want"},
		{"a pin that is no id", want(`"pins":["acme"]`), "pins"},
		{"pins that are no list", want(`"pins":"` + acme + `"`), "pins"},
		{"one pin too many", want(`"pins":` + listOf(wire.MaxPins+1, acme)), "pins"},
		{"one kind too many", want(`"kinds":` + listOf(wire.MaxKinds+1, "visit")), "kinds"},
		{"a kind that is a number", want(`"kinds":[1]`), "kinds"},
		{"a kind without name", want(`"kinds":[""]`), "kinds"},
		{"month 13", want(`"from":"2026-13"`), "from"},
		{"a day", want(`"from":"2026-08-01"`), "from"},
		{"a month of one digit", want(`"from":"2026-8"`), "from"},
		{"a month that is empty", want(`"from":""`), "from"},
		{"a month before 1970", want(`"from":"1969-12"`), "from"},
		{"a month after 2200", want(`"from":"2201-01"`), "from"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := wire.ReadPull([]byte(tt.body))

			require.Equal(t, errs.Invalid, errs.KindOf(err))
			require.Equal(t, tt.code, errs.CodeOf(err))
		})
	}
}

// All that is wrong is said at once.
func TestReadPull_problems(t *testing.T) {
	t.Parallel()

	_, err := wire.ReadPull([]byte(`{"max_bytes":-1,"want":{"from":"soon","pins":7}}`))

	var e *errs.Error
	require.ErrorAs(t, err, &e)
	require.NotEmpty(t, e.Msg)
	var fields []string
	for _, f := range e.Fields {
		require.NotEmpty(t, f.Detail)
		fields = append(fields, f.Field)
	}
	require.Equal(t, []string{"max_bytes", "want.from", "want.pins", "replica"}, fields)
}
