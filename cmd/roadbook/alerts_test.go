package main

import (
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/telemetry"
)

// sick is a server that is brought into the states that alerts are about, and
// whose metrics a monitor reads.
type sick struct {
	*mortal

	phone *device.Device
	fired map[string]bool // alerts, by name
}

// watched begins to watch by all rules, with a scrape at which all is well.
func (s *sick) watched() *alarm {
	s.t.Helper()
	a := newAlarm(s.t)
	require.Empty(s.t, a.take(0, s.server.scrape()))
	return a
}

// fires takes note of what must be firing, and nothing else.
func (s *sick) fires(firing []string, want ...string) {
	s.t.Helper()
	require.Equal(s.t, want, firing)
	for _, name := range want {
		s.fired[name] = true
	}
}

// types types something and sends it.
func (s *sick) types(kind string, values device.Values) {
	s.t.Helper()
	_, err := s.phone.Create(kind, values)
	require.NoError(s.t, err)
	_, err = s.phone.Push(s.t.Context())
	require.NoError(s.t, err)
}

var task = device.Values{"title": "call", "status": "open"}

// Every rule, on the metrics of a server to which it happens: it fires, nothing
// else does, and it did not before.
func TestAlerts_ofAServer(t *testing.T) {
	t.Parallel()

	s := &sick{mortal: newMortal(t), fired: map[string]bool{}}
	s.phone = s.server.phone()
	steps := []struct {
		name string
		run  func()
	}{
		{"all is well", s.isWell},
		{"what is sent is refused", s.refuses},
		{"commits are slow", s.isSlow},
		{"a table is gone", s.isBroken},
		{"memory grows", s.isLarge},
		{"requests queue for connections", s.isCrowded},
		{"jobs are left", s.leavesJobs},
		{"its PostgreSQL is gone", s.hasNoDatabase},
		{"it is gone", s.isGone},
	}
	for _, step := range steps {
		t.Log(step.name)
		step.run()
	}
	s.fired["RoadbookStopped"] = true // TestAlerts_aQueueThatStopped
	for _, r := range newAlarm(t).rules {
		require.True(t, s.fired[r.Alert], "%s has never been seen firing", r.Alert)
	}
}

func (s *sick) isWell() {
	for a, n := s.watched(), 0; n < 8; n++ {
		s.types("task", task)
		require.Empty(s.t, a.take(10*time.Minute, s.server.scrape()))
	}
}

// refuses: one change in five belongs to an account that is not there.
func (s *sick) refuses() {
	a := s.watched()
	var firing []string
	for range 4 {
		require.Empty(s.t, firing, "it may be one phone")
		for range 4 {
			s.types("task", task)
		}
		s.types("visit", device.Values{"account": newID().String(), "summary": "nobody"})
		firing = a.take(10*time.Minute, s.server.scrape())
	}
	s.fires(firing, "RoadbookRefusals")
}

// isSlow: somebody's transaction holds the org's row for more than a second.
func (s *sick) isSlow() {
	a := s.watched()
	var firing []string
	for range 5 {
		require.Empty(s.t, firing)
		held, err := s.pool.Begin(s.t.Context())
		require.NoError(s.t, err)
		_, err = held.Exec(s.t.Context(), `SELECT FROM heads FOR UPDATE`)
		require.NoError(s.t, err)
		let := time.AfterFunc(1100*time.Millisecond, func() { _ = held.Rollback(s.t.Context()) })
		s.types("task", task)
		let.Stop()
		firing = a.take(3*time.Minute, s.server.scrape())
	}
	s.fires(firing, "RoadbookSlowCommits")
}

// isBroken: nobody can sign in any more, for a reason of ours.
func (s *sick) isBroken() {
	a := s.watched()
	_, err := s.pool.Exec(s.t.Context(), `ALTER TABLE logins RENAME TO gone`)
	require.NoError(s.t, err)
	for range 6 {
		require.Equal(s.t, http.StatusInternalServerError, s.server.login().StatusCode)
	}
	_, err = s.pool.Exec(s.t.Context(), `ALTER TABLE gone RENAME TO logins`)
	require.NoError(s.t, err)
	s.fires(a.take(scrapeEvery, s.server.scrape()), "RoadbookInternalErrors")
	require.Empty(s.t, a.take(15*time.Minute, s.server.scrape()), "it is over")
}

