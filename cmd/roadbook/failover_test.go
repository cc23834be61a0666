package main

import (
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/backup"
	"roadbook/localpg"
	"roadbook/store/pg"
)

// pair is a server that knows both of a primary and its standby.
type pair struct {
	*mortal

	two     *localpg.Server
	environ []string // of the server
}

// newPair makes one. Pulls may read the standby if that is asked for.
func newPair(t *testing.T, aside bool) *pair {
	t.Helper()
	p := &pair{mortal: &mortal{t: t, data: dataFolder(t)}}
	p.openPG()
	t.Cleanup(func() { p.pool.Close(); _ = p.pg.Stop(t.Context()) })
	p.two = p.standby("two")
	both, err := url.Parse(p.dsn)
	require.NoError(t, err)
	other, err := url.Parse(p.second())
	require.NoError(t, err)
	q := both.Query()
	for _, name := range []string{"host", "port"} {
		q.Set(name, q.Get(name)+","+other.Query().Get(name))
	}
	q.Set("target_session_attrs", "read-write")
	both.RawQuery = q.Encode()
	p.dsn = both.String()
	environ := []string{"ROADBOOK_DATABASE_URL=" + p.dsn, "ROADBOOK_DATA=" + p.data + "-server", "ROADBOOK_DEMO=true"}
	if aside {
		environ = append(environ, "ROADBOOK_STANDBY_URL="+p.second())
	}
	p.environ = environ
	p.server = serve(t, environ...).ready()
	return p
}

func (p *pair) standby(name string) *localpg.Server {
	p.t.Helper()
	s, err := backup.Standby{
		Data: filepath.Join(filepath.Dir(p.data), name), Name: name, Primary: p.pg.DSN(ownDatabase), Fast: true, Tell: p.t.Logf,
	}.Follow(p.t.Context())
	require.NoError(p.t, err)
	p.t.Cleanup(func() { _ = s.Stop(p.t.Context()) })
	return s
}

// second is the address of the standby.
func (p *pair) second() string { return p.two.DSN(ownDatabase) }

// open is a pool on the standby.
func (p *pair) open() *pg.Pool {
	p.t.Helper()
	pool, err := pg.Open(p.t.Context(), p.second(), pg.MaxConns(2))
	require.NoError(p.t, err)
	p.t.Cleanup(pool.Close)
	return pool
}

// The primary dies, the standby, which lags, is promoted by whoever does such
// things, and the server goes on by itself on an address with both. Before it
// answers anybody from there a new epoch has begun: whoever is online finds the
// log cut at one point, and what phones were told is accepted is there in the
// end.
func TestServe_failsOverWhileItRuns(t *testing.T) {
	t.Parallel()

	p := newPair(t, false)
	all := newWitnesses(t, 4, p.server.url)
	all.follow(1, p.server.url)
	f := newFleet(t, 2, p.server.url)
	all.progress(30)
	f.progress(30)
	require.Eventually(t, func() bool { return all.toldDurable() > 0 }, patience, often, "nothing is durable")
	stopped := senders(t, p.pool)
	require.NotEmpty(t, stopped)
	for _, pid := range stopped {
		require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	}
	all.progress(30)
	f.progress(30)

	p.killPG()
	at, durable := all.over(), all.toldDurable()
	second := p.open()
	require.Eventually(t, func() bool { return backup.Promote(t.Context(), p.second(), false) == nil }, patience, often)
	p.server.says(regexp.MustCompile("the database has failed over to another"))
	left := all.rewind(second, at)
	require.GreaterOrEqual(t, left, durable, "what was durable is lost")
	p.server.ready()
	all.progress(30)
	f.progress(10)

	all.judge()
	typed := f.settle()
	inLog(t, second, typed)
	epochs, lost := 0, 0
	require.NoError(t, second.QueryRow(t.Context(), `SELECT count(*) FROM epochs WHERE reason LIKE '%failed over%'`).Scan(&epochs))
	require.Equal(t, 1, epochs)
	for _, seq := range all.acknowledged() {
		if seq > left && seq < left+1<<16 {
			lost++
		}
	}
	require.Positive(t, lost, "nothing was lost: the standby did not lag")
	p.server.stop()
}

// The old primary comes back, and is the first of the address. The server stays
// with the one that was promoted.
func TestServe_staysWithThePromoted(t *testing.T) {
	t.Parallel()

	p := newPair(t, false)
	f := newFleet(t, 2, p.server.url)
	f.progress(10)
	p.killPG()
	require.Eventually(t, func() bool { return backup.Promote(t.Context(), p.second(), false) == nil }, patience, often)
	p.server.says(regexp.MustCompile("the database has failed over to another"))
	p.server.ready()
	p.openPG()
	f.progress(10)
	second := p.open()
	_, err := second.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE application_name = 'roadbook' AND pid <> pg_backend_pid()`)
	require.NoError(t, err)
	f.progress(10)

	inLog(t, second, f.settle())
	require.Equal(t, 1, strings.Count(p.server.out.String(), "has failed over"), p.server.out)
	p.server.stop()
}

// Two servers on one database fail over with it, each by itself, and agree: one
// epoch begins, and neither serves anybody before that.
func TestServe_twoFailOver(t *testing.T) {
	t.Parallel()

	p := newPair(t, false)
	other := serve(t, p.environ...).ready()
	f := newFleet(t, 4, p.server.url, other.url)
	f.progress(20)
	stopped := senders(t, p.pool)
	require.NotEmpty(t, stopped)
	for _, pid := range stopped {
		require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	}
	f.progress(20)

	p.killPG()
	require.Eventually(t, func() bool { return backup.Promote(t.Context(), p.second(), false) == nil }, patience, often)
	for _, server := range []*process{p.server, other} {
		server.says(regexp.MustCompile("the database has failed over to another"))
		server.ready()
	}
	f.progress(10)

	second := p.open()
	inLog(t, second, f.settle())
	epochs := 0
	require.NoError(t, second.QueryRow(t.Context(), `SELECT count(*) FROM epochs`).Scan(&epochs))
	require.Equal(t, 1, epochs)
	p.server.stop()
	other.stop()
}
