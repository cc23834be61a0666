package main

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/config"
	"roadbook/errs"
)

// typed is what a command line prints, without a process of its own.
func typed(t *testing.T, args ...string) (out, errOut string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	code = realMain(t.Context(), args, nil, &o, &e)
	return o.String(), e.String(), code
}

func TestHelp(t *testing.T) {
	t.Parallel()

	for _, args := range [][]string{{"help"}, {"--help"}, {"-h"}} {
		out, errOut, code := typed(t, args...)
		require.Equal(t, exitOK, code)
		require.Empty(t, errOut)
		for _, cmd := range commands() {
			require.Contains(t, out, "  "+cmd.name+" ")
		}
	}
}

func TestHelp_ofEachCommand(t *testing.T) {
	t.Parallel()

	for _, cmd := range commands() {
		out, errOut, code := typed(t, cmd.name, "--help")
		again, _, _ := typed(t, "help", cmd.name)

		require.Equal(t, exitOK, code, cmd.name)
		require.Empty(t, errOut)
		require.Equal(t, out, again)
		require.Contains(t, out, cmd.brief)
	}
	out, _, _ := typed(t, "serve", "--help")
	for _, v := range config.Table() {
		require.Contains(t, out, v.Name)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()

	tests := []struct {
		args []string
		want string
	}{
		{nil, "Usage: roadbook COMMAND"},
		{[]string{"sevre"}, `there is no command "sevre"`},
		{[]string{"help", "sevre"}, `there is no command "sevre"`},
		{[]string{"serve", "--port", "1"}, "-port"},
		{[]string{"serve", "now"}, `"now" is not a flag`},
		{[]string{"seed", "--records", "many"}, `invalid value "many"`},
	}
	for _, tt := range tests {
		out, errOut, code := typed(t, tt.args...)
		require.Equal(t, exitUsage, code, tt.args)
		require.Empty(t, out)
		require.Contains(t, errOut, tt.want)
		require.Contains(t, errOut, "Usage: roadbook")
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()

	out, _, code := typed(t, "--version")
	require.Equal(t, exitOK, code)
	require.Regexp(t, `^roadbook .*schema step \d+, go1\.`, out)
}

func TestExplain(t *testing.T) {
	t.Parallel()

	err := errs.New("pg.Open", errs.Busy, "nobody answers: start it").Because(errors.New("dial:\nrefused"))
	require.Equal(t, "nobody answers: start it\n  because: dial:\n  refused", explain(err))
	require.Equal(t, "plain", explain(errors.New("plain")))
}

func TestThousands(t *testing.T) {
	t.Parallel()

	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 42_359: "42,359", 1_000_000: "1,000,000"} {
		require.Equal(t, want, thousands(n))
	}
}

func TestURLOf(t *testing.T) {
	t.Parallel()

	for addr, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080", ":80": "http://localhost:80", "0.0.0.0:1": "http://localhost:1",
		"[::]:1": "http://localhost:1", "[::1]:1": "http://[::1]:1", "Host:1": "http://host:1",
	} {
		require.Equal(t, want, urlOf(addr))
	}
}
