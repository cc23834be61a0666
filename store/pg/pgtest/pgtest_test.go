package pgtest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/store/pg/pgtest"
)

const (
	// childHome makes this test binary a process with a server at that folder.
	childHome = "PGTEST_CHILD_HOME"

	// childFails makes the child's test fail.
	childFails = "PGTEST_CHILD_FAILS"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childHome); dir != "" {
		pgtest.SetHome(dir)
	}
	m.Run()
}

func isChild() bool { return os.Getenv(childHome) != "" || os.Getenv(childFails) != "" }

// child runs one test of this binary in another process.
func child(t *testing.T, test string, env ...string) (output string, err error) {
	t.Helper()

	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "-test.run", "^"+test+"$", "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestDB_is_migrated_and_nobody_elses(t *testing.T) {
	t.Parallel()

	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()

			pool := pgtest.DB(t)

			_, err := pool.Exec(t.Context(), "CREATE TABLE mine (n int)")
			require.NoError(t, err, "the others have one too")
			var steps int
			require.NoError(t, pool.QueryRow(t.Context(), "SELECT count(*) FROM goose_db_version").Scan(&steps))
			require.Positive(t, steps)
		})
	}
}

func TestDB_is_dropped(t *testing.T) {
	t.Parallel()

	var pool *pgxpool.Pool
	t.Run("passes", func(t *testing.T) { pool = pgtest.DB(t) })

	_, err := pgx.Connect(t.Context(), pool.Config().ConnString())

	require.ErrorContains(t, err, "does not exist")
}

var psql = regexp.MustCompile(`psql '([^']+)'`)

func TestDB_of_a_failing_test_is_kept(t *testing.T) {
	t.Parallel()

	out, err := child(t, "TestChild_one", childFails+"=1")
	require.Error(t, err)
	found := psql.FindStringSubmatch(out)
	require.NotNil(t, found, out)

	conn, err := pgx.Connect(t.Context(), found[1])

	require.NoError(t, err)
	require.Contains(t, conn.Config().Database, "kept_")
	var name string
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT name FROM evidence").Scan(&name))
	require.Equal(t, "fingerprints", name)
	require.NoError(t, conn.Close(t.Context()))
	_, err = pgtest.DB(t).Exec(t.Context(), "DROP DATABASE "+conn.Config().Database+" WITH (FORCE)")
	require.NoError(t, err)
}

// Of several processes that find no server, one starts it and makes the
// template, and all get their databases from it. It stays when they are gone.
func TestDB_many_processes_one_server(t *testing.T) {
	t.Parallel()

	dir := ownHome(t)
	var processes sync.WaitGroup
	for range 3 {
		processes.Go(func() {
			if out, err := child(t, "TestChild_many", childHome+"="+dir); err != nil {
				t.Error(err, out)
			}
		})
	}
	processes.Wait()
	pidFile := filepath.Join(dir, "pg", "postmaster.pid")
	first, err := os.ReadFile(pidFile)
	require.NoError(t, err, "the server goes on")

	out, err := child(t, "TestChild_one", childHome+"="+dir)

	require.NoError(t, err, out)
	second, err := os.ReadFile(pidFile)
	require.NoError(t, err)
	require.Equal(t, first, second, "and is joined")
}

func TestDB_server_stops_in_between(t *testing.T) {
	t.Parallel()

	out, err := child(t, "TestChild_stops", childHome+"="+ownHome(t))
	require.NoError(t, err, out)
	require.Contains(t, out, "--- PASS: TestChild_stops")
}

// ownHome is for a test that stops the server, which the others want running.
func ownHome(t *testing.T) string {
	t.Helper()
	if os.Getenv("ROADBOOK_TEST_DSN") != "" {
		t.Skip("not ours to start and stop")
	}

	dir := filepath.Join(os.TempDir(), strings.ReplaceAll(t.Name(), "/", "_"))
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		dir = filepath.Join("/dev/shm", filepath.Base(dir))
	}
	t.Cleanup(func() {
		if _, err := child(t, "TestChild_cleans", childHome+"="+dir); err != nil {
			t.Error(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestChild_one(t *testing.T) {
	if !isChild() {
		t.Skip("a part of another test")
	}

	pool := pgtest.DB(t)
	_, err := pool.Exec(t.Context(), "CREATE TABLE evidence (name text); INSERT INTO evidence VALUES ('fingerprints')")
	require.NoError(t, err)
	require.Empty(t, os.Getenv(childFails), "as asked")
}

func TestChild_many(t *testing.T) {
	t.Parallel()
	if !isChild() {
		t.Skip("a part of another test")
	}

	for range 6 {
		t.Run("", func(t *testing.T) {
			t.Parallel()

			require.NoError(t, pgtest.DB(t).Ping(t.Context()))
		})
	}
}

func TestChild_stops(t *testing.T) {
	if !isChild() {
		t.Skip("a part of another test")
	}

	t.Run("before", func(t *testing.T) { pgtest.DB(t) })
	require.NoError(t, pgtest.Stop(t.Context()))
	t.Run("after", func(t *testing.T) { pgtest.DB(t) })
	require.NoError(t, pgtest.Stop(t.Context()))
	require.NoError(t, pgtest.Stop(t.Context()), "nothing to do")
}

func TestChild_cleans(t *testing.T) {
	if !isChild() {
		t.Skip("a part of another test")
	}

	require.NoError(t, pgtest.Stop(t.Context()))
}
