package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/bench"
)

// after leaves out what a run says on the way.
func after(out string) string {
	_, report, _ := strings.Cut(out, "\n{")
	return "{" + report
}

// The whole run in small: every measure can be taken, and what it prints can
// be read by a program.
func TestBench(t *testing.T) {
	t.Parallel()

	dir := filepath.Dir(dataFolder(t))
	out, code := run(t, []string{"ROADBOOK_LOG=json"}, "bench", "--quick", "--json", "--runs", "1", "--dir", dir)
	require.Zero(t, code, out)
	var report bench.Report
	require.NoError(t, json.Unmarshal([]byte(after(out)), &report), out)
	require.NotEmpty(t, report.Machine.PostgreSQL)
	names := ""
	for _, row := range report.Rows {
		if !strings.HasPrefix(row.Name, "processor time") { // which the kernel counts in hundredths of a second
			require.Positive(t, row.Value, row.Name)
		}
		names += row.Name + "\n"
	}
	for _, want := range []string{"first sync", "delta", "merged mutations", "one mutation", "revoke", "start", "purge", "duplicate check"} {
		require.Contains(t, names, want)
	}
	left, err := filepath.Glob(filepath.Join(dir, "roadbook-bench-*"))
	require.NoError(t, err)
	require.Empty(t, left, "what it made is still there")
}
