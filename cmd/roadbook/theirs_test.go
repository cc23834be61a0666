package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"roadbook/demo"
	"roadbook/localpg"
	"roadbook/store/pg"
	"roadbook/store/pg/pgtest"
)

// theirs is an empty database in a PostgreSQL that somebody else looks after: the
// one that all tests share. Should this run be killed, a later one drops it, by
// its name.
func theirs(t *testing.T) string {
	t.Helper()
	admin, err := pgtest.Start(t.Context())
	require.NoError(t, err)
	db, err := pgx.Connect(t.Context(), admin)
	require.NoError(t, err)
	name := fmt.Sprintf("test_%d_%x", now().Unix(), randomBytes(6))
	_, err = db.Exec(t.Context(), "CREATE DATABASE "+name+" TEMPLATE template0 STRATEGY file_copy")
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_, err := db.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		require.NoError(t, err)
		_ = db.Close(ctx)
	})
	u, err := url.Parse(admin)
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}

// In a database of the operator's own, nothing is started, nobody can sign in
// with a password that everybody knows unless that is asked for, and several
// servers may work side by side.
func TestServe_databaseOfOnesOwn(t *testing.T) {
	t.Parallel()

	data := dataFolder(t)
	environ := []string{"ROADBOOK_DATABASE_URL=" + theirs(t), "ROADBOOK_DATA=" + data}

	out, code := run(t, environ, "migrate")
	require.Equal(t, exitOK, code, out)
	require.Regexp(t, `at step \d`, out)

	p := serve(t, environ...).ready()
	require.Contains(t, p.says(regexp.MustCompile("Ctrl-C")), "there is no demo org; ROADBOOK_DEMO=true makes one")
	require.Equal(t, http.StatusUnauthorized, p.login().StatusCode)
	require.NoFileExists(t, filepath.Join(data, "pg"))

	report, code := run(t, append(environ, "ROADBOOK_ADDR=127.0.0.1:0"), "doctor")
	require.Equal(t, exitOK, code, report)
	require.Contains(t, report, "a PostgreSQL of yours")
	require.Regexp(t, `ROADBOOK_DATABASE_URL +\[redacted\]`, report)
	require.Regexp(t, "ok +demo org +none", report)

	out, code = run(t, environ, "seed", "--org", "demo", "--records", fewRecords)
	require.Equal(t, exitOK, code, out)
	require.Contains(t, out, "the org demo has "+thousands(planned(t))+" records")
	out, code = run(t, environ, "seed", "--org", "demo", "--records", fewRecords)
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "choose another name with --org")

	second := serve(t, append(environ, "ROADBOOK_DEMO=true")...).ready()
	require.Contains(t, second.says(regexp.MustCompile("Ctrl-C")), "org demo, password roadbook")
	require.NotContains(t, second.out.String(), "making the org", "it is whole")
	require.Equal(t, http.StatusOK, second.login().StatusCode)
	require.Equal(t, http.StatusOK, p.login().StatusCode, "the first server has the same database")
	second.stop()
	p.stop()
}

// planned is how many records the small demo org has.
func planned(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(fewRecords)
	require.NoError(t, err)
	return demo.New(demo.Scale(n)).Records()
}

// recordsIn counts them in the data of a server that has ended.
func recordsIn(t *testing.T, data string) (n int) {
	t.Helper()
	s, err := localpg.Open(t.Context(), localpg.Config{Dir: data})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Stop(t.Context())) }()
	pool, err := pg.Open(t.Context(), s.DSN(ownDatabase))
	require.NoError(t, err)
	defer pool.Close()
	require.NoError(t, pool.QueryRow(t.Context(), "SELECT count(*) FROM records").Scan(&n))
	return n
}

// listening is an address that a program other than ours has taken.
func listening(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{Handler: http.NotFoundHandler()}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}
