package field

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// bent is a good spelling, or one that is wrong in one place.
func bent(t *rapid.T, good string) []byte {
	raw := []byte(good)
	if rapid.Bool().Draw(t, "bent") {
		at := rapid.IntRange(0, len(raw)-1).Draw(t, "at")
		raw[at] = rapid.SampledFrom([]byte(`0123456789.-:TZ"d e`)).Draw(t, "with")
	}
	return raw
}

// What is taken at first sight is what would have come of a closer look.
func TestSpelledInstant_isCanonical(t *testing.T) {
	t.Parallel()
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(-1e12, 5e12).Draw(t, "ms")).UTC()
		layout := rapid.SampledFrom([]string{instantLayout, milliLayout}).Draw(t, "layout")
		raw := bent(t, `"`+at.Format(layout)+`"`)
		if !spelledInstant(raw) {
			return
		}
		taken++
		parsed, err := parseInstant(raw)
		require.NoError(t, err, "%s", raw)
		require.Equal(t, string(raw), string(instantText(parsed)))
		key, err := instantKey(raw)
		require.NoError(t, err)
		require.Equal(t, parsed.Format(milliLayout), key)
	})
	require.Positive(t, taken)
}

func TestShortDecimal_isCanonical(t *testing.T) {
	t.Parallel()
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		good := fmt.Sprint(rapid.IntRange(-1e6, 1e6).Draw(t, "whole"))
		if rapid.Bool().Draw(t, "split") {
			good += "." + rapid.StringMatching(`0{0,6}[0-9]{1,10}`).Draw(t, "part")
		}
		raw := bent(t, good)
		if !shortDecimal(raw) {
			return
		}
		taken++
		require.True(t, json.Valid(raw), "%s", raw)
		x, err := parseNumber(raw)
		require.NoError(t, err)
		written, err := formatNumber(x)
		require.NoError(t, err)
		require.Equal(t, string(raw), string(written))
	})
	require.Positive(t, taken)
}

// A coordinate that is taken as it is would not have been rounded.
func TestCoordinate_ofFewDigits(t *testing.T) {
	t.Parallel()
	check := coordinate(MaxLng)
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.StringMatching(`-?(0|[1-9][0-9]?|1[0-7][0-9])(\.[0-9]{1,9})?`).Draw(t, "raw")
		got, err := check([]byte(raw))
		require.NoError(t, err)
		padded, err := check([]byte(" " + raw)) // which nothing takes at first sight
		require.NoError(t, err)
		require.Equal(t, string(padded), string(got))
		require.False(t, bytes.HasPrefix(got, []byte(" ")))
	})
}
