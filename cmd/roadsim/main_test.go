package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/store/pg/pgtest"
)

// It plays what it is told to, says so, and stops by itself.
func TestRoadsim(t *testing.T) {
	t.Parallel()

	dsn, err := pgtest.Start(t.Context())
	require.NoError(t, err)
	var out, errs bytes.Buffer

	status := realMain(t.Context(), []string{"-dsn", dsn, "-seeds", "7:8", "-steps", "20", "-parallel", "1"}, &out, &errs)

	require.Zero(t, status, "%s%s", &out, &errs)
	require.Contains(t, out.String(), "2 histories")
	require.Contains(t, out.String(), "0 bad")
}

func TestRoadsim_script(t *testing.T) {
	t.Parallel()

	dsn, err := pgtest.Start(t.Context())
	require.NoError(t, err)
	var out, errs bytes.Buffer

	status := realMain(t.Context(), []string{"-dsn", dsn, "-script", "../../sim/testdata/case05_three_years_ahead.script"}, &out, &errs)

	require.Zero(t, status, "%s%s", &out, &errs)
	require.Contains(t, out.String(), "all is well")
}

func TestRoadsim_whatCannotBe(t *testing.T) {
	t.Parallel()

	for _, args := range [][]string{{"-seeds", "x"}, {"-seeds", "1:y"}, {"-nothing"}} {
		var out, errs bytes.Buffer
		require.Equal(t, 1, realMain(t.Context(), args, &out, &errs))
		require.NotEmpty(t, errs.String())
	}
}
