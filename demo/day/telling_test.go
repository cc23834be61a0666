package day_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/demo/day"
)

// What went wrong is counted, marked, and red where there are colours.
func TestTable_aCheckThatFails(t *testing.T) {
	t.Parallel()

	for colour, want := range map[bool]string{false: "  ✗     two of them", true: "\x1b[31m  ✗\x1b[0m     \x1b[31mtwo of them\x1b[0m"} {
		var out bytes.Buffer

		failed := day.Table(&out, day.English, colour, func(check func(ok bool, en, zh, detail string)) {
			check(true, "a customer is there", "客户在", "one of them")
			check(false, "a customer is there once", "客户只有一份", "two of them")
		})

		require.Equal(t, 1, failed)
		require.Contains(t, out.String(), want)
		require.Contains(t, out.String(), "1 of 2 checks passed")
	}
}
