package field_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/record/field"
)

// Between any two there is another, as long as it may be.
func TestBetween_laws(t *testing.T) {
	t.Parallel()

	position := rapid.StringMatching(`[0-9a-z]{0,12}[1-9a-z]`)
	rapid.Check(t, func(t *rapid.T) {
		ends := []string{position.Draw(t, "one"), position.Draw(t, "other")}
		slices.Sort(ends)
		after, before := ends[0], ends[1]
		if rapid.Bool().Draw(t, "from the beginning") {
			after = ""
		}
		if rapid.Bool().Draw(t, "to the end") {
			before = ""
		}
		row := rapid.String().Draw(t, "row")

		got := field.Between(after, before, row)

		require.Equal(t, got, field.Between(after, before, row))
		if before != "" && after >= before {
			require.Empty(t, got)
			return
		}
		require.True(t, field.IsPosition(got), got)
		require.Greater(t, got, after)
		if before != "" {
			require.Less(t, got, before)
		}
	})
}

// Rows that are put at the end, or at the beginning, do not grow; ones that are
// put into ever the same place do, up to the limit and no further.
func TestBetween_growth(t *testing.T) {
	t.Parallel()

	last, first, squeezed := "", "", "y"
	for i := range field.MaxRows {
		last = field.Between(last, "", fmt.Sprint(i))
		require.LessOrEqual(t, len(last), 7)
		first = field.Between("", first, fmt.Sprint(i))
		require.LessOrEqual(t, len(first), 7)
	}
	for longest := 0; ; {
		next := field.Between("x", squeezed, "row")
		if next == "" {
			require.Greater(t, longest, field.MaxPosition-6, "it ends only where there is no more room")
			break
		}
		require.LessOrEqual(t, len(next), field.MaxPosition)
		longest, squeezed = len(next), next
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()

	for _, n := range []int{1, 2, 3, field.MaxRows} {
		last := ""
		for i := range n {
			next := field.Spread(i, n, fmt.Sprint(i))
			require.True(t, field.IsPosition(next))
			require.Greater(t, next, last)
			last = next
		}
	}
	require.NotEqual(t, field.Between("a", "b", "one"), field.Between("a", "b", "other"), "two rows in one place have two")
}

func TestIsPosition(t *testing.T) {
	t.Parallel()

	for text, is := range map[string]bool{
		"": false, "i": true, "0": false, "i0": false, "0i": true, "I": false, "é": false,
		strings.Repeat("i", field.MaxPosition): true, strings.Repeat("i", field.MaxPosition+1): false,
	} {
		require.Equal(t, is, field.IsPosition(text), text)
	}
}
