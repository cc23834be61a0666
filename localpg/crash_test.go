//go:build unix

package localpg_test

import (
	"context"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/localpg"
)

func TestOpen_after_postgres_was_killed(t *testing.T) {
	t.Parallel()

	s := open(t, cluster(t))
	conn := connect(t, s)
	_, err := conn.Exec(t.Context(), "CREATE TABLE kept (n int)")
	require.NoError(t, err)
	require.NoError(t, s.Err())

	require.NoError(t, syscall.Kill(s.Pid(), syscall.SIGKILL))
	<-s.Done()
	require.ErrorContains(t, s.Err(), "ended by itself")

	again := open(t, s.Dir())
	_, err = connect(t, again).Exec(t.Context(), "INSERT INTO kept VALUES (1)")
	require.NoError(t, err)
	require.NoError(t, s.Stop(t.Context()), "stopping the dead one")
	require.Equal(t, "on", setting(t, again, "autovacuum"), "leaves its successor alone")
}

func TestOpen_while_a_query_of_a_killed_server_runs(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere the query has to end first")
	}

	s := open(t, cluster(t))
	busy := connect(t, s)
	running := make(chan error, 1)
	go func() {
		// Counting does not look up, so it does not notice that its parent is gone.
		_, err := busy.Exec(context.Background(), "SELECT count(*) FROM generate_series(1, 1e12)")
		running <- err
	}()
	watcher := connect(t, s)
	require.Eventually(t, func() bool {
		var n int
		err := watcher.QueryRow(t.Context(),
			"SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT count(*) FROM generate%'").Scan(&n)
		return err == nil && n == 1
	}, soon, pollEvery)
	require.NoError(t, syscall.Kill(s.Pid(), syscall.SIGKILL))
	<-s.Done()

	open(t, s.Dir())

	require.Error(t, <-running)
}

func TestOpen_second_opener(t *testing.T) {
	t.Parallel()

	s := open(t, cluster(t))

	_, err := localpg.Open(t.Context(), localpg.Config{Dir: s.Dir(), Fast: true})

	require.Equal(t, errs.Busy, errs.KindOf(err))
	require.ErrorContains(t, err, s.Dir()+" is in use by another process ("+strconv.Itoa(os.Getpid())+")")
	require.ErrorContains(t, err, "stop that one first")
	require.NoError(t, connect(t, s).Ping(t.Context()), "the first is unharmed")
}

func TestOpen_after_its_process_was_killed(t *testing.T) {
	t.Parallel()

	dir := cluster(t)
	first := startOpener(t, dir)
	pid := first.postgres(t)

	first.kill(t)

	s := open(t, dir)
	require.NotEqual(t, pid, s.Pid())
	requireGone(t, pid)
}

func TestOpen_after_both_were_killed(t *testing.T) {
	t.Parallel()

	dir := cluster(t)
	first := startOpener(t, dir)
	pid := first.postgres(t)

	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	first.kill(t)

	open(t, dir)
}

// Without the kernel's help, or when only the thread's death was missed, the
// server of a killed process goes on.
func TestOpen_orphan(t *testing.T) {
	t.Parallel()

	dir := cluster(t)
	orphan, err := localpg.Open(t.Context(), localpg.Config{Dir: dir, Fast: true, Shared: true})
	require.NoError(t, err)
	conn := connect(t, orphan)

	s := open(t, dir)

	requireGone(t, orphan.Pid())
	require.Error(t, conn.Ping(t.Context()))
	require.NoError(t, connect(t, s).Ping(t.Context()))
}

func TestOpen_pid_of_somebody_else(t *testing.T) {
	t.Parallel()

	other := open(t, cluster(t))
	tests := []struct {
		name string
		pid  int
	}{
		{"a program", os.Getpid()},
		{"the first process", 1},
		{"the PostgreSQL of other data", other.Pid()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			dir := cluster(t)
			pidFile := strconv.Itoa(tt.pid) + "\n" + dir + "/pg\n1700000000\n5432\n/tmp\n\n"
			require.NoError(t, os.WriteFile(filepath.Join(dir, "pg", "postmaster.pid"), []byte(pidFile), 0o600))

			s := open(t, dir)

			require.NotEqual(t, tt.pid, s.Pid())
			require.NoError(t, connect(t, other).Ping(t.Context()), "nobody else is harmed")
		})
	}
}

