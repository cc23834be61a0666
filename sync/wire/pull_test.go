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
func pull(members string) []byte { return []byte(`{"replica":"k7f2","cursor":""` + members + `}`) }

func quoted(n int, s string) string {
	return strings.Join(times(n, `"`+s+`"`), ",")
}

func TestReadPull(t *testing.T) {
	t.Parallel()

	plain := func() *wire.PullRequest { return &wire.PullRequest{Replica: "k7f2", MaxBytes: wire.DefaultPageBytes} }
	tests := []struct {
		name   string
		body   []byte
		change func(p *wire.PullRequest)
	}{
		{"the least", pull(``), func(*wire.PullRequest) {}},
		{"no cursor", []byte(`{"replica":"k7f2"}`), func(*wire.PullRequest) {}},
		{"nulls", []byte(`{"replica":"k7f2","cursor":null,"max_bytes":null,"want":null,"digest":null,"wait_ms":null}`), func(*wire.PullRequest) {}},
		{"nulls inside", pull(`,"want":{"pins":null,"from":null,"kinds":null}`), func(p *wire.PullRequest) { p.Want = &wire.Want{} }},
		{"what is not known", pull(`,"mood":{"x":[1]},"want":{"y":2}`), func(p *wire.PullRequest) { p.Want = &wire.Want{} }},
		{"a cursor", []byte(`{"replica":"k7f2","cursor":"Y3\u0041"}`), func(p *wire.PullRequest) { p.Cursor = "Y3A" }},
		{"the default said", pull(`,"max_bytes":0`), func(*wire.PullRequest) {}},
		{"the smallest page", pull(`,"max_bytes":1`), func(p *wire.PullRequest) { p.MaxBytes = 1 }},
		{"the largest page", pull(`,"max_bytes":4194304`), func(p *wire.PullRequest) { p.MaxBytes = wire.MaxPageBytes }},
		{"the longest wait", pull(`,"wait_ms":25000`), func(p *wire.PullRequest) { p.WaitMS = wire.MaxWaitMS }},
		{"digests", pull(`,"digest":true`), func(p *wire.PullRequest) { p.Digest = true }},
		{"no digests", pull(`,"digest":false`), func(*wire.PullRequest) {}},
		{"a month", pull(`,"want":{"from":"2026-08"}`), func(p *wire.PullRequest) { p.Want = &wire.Want{From: "2026-08"} }},
		{"the first month", pull(`,"want":{"from":"1970-01"}`), func(p *wire.PullRequest) { p.Want = &wire.Want{From: "1970-01"} }},
		{"the last month", pull(`,"want":{"from":"2200-12"}`), func(p *wire.PullRequest) { p.Want = &wire.Want{From: "2200-12"} }},
		{"no pins", pull(`,"want":{"pins":[],"kinds":[]}`), func(p *wire.PullRequest) { p.Want = &wire.Want{Pins: []record.ID{}, Kinds: []string{}} }},
		{"as many pins as may be", pull(`,"want":{"pins":[` + quoted(wire.MaxPins, acme) + `]}`), func(p *wire.PullRequest) {
			p.Want = &wire.Want{}
			for range wire.MaxPins {
				p.Want.Pins = append(p.Want.Pins, record.MustID(acme))
			}
		}},
		{"as many kinds as may be", pull(`,"want":{"kinds":[` + quoted(wire.MaxKinds, "visit") + `]}`), func(p *wire.PullRequest) {
			p.Want = &wire.Want{Kinds: times(wire.MaxKinds, "visit")}
		}},
		{"as many bytes as may be", append(pull(``), strings.Repeat(" ", wire.MaxPullBytes-len(pull(``)))...), func(*wire.PullRequest) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := wire.ReadPull(tt.body)

			require.NoError(t, err)
			want := plain()
			tt.change(want)
			require.Equal(t, want, got)
		})
	}
}

func TestReadPull_refused(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name string
		body []byte
		code string
	}{
		{"nothing", nil, "malformed"},
		{"cut short", pull(``)[:20], "malformed"},
		{"a list", []byte(`[]`), "member"},
		{"a member twice", pull(`,"cursor":""`), "duplicate"},
		{"bytes that are no text", pull(",\"x\":\"\xff\""), "utf8"},
		{"half a character", pull(`,"x":"\ud800"`), "surrogate"},
		{"NUL", pull(`,"x":"\u0000"`), "nul"},
		{"too deep", pull(`,"x":` + nested(wire.MaxDepth)), "deep"},
		{"one byte too many", append(pull(``), strings.Repeat(" ", wire.MaxPullBytes+1-len(pull(``)))...), "size"},
		{"no replica", []byte(`{"cursor":""}`), "replica"},
		{"a replica that is a number", []byte(`{"replica":7}`), "replica"},
		{"a replica with a long name", []byte(`{"replica":"` + strings.Repeat("k", wire.MaxName+1) + `"}`), "replica"},
		{"a cursor that is a number", []byte(`{"replica":"k7f2","cursor":1}`), "cursor"},
		{"a page below 1", pull(`,"max_bytes":-1`), "max_bytes"},
		{"a page too large", pull(fmt.Sprintf(`,"max_bytes":%d`, wire.MaxPageBytes+1)), "max_bytes"},
		{"a page beyond 64 bits", pull(`,"max_bytes":99999999999999999999`), "max_bytes"},
		{"a page in text", pull(`,"max_bytes":"1"`), "max_bytes"},
		{"a page in fractions", pull(`,"max_bytes":1.5`), "max_bytes"},
		{"a wait too long", pull(fmt.Sprintf(`,"wait_ms":%d`, wire.MaxWaitMS+1)), "wait_ms"},
		{"a wait below 0", pull(`,"wait_ms":-1`), "wait_ms"},
		{"digests in numbers", pull(`,"digest":1`), "digest"},
		{"a wish that is a list", pull(`,"want":[]`), "want"},
		{"a wish twice", pull(`,"want":{"from":"2026-08","from":"2026-08"}`), "want"},
		{"a pin that is no id", pull(`,"want":{"pins":["acme"]}`), "want.pins"},
		{"pins that are no list", pull(`,"want":{"pins":"` + acme + `"}`), "want.pins"},
		{"one pin too many", pull(`,"want":{"pins":[` + quoted(wire.MaxPins+1, acme) + `]}`), "want.pins"},
		{"one kind too many", pull(`,"want":{"kinds":[` + quoted(wire.MaxKinds+1, "visit") + `]}`), "want.kinds"},
		{"a kind that is a number", pull(`,"want":{"kinds":[1]}`), "want.kinds"},
		{"a kind without name", pull(`,"want":{"kinds":[""]}`), "want.kinds"},
		{"month 13", pull(`,"want":{"from":"2026-13"}`), "want.from"},
		{"a day", pull(`,"want":{"from":"2026-08-01"}`), "want.from"},
		{"a month of one digit", pull(`,"want":{"from":"2026-8"}`), "want.from"},
		{"a month that is empty", pull(`,"want":{"from":""}`), "want.from"},
		{"a month before 1970", pull(`,"want":{"from":"1969-12"}`), "want.from"},
		{"a month after 2200", pull(`,"want":{"from":"2201-01"}`), "want.from"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := wire.ReadPull(tt.body)

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
