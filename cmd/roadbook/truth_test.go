package main

import (
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/telemetry"
	dots "roadbook/version"
)

// A queue that has stopped is told in under a minute: an org's row is held by
// somebody who does not let go of it. When he does, everything goes on.
func TestAlerts_aQueueThatStopped(t *testing.T) {
	t.Parallel()

	pool := pgtest.DB(t)
	var clock atomic.Int64 // set by hand
	clock.Store(now().UnixNano())
	at := func() time.Time { return time.Unix(0, clock.Load()) }
	pass := func(d time.Duration) { clock.Add(int64(d)) }
	metrics := telemetry.NewMetrics(telemetry.MetricsOptions{})
	e := sync.New(sync.Config{
		Store: store.New(pool), Rules: []sync.Rule{people.Rule{}}, Key: make([]byte, 32), Now: at, Draw: drawReplica,
	})
	t.Cleanup(e.Close)
	metrics.WatchQueue(e.Queue)
	var org record.OrgID
	require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) (err error) {
		org, err = store.CreateOrg(t.Context(), tx, store.NewOrg{Name: "acme", UID: newID(), Epoch: "e1", Draw: drawReplica})
		return err
	}))
	require.NoError(t, e.Publish(t.Context(), org, shipped.Schema()))
	a := newAlarm(t, "RoadbookStopped")
	scrape := func(after time.Duration) []string {
		pass(after)
		text, _, err := metrics.Text()
		require.NoError(t, err)
		return a.take(after, string(text))
	}
	require.Empty(t, scrape(0), "nobody waits")

	held, err := pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = held.Exec(t.Context(), `SELECT FROM heads WHERE org = $1 FOR UPDATE`, org)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		_, err := e.Commit(t.Context(), org, []sync.Proposal{{Mutation: record.Mutation{
			ID: newID(), Stamp: dots.StampAt(at()),
			Edits: []record.Edit{{Op: record.OpCreate, Kind: "unit", ID: newID(), Set: record.Values{
				{Field: "name", Raw: []byte(`"team"`)}, {Field: "kind", Raw: []byte(`"team"`)}, {Field: "status", Raw: []byte(`"active"`)},
			}}},
		}}})
		ended <- err
	}()
	require.Eventually(t, func() bool { return e.Queue().Waiting == 1 }, patience, often)
	waited := time.Duration(0)
	for ; len(scrape(scrapeEvery)) == 0; waited += scrapeEvery {
		require.Less(t, waited, time.Minute, "nobody is told")
	}
	require.Less(t, waited+scrapeEvery, time.Minute)

	require.NoError(t, held.Rollback(t.Context()))
	require.NoError(t, <-ended)
	require.Empty(t, scrape(scrapeEvery), "it is over")
	require.Equal(t, telemetry.Queue{}, e.Queue())
	pass(-time.Hour)
	require.Empty(t, scrape(0), "a clock that is set back raises nothing")
}

// scrape is what the server's metrics say.
func (p *process) scrape() string {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+"/metrics", http.NoBody)
	require.NoError(p.t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(p.t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(p.t, err)
	return string(text)
}

// PostgreSQL stands still in the middle of whatever it does, as on a machine
// that is starved or a disk that does not answer. The server says so, lives, and
// goes on when PostgreSQL does.
func TestServe_itsPostgreSQLStandsStill(t *testing.T) {
	t.Parallel()

	m := newMortal(t)
	a := newAlarm(t, "RoadbookNotReady")
	f := newFleet(t, 3, m.server.url)
	f.progress(20)
	require.Empty(t, a.take(0, m.server.scrape()))

	stopped := backends(t, m.data)
	for _, pid := range slices.Backward(stopped) {
		_ = syscall.Kill(pid, syscall.SIGSTOP) // one of them may have ended
	}
	goOn := func() {
		for _, pid := range stopped {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
	}
	t.Cleanup(goOn)
	require.Equal(t, http.StatusServiceUnavailable, m.server.get("/readyz"))
	require.Equal(t, http.StatusOK, m.server.get("/healthz"), "nobody restarts it")
	text := m.server.scrape()
	require.Contains(t, text, "roadbook_ready 0")
	require.Empty(t, a.take(scrapeEvery, text), "it may be nothing")
	require.Empty(t, a.take(scrapeEvery, text))
	require.Equal(t, []string{"RoadbookNotReady"}, a.take(scrapeEvery, text), "in under a minute")

	goOn()
	m.server.ready()
	f.progress(20)
	require.Empty(t, a.take(scrapeEvery, m.server.scrape()))
	inLog(t, m.pool, f.settle())
	wholeLog(t, m.pool)
	m.server.stop()
}

// One of two servers with one database is paused; the phones of the other go on,
// and when it wakes up, so do its own. Paused in the middle of a commit, it is its
// connection's idle_in_transaction_session_timeout that lets the others go on,
// which is ten seconds elsewhere.
func TestServe_oneOfTwoStandsStill(t *testing.T) {
	t.Parallel()

	m := newMortalIn(t, dataFolder(t), "idle_in_transaction_session_timeout=2s")
	first := m.server
	m.serve("127.0.0.1:0")
	second := m.server.ready()
	f := newFleet(t, 4, first.url, second.url)
	f.progress(20)

	for range 3 {
		first.signal(syscall.SIGSTOP)
		of := &fleet{t: t, phones: []*fleetPhone{f.phones[1], f.phones[3]}}
		of.progress(10)
		first.signal(syscall.SIGCONT)
		f.progress(10)
	}

	inLog(t, m.pool, f.settle())
	wholeLog(t, m.pool)
	first.stop()
	second.stop()
}
