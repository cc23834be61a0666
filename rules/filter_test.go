package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/rules"
)

// A filter becomes a tree of comparisons of one field each.
func ExampleParse() {
	e, err := rules.Parse(`grade in ["A", "B"] && last_contact_at < timestamp("2026-10-01T00:00:00Z")`)
	fmt.Println(spell(e), err)
	_, err = rules.Parse(`grade == `)
	fmt.Println(errs.CodeOf(err))
	// Output:
	// (grade in ["A", "B"]) && (last_contact_at < timestamp("2026-10-01T00:00:00Z")) <nil>
	// filter
}

func TestParse(t *testing.T) {
	t.Parallel()

	tests := []struct{ filter, want string }{
		{`name == "兴旺"`, `name == "兴旺"`},
		{`name == '兴"旺'`, `name == "兴\"旺"`},
		{`a != 1 && b < -2.50 && c <= 3u`, `(a != 1) && (b < -2.5) && (c <= 3)`},
		{`5 > points || 1e3 >= amount`, `(points < 5) || (amount <= 1000)`},
		{`!(a == null) && !b`, `(!(a == null)) && (!(b == true))`},
		{`left_company`, `left_company == true`},
		{`a == false || (b && c)`, `(a == false) || ((b == true) && (c == true))`},
		{`name.startsWith("王")`, `name.startsWith("王")`},
		{`"冷链" in tags`, `"冷链" in tags`},
		{`grade in []`, `grade in []`},
		{`timestamp("2026-11-21T09:00:00Z") <= due_at`, `due_at >= timestamp("2026-11-21T09:00:00Z")`},
		{"a == 1 &&\n b == 2", `(a == 1) && (b == 2)`},
	}
	for _, tt := range tests {
		t.Run(tt.filter, func(t *testing.T) {
			t.Parallel()

			e, err := rules.Parse(tt.filter)
			require.NoError(t, err)
			require.Equal(t, tt.want, spell(e))
		})
	}
	none, err := rules.Parse("")
	require.NoError(t, err)
	require.Nil(t, none)
}

// What cannot be used is refused, and says at which character.
func TestParse_faults(t *testing.T) {
	t.Parallel()

	tests := []struct {
		filter string
		at     int
		says   string
	}{
		{`name ==`, 8, "cannot be read"},
		{`name = "a"`, 6, "cannot be read"},
		{"a == 1 &&\n b ==", 16, "cannot be read"},
		{`"王" == "王"`, 1, "a field was expected"},
		{`a == b`, 6, "a value was expected"},
		{`a == b.c`, 7, "a value was expected"},
		{`a.b == 1`, 2, "a field was expected"},
		{`1`, 1, "a condition was expected"},
		{`true`, 1, "a condition was expected"},
		{`[a]`, 1, "a condition was expected"},
		{`a + 1`, 3, "do not know this function"},
		{`has(a.b)`, 4, "do not know this function"},
		{`tags.exists(t, t == "x")`, 12, "do not know this function"},
		{`a ? b : c`, 3, "do not know this function"},
		{`name.startsWith()`, 16, "do not know this function"},
		{`startsWith("a")`, 11, "do not know this function"},
		{`"a".startsWith(name)`, 1, "a field was expected"},
		{`a == b"x"`, 6, "values of this sort"},
		{`a == timestamp(5)`, 16, "a time is written as text"},
		{`a == 1e999`, 6, "cannot be read"},
		{`1 in [1]`, 1, "a field was expected"},
		{`a in "abc"`, 6, "a list of values"},
		{`a in [b]`, 7, "a value was expected"},
		{"a == \"\xff\"", 1, "UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.filter, func(t *testing.T) {
			t.Parallel()

			_, err := rules.Parse(tt.filter)
			require.Error(t, err)
			require.Equal(t, errs.Invalid, errs.KindOf(err))
			require.Equal(t, "filter", errs.CodeOf(err))
			require.ErrorContains(t, err, tt.says)
			require.ErrorContains(t, err, fmt.Sprintf("at character %d:", tt.at))
		})
	}
}

// Each limit holds at it and not one past it.
func TestParse_limits(t *testing.T) {
	t.Parallel()

	term := func(n int) string { return strings.TrimSuffix(strings.Repeat("a == 1 && ", n), " && ") }
	list := func(n int) string { return "a in [" + strings.TrimSuffix(strings.Repeat("1,", n), ",") + "]" }
	long := func(n int) string { return `a == "` + strings.Repeat("x", n-7) + `"` }
	deep := func(n int) string { return strings.Repeat("!(", n-1) + "a" + strings.Repeat(")", n-1) }
	tests := []struct {
		name string
		at   func(int) string
		most int
		says string
	}{
		{"bytes", long, rules.MaxBytes, "longer than a filter may be"},
		{"terms", term, rules.MaxTerms, "too many comparisons"},
		{"list", list, rules.MaxList, "too many values"},
		{"depth", deep, rules.MaxDepth, "nested too deeply"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := rules.Parse(tt.at(tt.most))
			require.NoError(t, err)
			_, err = rules.Parse(tt.at(tt.most + 1))
			require.ErrorContains(t, err, tt.says)
		})
	}
	_, err := rules.Parse(strings.Repeat("(", rules.MaxBytes))
	require.Equal(t, "filter", errs.CodeOf(err), "the parser's own depth")
}

// FuzzFilter reads any text: it answers with a tree within the limits, whose
// spelling reads as the same tree, or says where it is wrong.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"", `a`, `a == 1`, `!(a != "x")`, `a in [1, 2.5, "x", null, true]`, `"x" in a`, `a.startsWith("x")`,
		`timestamp("2026-11-21T09:00:00Z") < a || b`, `((a))`, `a == b.c`, `a[1]`, `{1: 2}`, `a.all(x, x)`, "\"\\u0000\" == a", "a\n==\n1",
		`-a`, `a == -9223372036854775808`, `a == 1.7976931348623157e308`, `r"\" == a`, `a ==""`, "a ==\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := rules.Parse(text)
		if err != nil {
			require.Equal(t, "filter", errs.CodeOf(err), "%v", err)
			require.LessOrEqual(t, len(text), 1<<20)
			return
		}
		if e == nil {
			require.Empty(t, text)
			return
		}
		require.Positive(t, e.At())
		spelled := spell(e)
		again, err := rules.Parse(spelled)
		if len(spelled) > rules.MaxBytes || err != nil && strings.ContainsAny(text, "\\") {
			return // it grew by its escapes, or they are Go's and not CEL's
		}
		require.NoError(t, err, spelled)
		require.Equal(t, spelled, spell(again))
	})
}
