package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDoctor_nothingYet(t *testing.T) {
	t.Parallel()

	data := dataFolder(t)
	here := []string{"ROADBOOK_DATA=" + data, "ROADBOOK_ADDR=127.0.0.1:0", "ROADBOOK_TEST_DSN=x", "ROADBOOK_SERCET=y"}

	report, code := run(t, here, "doctor")

	require.Equal(t, exitOK, code, report)
	require.Contains(t, report, "ROADBOOK_SERCET is no variable of Roadbook")
	require.NotContains(t, report, "ROADBOOK_TEST_DSN", "the tests' own")
	require.Regexp(t, "ROADBOOK_DATA +"+data, report)
	require.Regexp(t, `ok +database +`+data+` \(PostgreSQL \d+.*stopped again after this look`, report)
	require.Regexp(t, "ok +schema +step 0; the next start brings it to", report)
	require.Contains(t, report, "all is well")
	require.NoFileExists(t, filepath.Join(data, keyFile), "a doctor looks and leaves")
	require.Zero(t, postgres(data))

	// A key that is damaged is found before anybody is locked out.
	require.NoError(t, os.WriteFile(filepath.Join(data, keyFile), []byte("half a k"), 0o600))
	report, code = run(t, here, "doctor")
	require.Equal(t, exitFailed, code)
	require.Regexp(t, "FAIL +key +.*bring it back from a backup", report)
	report, code = run(t, here, "serve")
	require.Equal(t, exitFailed, code)
	require.Contains(t, report, "does not hold a key")
}

func TestTooLarge(t *testing.T) {
	t.Parallel()

	const rows = 1_000_000
	require.False(t, tooLarge(timesTooLarge*bytesPerRow*rows, rows))
	require.True(t, tooLarge(timesTooLarge*bytesPerRow*rows+1, rows))
	require.False(t, tooLarge(smallIndex, 0), "a small one costs nothing")
	require.True(t, tooLarge(smallIndex+1, 0))
}

func TestDoctor_failing(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name    string
		environ []string
		want    string
	}{
		{"settings", []string{"ROADBOOK_LOG=loud"}, `FAIL +settings [^$]*ROADBOOK_LOG: must be json, text or auto`},
		{"programs", []string{"ROADBOOK_PG_BIN=/nowhere"}, "FAIL +database +ROADBOOK_PG_BIN is /nowhere"},
		{"connection", []string{"ROADBOOK_DATABASE_URL=postgres://u@127.0.0.1:1/x"}, "FAIL +database +no PostgreSQL answers"},
		{"address", []string{"ROADBOOK_ADDR=" + listening(t), "ROADBOOK_PG_BIN=/nowhere"}, "FAIL +address +another program listens"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			environ := append([]string{"ROADBOOK_DATA=" + dataFolder(t), "ROADBOOK_ADDR=127.0.0.1:0"}, tt.environ...)
			report, code := run(t, environ, "doctor")

			require.Equal(t, exitFailed, code)
			require.Regexp(t, tt.want, report)
			require.Contains(t, report, "some of it has to be mended")
		})
	}
}