func TestOpen_socket_lock_of_somebody_else(t *testing.T) {
	t.Parallel()

	dir := cluster(t)
	s := open(t, dir)
	sock := s.Socket()
	require.NoError(t, s.Stop(t.Context()))
	require.NoError(t, os.Mkdir(sock, 0o700))
	lock := strconv.Itoa(os.Getpid()) + "\n" + dir + "/pg\n1700000000\n5432\n" + sock + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(sock, ".s.PGSQL.5432.lock"), []byte(lock), 0o600))

	open(t, dir)
}

func TestOpen_killed_while_it_made_the_data(t *testing.T) {
	t.Parallel()

	dir := folder(t)
	first := startOpener(t, dir)
	require.Eventually(t, func() bool {
		begun, _ := filepath.Glob(filepath.Join(dir, "pg.init-*", "base"))
		return len(begun) == 1
	}, soon, pollEvery)
	first.kill(t)
	require.NoDirExists(t, filepath.Join(dir, "pg"), "half a cluster is none")

	s := open(t, dir)

	require.NoError(t, connect(t, s).Ping(t.Context()))
	require.Eventually(t, func() bool {
		left, _ := filepath.Glob(filepath.Join(dir, "pg.init-*"))
		return len(left) == 0
	}, soon, pollEvery)
}

func TestOpen_data_of_another_version(t *testing.T) {
	t.Parallel()

	dir := cluster(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pg", "PG_VERSION"), []byte("13\n"), 0o600))

	_, err := localpg.Open(t.Context(), localpg.Config{Dir: dir, Fast: true})

	require.Equal(t, errs.Invalid, errs.KindOf(err))
	require.ErrorContains(t, err, "was written by PostgreSQL 13")
	require.ErrorContains(t, err, "Install PostgreSQL 13 beside it")
	require.ErrorContains(t, err, "pg_upgrade")
}

func TestOpen_something_else_in_its_place(t *testing.T) {
	t.Parallel()

	dir := folder(t)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "pg", "photos"), 0o755))

	_, err := localpg.Open(t.Context(), localpg.Config{Dir: dir, Fast: true})

	require.ErrorContains(t, err, "holds no PostgreSQL data")
	require.DirExists(t, filepath.Join(dir, "pg", "photos"))
}

func TestOpen_root_in_a_closed_folder(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root drops to another user")
	}

	closed := folder(t)
	require.NoError(t, os.Chmod(closed, 0o700))
	asked := filepath.Join(closed, "data")
	s := open(t, asked)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(s.Dir())) })
	require.True(t, strings.HasPrefix(s.Dir(), "/var/lib/roadbook/data-"), s.Dir())
	require.NoError(t, s.Stop(t.Context()))

	require.NoError(t, os.Chmod(closed, 0o755))
	again := open(t, asked)

	require.Equal(t, s.Dir(), again.Dir(), "the data is found where it is, not where it was asked for")
}

func TestOpen_socket_folder_of_somebody_else(t *testing.T) {
	t.Parallel()
	nobody, err := user.Lookup("nobody")
	if os.Geteuid() != 0 || err != nil {
		t.Skip("only root can give a folder away")
	}

	dir := cluster(t)
	s := open(t, dir)
	sock := s.Socket()
	require.NoError(t, s.Stop(t.Context()))
	require.NoError(t, os.Mkdir(sock, 0o777))
	t.Cleanup(func() { _ = os.Remove(sock) })
	uid, _ := strconv.Atoi(nobody.Uid)
	require.NoError(t, os.Chown(sock, uid, -1))

	_, err = localpg.Open(t.Context(), localpg.Config{Dir: dir, Fast: true})

	require.ErrorContains(t, err, "is somebody else's")
}

func TestOpen_shared(t *testing.T) {
	t.Parallel()

	shared := localpg.Config{Dir: cluster(t), Fast: true, Shared: true}
	first, err := localpg.Open(t.Context(), shared)
	require.NoError(t, err)
	second, err := localpg.Open(t.Context(), shared)
	require.NoError(t, err)
	require.Equal(t, first.Pid(), second.Pid())
	require.Equal(t, first.DSN("postgres"), second.DSN("postgres"))
	require.Equal(t, first.Version(), second.Version())

	require.NoError(t, localpg.StopAt(t.Context(), shared.Dir))

	requireGone(t, first.Pid())
	require.NoDirExists(t, first.Socket())
	require.NoError(t, localpg.StopAt(t.Context(), shared.Dir), "nothing to do")
	require.NoError(t, localpg.StopAt(t.Context(), filepath.Join(shared.Dir, "missing")))
}

