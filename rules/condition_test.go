package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/rules"
)

var quote = rules.Speak(rules.Names{
	"discount": rules.ANumber, "amount": rules.ANumber, "stage": rules.AText, "urgent": rules.YesOrNo, "due_at": rules.ATime,
	"tags": rules.Several, "customer.grade": rules.AText, "custom": rules.Members,
})

func TestCondition(t *testing.T) {
	t.Parallel()

	values := map[string]any{
		"discount": 22.0, "amount": 120000.0, "stage": "proposal", "due_at": time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC),
		"tags": []any{"冷链", "vip"}, "customer.grade": "A", "custom": map[string]any{"region": "east"},
	}
	for text, want := range map[string]bool{
		"":                                  true,
		"discount > 15 && amount > 100000":  true,
		"discount > 22":                     false,
		"discount >= 22.0":                  true,
		`stage in ["won", "lost"]`:          false,
		`customer.grade == "A"`:             true,
		`"冷链" in tags`:                      true,
		`tags.exists(t, t.startsWith("v"))`: true,
		"urgent":                            false,
		`custom.region == "east"`:           true,
		`has(custom.area)`:                  false,
		`due_at < timestamp("2027-01-01T00:00:00Z")`: true,
		`amount * discount / 100.0 > 20000.0`:        true,
	} {
		c, err := quote.Read(text)
		require.NoError(t, err, text)
		got, err := c.Holds(values)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

// What has no value is nought, empty, or no.
func TestCondition_ofNothing(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]bool{
		"discount > 15": false, "discount == 0.0": true, `stage == ""`: true, "!urgent": true, "size(tags) == 0": true,
		`due_at < timestamp("2000-01-01T00:00:00Z")`: true, "size(custom) == 0": true,
	} {
		c, err := quote.Read(text)
		require.NoError(t, err, text)
		got, err := c.Holds(map[string]any{"stage": nil})
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

// What cannot be used says at which line and column.
func TestCondition_faults(t *testing.T) {
	t.Parallel()

	for text, at := range map[string]string{
		"discount >":            "line 1, column",
		"discount > 15 &&\n xx": "line 2, column 2",
		`discount > "15"`:       "line 1, column 10",
		"discount == 15":        "with a point",
		"discount":              "line 1, column 1: it must say yes or no",
		"customer.name == ''":   "line 1",
		strings.Repeat("a", rules.MaxCondition+1): "longer than a condition may be",
		"\xff": "UTF-8",
	} {
		_, err := quote.Read(text)
		require.ErrorContains(t, err, at, text)
		require.Equal(t, "condition", errs.CodeOf(err), text)
		require.Equal(t, errs.Invalid, errs.KindOf(err), text)
	}
	long := `"` + strings.Repeat("a", rules.MaxCondition-len(`"" == stage`)) + `" == stage`
	require.Len(t, long, rules.MaxCondition)
	_, err := quote.Read(long)
	require.NoError(t, err)
}

// What would take too long is given up, and says so.
func TestCondition_cost(t *testing.T) {
	t.Parallel()

	many := make([]any, 400)
	for i := range many {
		many[i] = "x"
	}
	c, err := quote.Read(`tags.all(a, tags.all(b, tags.all(c, a == b && b == c)))`)
	require.NoError(t, err)
	_, err = c.Holds(map[string]any{"tags": many})
	require.Equal(t, "condition", errs.CodeOf(err))
	c, err = quote.Read("custom.nothing == 1")
	require.NoError(t, err)
	_, err = c.Holds(nil)
	require.Equal(t, errs.Clash, errs.KindOf(err))
}

func BenchmarkCondition(b *testing.B) {
	c, err := quote.Read(`discount > 15 && amount > 100000 && customer.grade == "A"`)
	require.NoError(b, err)
	values := map[string]any{"discount": 22.0, "amount": 120000.0, "customer.grade": "A"}
	for b.Loop() {
		if ok, err := c.Holds(values); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
