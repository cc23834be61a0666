package conflicts_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/conflicts"
	"roadbook/errs"
	"roadbook/record"
)

// Both stand where there is room for both; a plain value says that there is not.
func TestBoth(t *testing.T) {
	t.Parallel()

	text := &record.Field{Name: "name", Type: "text", Policy: record.LWWAsk}
	long := &record.Field{Name: "remark", Type: "text", Policy: record.Text}
	list := &record.Field{Name: "goods", Type: "rows", Policy: record.List}
	day := &record.Field{Name: "close_date", Type: "date", Policy: record.LWWAsk}
	tests := []struct {
		name       string
		f          *record.Field
		one, other string
		want, code string
	}{
		{"a line", text, `"旺"`, `"兴"`, `"旺 / 兴"`, ""},
		{"a long text", long, `"旺"`, `"兴"`, `"旺\n兴"`, ""},
		{"the same", text, `"旺"`, `"旺"`, `"旺"`, ""},
		{"nothing and something", day, `null`, `"2026-11-21"`, `"2026-11-21"`, ""},
		{"a list", list, `[{"id":"a","qty":1}]`, `[{"id":"a","qty":2},{"id":"b","qty":3}]`, `[{"id":"a","qty":1},{"id":"b","qty":3}]`, ""},
		{"a day", day, `"2026-11-21"`, `"2026-11-22"`, ``, "both"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := conflicts.Both(tt.f, json.RawMessage(tt.one), json.RawMessage(tt.other))

			require.Equal(t, tt.code, errs.CodeOf(err))
			if tt.code == "" {
				places := regexp.MustCompile(`,?"pos":"[^"]*",?`) // they are the server's to say
				require.JSONEq(t, tt.want, places.ReplaceAllString(string(got), ","))
			}
		})
	}
}
