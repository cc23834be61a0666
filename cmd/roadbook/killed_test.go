package main

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

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
	pool   *pg.Pool
	server *process
}

func newMortal(t *testing.T) *mortal {
	t.Helper()
	return newMortalIn(t, dataFolder(t))
}

// newMortalIn is newMortal with a folder for the data of PostgreSQL.
func newMortalIn(t *testing.T, data string) *mortal {
	t.Helper()
	m := &mortal{t: t, data: data}
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
	m.dsn, err = m.pg.Database(m.t.Context(), "customers")
	require.NoError(m.t, err)
	if m.pool == nil {
		m.pool, err = pg.Open(m.t.Context(), m.dsn)
		require.NoError(m.t, err)
	}
}

func (m *mortal) serve(address string) {
	m.t.Helper()
	m.server = serve(m.t, "ROADBOOK_ADDR="+address, "ROADBOOK_DATABASE_URL="+m.dsn, "ROADBOOK_DATA="+m.data+"-server",
		"ROADBOOK_DEMO=true", "ROADBOOK_HORIZON=720h", "ROADBOOK_LOG_LEVEL=error")
}

// killServer kills the server and starts another in its place.
func (m *mortal) killServer() {
	m.t.Helper()
	m.server.kill()
}

func (m *mortal) reviveServer() {
	m.t.Helper()
	m.serve(strings.TrimPrefix(m.server.url, "http://"))
}

// killPG kills PostgreSQL with all that it has in hand, and starts it again; the
// server stays.
func (m *mortal) killPG() {
	m.t.Helper()
	pid := postgres(m.data)
	require.Positive(m.t, pid)
	require.NoError(m.t, syscall.Kill(pid, syscall.SIGKILL))
	<-m.pg.Done()
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
	f := newFleet(t, 6, m.server.url)
	f.progress(50)

	for n := range kills() {
		f.progress(dice.IntN(30)) // 0: right at the start, into the purge
		if n%3 == 2 {
			m.killPG()
			accepted := f.accepted()
			m.openPG()
			inLog(t, m.pool, accepted)
			continue
		}
		m.killServer()
		inLog(t, m.pool, f.accepted())
		m.age()
		m.reviveServer()
	}

	require.NoError(t, m.pg.Stop(t.Context())) // as for an update of it
	accepted := f.acceptedAtLast()
	m.openPG()
	inLog(t, m.pool, accepted)
	m.supervise()
	f.progress(1)
	typed := f.settle()
	require.Greater(t, len(typed), 200)
	inLog(t, m.pool, typed)
	wholeLog(t, m.pool)
	var purged int
	require.NoError(t, m.pool.QueryRow(t.Context(), `SELECT count(*) FROM mutations WHERE body LIKE '%"op":"purge"%'`).Scan(&purged))
	require.Positive(t, purged, "something was purged meanwhile")
	m.server.stop()
}
