//go:build unix

package localpg_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/localpg"
)

const (
	soon      = 20 * time.Second
	pollEvery = 5 * time.Millisecond

	// openerDir turns this test binary into a program that opens the folder
	// named there, says so, and waits to be killed.
	openerDir = "LOCALPG_TEST_OPENER_DIR"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(openerDir); dir != "" {
		beOpener(dir)
	}
	code := m.Run()
	if pristine.dir != "" {
		_ = os.RemoveAll(pristine.dir)
	}
	os.Exit(code)
}

func beOpener(dir string) {
	s, err := localpg.Open(context.Background(), localpg.Config{Dir: dir, Fast: true})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.Pid())
	select {}
}

// opener is another process that has a server.
type opener struct {
	*exec.Cmd

	out *bufio.Scanner
}

func startOpener(t *testing.T, dir string) opener {
	t.Helper()

	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), openerDir+"="+dir)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return opener{cmd, bufio.NewScanner(out)}
}

// postgres waits for the server to be up, and is its process.
func (o opener) postgres(t *testing.T) int {
	t.Helper()

	require.True(t, o.out.Scan(), "the opener says nothing")
	pid, err := strconv.Atoi(o.out.Text())
	require.NoError(t, err, o.out.Text())
	return pid
}

// kill is what nobody can prepare for.
func (o opener) kill(t *testing.T) {
	t.Helper()

	require.NoError(t, o.Process.Kill())
	_ = o.Wait()
}

// folder is an empty one in memory, if there is memory to have.
func folder(t *testing.T) string {
	t.Helper()

	dir, err := os.MkdirTemp(base(), "localpg-test-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() {
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.RemoveAll(localpg.SocketDir(dir))) // of servers that were killed
	})
	return dir
}

func base() string {
	const memory = "/dev/shm"

	if dir, err := os.MkdirTemp(memory, "localpg-test-"); err == nil {
		_ = os.Remove(dir)
		return memory
	}
	return os.TempDir()
}

// pristine is a stopped cluster that most tests begin with a copy of, for
// copying one is ten times faster than making one.
var pristine struct {
	once sync.Once
	dir  string
	err  error
}

func cluster(t *testing.T) string {
	t.Helper()

	pristine.once.Do(func() {
		if pristine.dir, pristine.err = os.MkdirTemp(base(), "localpg-test-"); pristine.err != nil {
			return
		}
		_ = os.Chmod(pristine.dir, 0o755)
		var s *localpg.Server
		s, pristine.err = localpg.Open(context.Background(), localpg.Config{Dir: pristine.dir, Fast: true})
		if pristine.err == nil {
			pristine.err = s.Stop(context.Background())
		}
	})
	require.NoError(t, pristine.err)
	dir := folder(t)
	require.NoError(t, exec.Command("cp", "-a", filepath.Join(pristine.dir, "pg"), dir).Run())
	return dir
}

func open(t *testing.T, dir string) *localpg.Server {
	t.Helper()

	s, err := localpg.Open(t.Context(), localpg.Config{Dir: dir, Fast: true, Logf: t.Logf})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	return s
}

func connect(t *testing.T, s *localpg.Server) *pgx.Conn {
	t.Helper()

	conn, err := pgx.Connect(t.Context(), s.DSN("postgres"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func setting(t *testing.T, s *localpg.Server, name string) (value string) {
	t.Helper()

	require.NoError(t, connect(t, s).QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&value))
	return value
}

// requireGone allows the kernel the moment between the end of a program and
// that of its process, and our parents theirs to take notice.
func requireGone(t *testing.T, pid int) {
	t.Helper()

	require.Eventually(t, func() bool {
		out, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
		return err != nil || out[0] == 'Z'
	}, soon, pollEvery)
}

func TestOpen_cold_then_warm(t *testing.T) {
	t.Parallel()

	dir := filepath.Join(folder(t), "new", "folder")
	s := open(t, dir)
	_, err := connect(t, s).Exec(t.Context(), "CREATE TABLE kept (n int)")
	require.NoError(t, err)
	require.Equal(t, dir, s.Dir())
	require.Regexp(t, `^\d+\.\d+`, s.Version())
	require.NoError(t, s.Stop(t.Context()))
	require.NoDirExists(t, s.Socket(), "nothing is left behind")

	warm := open(t, dir)

	_, err = connect(t, warm).Exec(t.Context(), "INSERT INTO kept VALUES (1)")
	require.NoError(t, err, "what was committed is still there")
}

func TestOpen_settings(t *testing.T) {
	t.Parallel()

	s, err := localpg.Open(t.Context(), localpg.Config{
		Dir: cluster(t), Settings: map[string]string{"work_mem": "9MB", "port": "5433"},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })

	require.Equal(t, "9MB", setting(t, s, "work_mem"), "the caller's")
	require.Equal(t, "10s", setting(t, s, "autovacuum_naptime"), "ours")
	require.Equal(t, "on", setting(t, s, "fsync"), "nothing is risked unless Fast")
	require.Empty(t, setting(t, s, "listen_addresses"), "not on the network")
	require.Equal(t, "5433", setting(t, s, "port"))
}

func TestOpen_a_build_without_a_compression(t *testing.T) {
	t.Parallel()

	_, err := localpg.Open(t.Context(), localpg.Config{
		Dir: cluster(t), Fast: true, Settings: map[string]string{"wal_compression": "nonsense"},
	})

	require.ErrorContains(t, err, "wal_compression", "it says what PostgreSQL said")
	require.Equal(t, errs.Internal, errs.KindOf(err))
}

func TestServer_Database(t *testing.T) {
	t.Parallel()

	s := open(t, cluster(t))
	dsn, err := s.Database(t.Context(), `odd "name"/`)
	require.NoError(t, err)
	again, err := s.Database(t.Context(), `odd "name"/`)
	require.NoError(t, err, "it is there already")
	require.Equal(t, dsn, again)

	conn, err := pgx.Connect(t.Context(), dsn)

	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
}

func TestStop_twice_and_at_once(t *testing.T) {
	t.Parallel()

	s := open(t, cluster(t))
	conn := connect(t, s)

	var stops sync.WaitGroup
	for range 3 {
		stops.Go(func() {
			if err := s.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	stops.Wait()

	require.NoError(t, s.Stop(t.Context()))
	requireGone(t, s.Pid())
	require.Error(t, conn.Ping(t.Context()), "open connections do not keep it up")
	select {
	case <-s.Done():
		require.Fail(t, "it did not end unasked")
	default:
	}
}

func TestStop_without_patience(t *testing.T) {
	t.Parallel()

	s := open(t, cluster(t))
	require.NoError(t, syscall.Kill(s.Pid(), syscall.SIGSTOP), "it hears nothing but SIGKILL")
	hurry, cancel := context.WithCancel(t.Context())
	cancel()
	go func() { _ = syscall.Kill(s.Pid(), syscall.SIGCONT) }()

	require.NoError(t, s.Stop(hurry))

	requireGone(t, s.Pid())
}
