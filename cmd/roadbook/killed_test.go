package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/localpg"
	"roadbook/store/pg"
)

// kills is how often something is killed: 20 times, 200 if ROADBOOK_FULL is set.
func kills() int {
	if os.Getenv("ROADBOOK_FULL") != "" {
		return 200
	}
	return 20
}

// mortal is an installation of which the server and its PostgreSQL are killed.
type mortal struct {
	t      *testing.T
	data   string
	pg     *localpg.Server
	dsn    string
	with   string // what is said to PostgreSQL besides, in the address that servers are given
	pool   *pg.Pool
	server *process

	environ []string // of servers to come, besides
}

func newMortal(t *testing.T) *mortal {
	t.Helper()
	return newMortalIn(t, dataFolder(t))
}

// newMortalIn is newMortal with a folder for the data of PostgreSQL, and with
// settings such as lock_timeout=2s for the connections of its servers.
func newMortalIn(t *testing.T, data string, settings ...string) *mortal {
	t.Helper()
	copyFounded(t, data)
	m := &mortal{t: t, data: data}
	for _, s := range settings {
		m.with += "&" + s
	}
	m.openPG()
	t.Cleanup(func() { m.pool.Close(); _ = m.pg.Stop(t.Context()) })
	m.serve("127.0.0.1:0")
	m.server.ready()
	return m
}

// openPG starts PostgreSQL, or starts it again where it was killed.
func (m *mortal) openPG() {
	m.t.Helper()
	var err error
	m.pg, err = localpg.Open(m.t.Context(), localpg.Config{Dir: m.data, Fast: true})
	require.NoError(m.t, err)
	m.dsn, err = m.pg.Database(m.t.Context(), ownDatabase)
	require.NoError(m.t, err)
	if m.pool == nil {
		m.pool, err = pg.Open(m.t.Context(), m.dsn)
		require.NoError(m.t, err)
	}
}

func (m *mortal) serve(address string) {
	m.t.Helper()
	m.server = serve(m.t, append([]string{
		"ROADBOOK_ADDR=" + address, "ROADBOOK_DATABASE_URL=" + m.dsn + m.with, "ROADBOOK_DATA=" + m.data + "-server",
		"ROADBOOK_DEMO=true", "ROADBOOK_HORIZON=720h", "ROADBOOK_LOG_LEVEL=error",
	}, m.environ...)...)
}

// revive starts another server in the place of one that was killed.
func (m *mortal) revive() {
	m.t.Helper()
	m.serve(strings.TrimPrefix(m.server.url, "http://"))
}

// killPG kills PostgreSQL with all that it has in hand; the server stays. Its
// processes would finish what they are at if only the first of them died.
func (m *mortal) killPG() {
	m.t.Helper()
	for _, pid := range backends(m.t, m.data) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != syscall.ESRCH { // it may have ended by itself
			require.NoError(m.t, err)
		}
	}
	<-m.pg.Done()
}

// backends are the processes of a PostgreSQL, the first one first.
func backends(t *testing.T, data string) []int {
	t.Helper()
	first := postgres(data)
	require.Positive(t, first)
	pids := []int{first}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", first, first))
	if err != nil {
		t.Skipf("this system does not tell which processes PostgreSQL has: %v", err)
	}
	for _, field := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(field)
		require.NoError(t, err)
		pids = append(pids, pid)
	}
	return pids
}

// supervise is what systemd does: a server whose PostgreSQL goes while it starts
// ends, and is started again. It returns when requests are served.
func (m *mortal) supervise() {
	m.t.Helper()
	for deadline := now().Add(patience); m.server.get("/readyz") != http.StatusOK; <-time.After(often) {
		require.True(m.t, now().Before(deadline), "not ready: %s", m.server.out)
		if m.server.get("/healthz") == 0 {
			m.server.wait()
			m.revive()
		}
	}
}

// age makes the older part of the log so old that the next server purges what
// was deleted there.
func (m *mortal) age() {
	m.t.Helper()
	_, err := m.pool.Exec(m.t.Context(), `UPDATE mutations m SET arrived = arrived - interval '60 days'
		FROM heads h WHERE h.org = m.org AND m.seq <= h.seq - 50 AND m.arrived > now() - interval '30 days'`)
	require.NoError(m.t, err)
}

// The server and its PostgreSQL are killed while phones push and while the
// server purges: whatever a phone was told is accepted is in the log at that
// moment, what it was not told comes again, everything typed is there once, and
// the log is whole.
func TestServe_killedAgainAndAgain(t *testing.T) {
	t.Parallel()

	m := newMortal(t)
	seed := uint64(now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 1))
	f := newFleet(t, 4, m.server.url)
	f.progress(50)

	for n := range kills() {
		if n%50 == 49 {
			t.Logf("%d kills, %d changes accepted", n+1, len(f.accepted()))
		}
		f.progress(dice.IntN(30)) // 0: right at the start, into the purge
		if n%5 == 4 {
			m.killPG()
			accepted := f.acceptedAtLast()
			m.openPG()
			inLog(t, m.pool, accepted)
			m.supervise()
			continue
		}
		m.server.kill()
		inLog(t, m.pool, f.acceptedAtLast())
		m.age()
		m.revive()
	}

	require.NoError(t, m.pg.Stop(t.Context())) // as for an update of it
	accepted := f.acceptedAtLast()
	m.openPG()
	inLog(t, m.pool, accepted)
	m.supervise()
	f.progress(1)
	typed := f.settle()
	require.Greater(t, len(typed), 100)
	inLog(t, m.pool, typed)
	wholeLog(t, m.pool)
	var purged int
	require.NoError(t, m.pool.QueryRow(t.Context(), `SELECT count(*) FROM mutations WHERE body LIKE '%"op":"purge"%'`).Scan(&purged))
	require.Positive(t, purged, "something was purged meanwhile")
	m.server.stop()
}