// isLarge: a test would have to fill a gigabyte, so the figure is put in the place
// of the one that the server gives.
func (s *sick) isLarge() {
	resident := regexp.MustCompile(`(?m)^process_resident_memory_bytes .*$`)
	text := s.server.scrape()
	require.Regexp(s.t, resident, text)
	a := newAlarm(s.t)
	require.Empty(s.t, a.take(time.Hour, text))
	large := resident.ReplaceAllString(text, "process_resident_memory_bytes 1.1e+09")
	require.Empty(s.t, a.take(scrapeEvery, large))
	s.fires(a.take(15*time.Minute, large), "RoadbookMemory")
}

// isCrowded: six requests at a time wait for ten minutes, by the registry of a
// server, for a test has no time for that.
func (s *sick) isCrowded() {
	require.Regexp(s.t, `(?m)^roadbook_db_wait_seconds_total `, s.server.scrape())
	waited := 0.0
	m := newMetrics()
	m.WatchPool(func() telemetry.Pool { return telemetry.Pool{Max: 20, Used: 20, WaitSeconds: waited} })
	for most, want := range map[float64][]string{4: nil, 6: {"RoadbookNoConnections"}} {
		a := newAlarm(s.t)
		var firing []string
		for range 20 { // for the first of them the last five minutes are not full of it
			text, _, err := m.Text()
			require.NoError(s.t, err)
			firing = a.take(time.Minute, string(text))
			waited += most * time.Minute.Seconds()
		}
		s.fires(firing, want...)
	}
}

// leavesJobs: a job that no server here takes, and a change that a reaction has
// passed over.
func (s *sick) leavesJobs() {
	a := s.watched()
	for _, sql := range []string{
		`INSERT INTO river_job (kind, queue, args, max_attempts, state, scheduled_at)
		 VALUES ('greet', 'elsewhere', '{}', 1, 'available', now() - interval '2 minutes')`,
		`INSERT INTO reactions_failed (org, name, seq, reason, failed_at) VALUES (1, 'news', 1, 'no', now())`,
	} {
		_, err := s.pool.Exec(s.t.Context(), sql)
		require.NoError(s.t, err)
	}
	var text string
	stands := regexp.MustCompile(`(?m)^roadbook_given_up 1$`)
	require.Eventually(s.t, func() bool { text = s.server.scrape(); return stands.MatchString(text) }, patience, often)
	s.fires(a.take(scrapeEvery, text), "RoadbookJobsLate", "RoadbookGivenUp")

	for _, table := range []string{"river_job", "reactions_failed"} {
		_, err := s.pool.Exec(s.t.Context(), `DELETE FROM `+table)
		require.NoError(s.t, err)
	}
	require.Eventually(s.t, func() bool { text = s.server.scrape(); return !stands.MatchString(text) }, patience, often)
	require.Empty(s.t, a.take(scrapeEvery, text))
}

var faultsTotal = regexp.MustCompile(`(?m)^roadbook_faults_total (\S+)$`)

func (s *sick) faults() float64 {
	n, err := strconv.ParseFloat(faultsTotal.FindStringSubmatch(s.server.scrape())[1], 64)
	require.NoError(s.t, err)
	return n
}

// hasNoDatabase: PostgreSQL is killed, and nobody starts it for long.
func (s *sick) hasNoDatabase() {
	a := s.watched()
	before := s.faults()
	s.killPG()
	var firing []string
	for range 12 {
		for range 3 {
			require.Equal(s.t, http.StatusServiceUnavailable, s.server.login().StatusCode)
		}
		firing = a.take(time.Minute, s.server.scrape())
	}
	require.Subset(s.t, firing, []string{"RoadbookNotReady", "RoadbookBusy"})
	require.Eventually(s.t, func() bool { return s.faults() > before+6 }, 2*patience, often,
		"what follows the log tries again and again: %s", s.server.out)
	s.fires(a.take(scrapeEvery, s.server.scrape()), "RoadbookNotReady", "RoadbookFaults", "RoadbookBusy")

	s.openPG()
	s.server.ready()
	require.Equal(s.t, []string{"RoadbookFaults"}, a.take(5*time.Minute, s.server.scrape()), "for a quarter of an hour")
	require.Empty(s.t, a.take(15*time.Minute, s.server.scrape()))
}

func (s *sick) isGone() {
	a := s.watched()
	s.server.kill()
	require.Empty(s.t, a.miss(scrapeEvery), "it is being replaced")
	require.Empty(s.t, a.miss(time.Minute))
	s.fires(a.miss(time.Minute), "RoadbookDown")
}