func TestOpen_shared_and_idle(t *testing.T) {
	t.Parallel()

	s, err := localpg.Open(t.Context(), localpg.Config{Dir: cluster(t), Fast: true, Shared: true, Idle: time.Hour})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	asked := func() time.Time {
		info, err := os.Stat(filepath.Join(s.Dir(), "used"))
		require.NoError(t, err)
		return info.ModTime()
	}
	require.WithinDuration(t, time.Now(), asked(), time.Minute)
	require.NoError(t, s.StopWhenIdle(t.Context(), pollEvery))
	require.NoError(t, connect(t, s).Ping(t.Context()), "it is in use")

	long := time.Now().Add(-2 * time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(s.Dir(), "used"), long, long))

	<-s.Done()
}

func TestFind(t *testing.T) {
	t.Parallel()

	fake := func(version string) string {
		dir := t.TempDir()
		script := "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n"
		for _, name := range []string{"postgres", "initdb"} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755))
		}
		return dir
	}
	v13, v16, v17 := fake("13.9"), fake("16beta2"), fake("17.1 (Debian 17.1-1)")
	client := t.TempDir() // libpq-dev has a pg_config, and no server
	require.NoError(t, os.WriteFile(filepath.Join(client, "pg_config"), nil, 0o755))

	tests := []struct {
		name    string
		major   int
		folders []string
		want    string
		err     string
	}{
		{"the first that is new enough", 0, []string{client, v13, v17, v16}, v17, ""},
		{"the one that made the data", 16, []string{v17, v16}, v16, ""},
		{"any, rather than none", 15, []string{v17, v16}, v17, ""},
		{"too old", 0, []string{v13}, "", "PostgreSQL 13 in " + v13 + " is too old, 15 or later is needed"},
		{"none", 0, []string{client}, "", "not found, neither in PATH nor in " + client},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			dir, _, err := localpg.FindAmong(t.Context(), tt.major, tt.folders...)

			if tt.err != "" {
				require.Equal(t, errs.Missing, errs.KindOf(err))
				require.ErrorContains(t, err, tt.err)
				require.ErrorContains(t, err, "Install it with")
				require.ErrorContains(t, err, "ROADBOOK_DATABASE_URL")
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, dir)
		})
	}
}

func TestOpen_named_programs_are_the_only_ones(t *testing.T) {
	t.Parallel()

	empty := t.TempDir()

	_, err := localpg.Open(t.Context(), localpg.Config{Dir: folder(t), Bin: empty})

	require.Equal(t, errs.Missing, errs.KindOf(err))
	require.ErrorContains(t, err, "ROADBOOK_PG_BIN is "+empty)
}

func TestOpen_without_a_folder(t *testing.T) {
	t.Parallel()

	_, err := localpg.Open(t.Context(), localpg.Config{})
	require.ErrorContains(t, err, "no folder")
}

func TestBuffers(t *testing.T) {
	t.Parallel()

	require.EqualValues(t, 256<<20, localpg.Buffers(0), "unknown: modest")
	require.EqualValues(t, 128<<20, localpg.Buffers(100<<20), "at least")
	require.EqualValues(t, 1<<30, localpg.Buffers(4<<30), "a quarter")
	require.EqualValues(t, 2<<30, localpg.Buffers(64<<30), "at most")
}

func TestOpen_programs_that_the_user_may_not_run(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root drops to another user")
	}

	postgres, err := exec.LookPath("postgres")
	if err != nil {
		t.Skip("no postgres in PATH to link to")
	}
	postgres, err = filepath.EvalSymlinks(postgres)
	require.NoError(t, err)
	closed := t.TempDir()
	require.NoError(t, os.Chmod(closed, 0o700))
	for _, name := range []string{"postgres", "initdb"} {
		require.NoError(t, os.Symlink(filepath.Join(filepath.Dir(postgres), name), filepath.Join(closed, name)))
	}

	_, err = localpg.Open(t.Context(), localpg.Config{Dir: folder(t), Bin: closed})

	require.ErrorContains(t, err, "may not run "+closed)
}
