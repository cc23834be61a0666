package backup_test

import (
	"context"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/backup"
	"roadbook/errs"
	"roadbook/localpg"
	"roadbook/store/durable"
	"roadbook/store/pg"
)

func (w *world) standby(dir string) *localpg.Server {
	w.t.Helper()
	s, err := backup.Standby{
		Data: dir, Name: "two", Primary: w.server.DSN("roadbook"), Fast: true, Tell: w.t.Logf,
	}.Follow(w.t.Context())
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return s
}

// receivers are the processes that receive the WAL for a standby.
func receivers(t *testing.T, s *localpg.Server) (pids []int) {
	t.Helper()
	pool, err := pg.Open(t.Context(), s.DSN("postgres"), pg.MaxConns(1))
	require.NoError(t, err)
	defer pool.Close()
	rows, err := pool.Query(t.Context(), `SELECT pid FROM pg_stat_wal_receiver`)
	require.NoError(t, err)
	for rows.Next() {
		var pid int
		require.NoError(t, rows.Scan(&pid))
		pids = append(pids, pid)
	}
	return pids
}

func TestDurable_ofAStandby(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	known := durable.New(durable.Database{Pool: w.pool})
	ask := func() { require.NoError(t, known.Ask(t.Context())) }
	w.write()
	ask()
	require.Zero(t, known.Durable(w.org), "there is no standby")

	two := w.standby(memory(t))
	seq := w.write()
	require.Eventually(t, func() bool { ask(); return known.Durable(w.org) == seq }, soon, pollEvery)

	stopped := receivers(t, two)
	require.NotEmpty(t, stopped)
	for _, pid := range stopped {
		require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	}
	last := w.write()
	for range 20 {
		ask()
	}
	require.Equal(t, seq, known.Durable(w.org), "the standby has not got it")
	for _, pid := range stopped {
		require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	}
	require.Eventually(t, func() bool { ask(); return known.Durable(w.org) == last }, soon, pollEvery)

	require.NoError(t, two.Stop(t.Context()))
	w.write()
	for range 20 {
		ask()
	}
	require.Equal(t, last, known.Durable(w.org), "a standby that is away holds it up")
}

func TestPromote(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	dir := memory(t)
	two := w.standby(dir)
	last := w.write()
	w.confirmed()
	dsn := two.DSN("roadbook")
	require.Eventually(t, func() bool { return len(receivers(t, two)) > 0 }, soon, pollEvery)

	err := backup.Promote(t.Context(), dsn, false)
	require.Equal(t, errs.Clash, errs.KindOf(err), "%v", err)
	w.stop()
	require.Eventually(t, func() bool { return backup.Promote(t.Context(), dsn, false) == nil }, soon, pollEvery)
	require.NoError(t, backup.Promote(t.Context(), dsn, false), "twice is once")

	require.NoError(t, two.Stop(t.Context()))
	again := on(t, dir)
	begun, err := again.engine.Renew(t.Context(), "a promotion")
	require.NoError(t, err)
	require.Equal(t, 0, begun, "nobody had been served before the standby was made")
	begun, err = again.engine.Reborn(t.Context(), "a promotion")
	require.NoError(t, err)
	require.Equal(t, 1, begun)
	epoch := again.end().Seq
	require.Greater(t, epoch, last+1<<16)
	require.Equal(t, epoch+1, again.write())
}

func TestStandby_refusals(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	for name, want := range map[string]string{
		w.server.Dir(): "in use by another process",
		copied(t):      "that is no standby",
	} {
		_, err := backup.Standby{Data: name, Name: "two", Primary: w.server.DSN("roadbook"), Fast: true, Tell: t.Logf}.Follow(t.Context())
		require.ErrorContains(t, err, want)
	}
	for _, name := range []string{"", "Two", "a-b", strings.Repeat("x", 47)} {
		_, err := backup.Standby{Data: memory(t), Name: name, Primary: w.server.DSN("roadbook"), Tell: t.Logf}.Follow(t.Context())
		require.ErrorContains(t, err, "no name for a standby", name)
	}
}

func TestConfirmed_byACommand(t *testing.T) {
	t.Parallel()

	s, err := localpg.Open(t.Context(), localpg.Config{Dir: copied(t), Fast: true, Settings: map[string]string{
		"archive_mode": "on", "archive_command": "true",
	}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	pool, err := pg.Open(t.Context(), s.DSN("roadbook"), pg.MaxConns(2))
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	_, known, err := pg.Confirmed(t.Context(), pool)
	require.NoError(t, err)
	require.False(t, known)

	_, err = pool.Exec(t.Context(), "CREATE TABLE something (n int)")
	require.NoError(t, err)
	at, err := pg.WALEnd(t.Context(), pool)
	require.NoError(t, err)
	_, err = pg.SwitchWAL(t.Context(), pool)
	require.NoError(t, err)

	require.Eventually(t, func() bool {
		got, known, err := pg.Confirmed(t.Context(), pool)
		return err == nil && known && got >= at && got%(16<<20) == 0
	}, soon, pollEvery)
}
