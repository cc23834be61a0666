package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// One installation from its first start to its last, through everything that
// happens to it in between.
func TestServe_life(t *testing.T) {
	t.Parallel()

	data := dataFolder(t)
	here := "ROADBOOK_DATA=" + data

	first := serve(t, here)
	require.Equal(t, http.StatusOK, first.get("/healthz"), "it answers from its first moment")
	first.ready()
	require.Equal(t, http.StatusOK, first.login().StatusCode)
	banner := first.says(regexp.MustCompile("stop .*Ctrl-C"))
	for _, told := range []string{first.url, data, "PostgreSQL 1", "org demo, password roadbook", "lin, zhou or wang (rep)"} {
		require.Contains(t, banner, told)
	}

	second, code := run(t, []string{here, "ROADBOOK_ADDR=127.0.0.1:0"}, "serve")
	require.Equal(t, exitFailed, code)
	require.Contains(t, second, "the data in "+data+" is in use by another process")
	require.Equal(t, http.StatusOK, first.get("/readyz"), "the first goes on")

	address := "ROADBOOK_ADDR=" + strings.TrimPrefix(first.url, "http://")
	second, code = run(t, []string{here, address}, "serve")
	require.Equal(t, exitFailed, code)
	require.Contains(t, second, "a Roadbook serves on "+strings.TrimPrefix(first.url, "http://")+" already")

	report, code := run(t, []string{here, address}, "doctor")
	require.Equal(t, exitOK, code, report)
	require.Contains(t, report, "in use by the Roadbook on "+first.url)

	key, err := os.ReadFile(filepath.Join(data, keyFile))
	require.NoError(t, err)
	first.kill()
	first = serve(t, here).ready() // whatever its PostgreSQL is doing just now
	require.Equal(t, http.StatusOK, first.login().StatusCode)
	require.NotContains(t, first.out.String(), "making the org")

	first.drain()
	require.Zero(t, postgres(data), "nothing is left running")
	first = serve(t, here).ready()
	require.Equal(t, http.StatusOK, first.login().StatusCode, "a warm start")
	first.stop()
	require.Zero(t, postgres(data), "nothing is left running")
	again, err := os.ReadFile(filepath.Join(data, keyFile))
	require.NoError(t, err)
	require.Equal(t, key, again)
}

func TestServe_itsPostgreSQLIsKilled(t *testing.T) {
	t.Parallel()

	data := dataFolder(t)
	p := serve(t, "ROADBOOK_DATA="+data)
	p.says(regexp.MustCompile("making the org"))
	require.NoError(t, syscall.Kill(postgres(data), syscall.SIGKILL))

	require.Equal(t, exitFailed, p.wait(), p.out)
	require.Contains(t, p.out.String(), "PostgreSQL has ended by itself")

	// The next server goes on with the founding, and nothing is there twice.
	p = serve(t, "ROADBOOK_DATA="+data)
	p.says(regexp.MustCompile("  25 %"))
	p.kill()
	serve(t, "ROADBOOK_DATA="+data).ready().stop()
	report, code := run(t, []string{"ROADBOOK_DATA=" + data, "ROADBOOK_ADDR=127.0.0.1:0"}, "doctor")
	require.Equal(t, exitOK, code, report)
	require.Regexp(t, "ok +demo org +whole", report)
	require.Equal(t, planned(t), recordsIn(t, data))
}

// drain ends a server while a request is in hand: that one is answered, and
// nothing is accepted any more.
func (p *process) drain() {
	p.t.Helper()
	body, rest := io.Pipe()
	answer := make(chan *http.Response, 1)
	go func() {
		defer close(answer)
		if got, err := p.post(body); err == nil {
			answer <- got
		}
	}()
	_, err := io.WriteString(rest, loginBody[:20])
	require.NoError(p.t, err)
	p.signal(os.Interrupt)
	require.Eventually(p.t, func() bool { return p.get("/healthz") == 0 }, patience, often, "it still takes requests")

	_, err = io.WriteString(rest, loginBody[20:])
	require.NoError(p.t, err)
	require.NoError(p.t, rest.Close())

	got := <-answer
	require.NotNil(p.t, got, p.out)
	require.Equal(p.t, http.StatusOK, got.StatusCode)
	require.Zero(p.t, p.wait(), p.out)
	require.Contains(p.t, p.out.String(), "stopping; once more quits at once")
}

func TestServe_secondSignal(t *testing.T) {
	t.Parallel()

	data := dataFolder(t)
	p := serve(t, "ROADBOOK_DATA="+data)
	p.says(regexp.MustCompile("making the org"))
	body, rest := io.Pipe()
	go func() { _, _ = p.post(body) }() // a client that never finishes
	_, err := io.WriteString(rest, loginBody[:20])
	require.NoError(t, err)
	p.signal(os.Interrupt)
	p.says(regexp.MustCompile("stopping"))

	p.signal(os.Interrupt)

	require.Equal(t, -1, p.wait(), "ended by the signal")
	require.NoError(t, rest.Close())
	require.Eventually(t, func() bool { return postgres(data) == 0 }, patience, often, "its PostgreSQL follows")
}

func TestServe_cannotStart(t *testing.T) {
	t.Parallel()

	data := dataFolder(t)
	other := dataFolder(t)
	require.NoError(t, os.MkdirAll(filepath.Join(other, "pg"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(other, "pg", "PG_VERSION"), []byte("9\n"), 0o600))
	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(filepath.Join(other, "pg"), 65534, 65534))
	}
	taken := listening(t)
	tests := []struct {
		name    string
		environ []string
		want    []string
	}{
		{
			"the port is another program's",
			[]string{"ROADBOOK_ADDR=" + taken},
			[]string{"another program listens on " + taken, "stop it, or choose another"},
		},
		{"no such address", []string{"ROADBOOK_ADDR=192.0.2.1:80"}, []string{"name an address of this machine"}},
		{
			"a wrong setting",
			[]string{"ROADBOOK_SECRET=short", "ROADBOOK_ADDR=nowhere"},
			[]string{"ROADBOOK_SECRET: must be 32 bytes", "ROADBOOK_ADDR: "},
		},
		{"no PostgreSQL there", []string{"ROADBOOK_PG_BIN=/nowhere"}, []string{"ROADBOOK_PG_BIN is /nowhere"}},
		{"data of another version", []string{"ROADBOOK_DATA=" + other}, []string{"was written by PostgreSQL 9", "pg_upgrade"}},
		{
			"the database does not answer",
			[]string{"ROADBOOK_DATABASE_URL=postgres://u:hush@127.0.0.1:1/x"},
			[]string{"no PostgreSQL answers at 127.0.0.1:1/x", "correct ROADBOOK_DATABASE_URL"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			environ := append([]string{"ROADBOOK_DATA=" + data, "ROADBOOK_ADDR=127.0.0.1:0"}, tt.environ...)
			out, code := run(t, environ, "serve")

			require.Equal(t, exitFailed, code)
			for _, want := range tt.want {
				require.Contains(t, out, want)
			}
			require.NotContains(t, out, "hush", "no password is shown")
		})
	}
}
