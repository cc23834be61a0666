package localpg

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"roadbook/errs"
)

const (
	// maxTries bounds the starts that clear a reason for refusing to start.
	maxTries = 5

	// stragglerPatience is how long the children of a killed PostgreSQL may
	// take to notice; then they are told.
	stragglerPatience = 500 * time.Millisecond

	// stillStarting is how often a long recovery is reported.
	stillStarting = 5 * time.Second

	maxLogBytes = 16 << 20

	// inMemory is how PostgreSQL says that processes are at work on its data.
	inMemory = "pre-existing shared memory block"
)

// errEnded says that PostgreSQL ended before it answered.
var errEnded = errors.New("PostgreSQL ended before it was ready")

// start runs PostgreSQL until it answers. Some refusals pass: remains of a
// killed predecessor, and a build without lz4.
func (s *Server) start(ctx context.Context) error {
	for try := 1; ; try++ {
		said, err := s.launch(ctx)
		switch {
		case err == nil:
			go s.watch()
			return nil
		case !errors.Is(err, errEnded):
			return err
		case try == maxTries:
			return s.refused(said)
		case strings.Contains(said, `"wal_compression"`):
			s.compression = "pglz"
		case strings.Contains(said, inMemory):
			s.cfg.Logf("waiting for what a killed PostgreSQL left running in %s", s.data)
			s.awaitStragglers(ctx)
		case strings.Contains(said, `"postmaster.pid"`):
			if err := s.clearOrphan(ctx); err != nil {
				return err
			}
		default:
			return s.refused(said)
		}
	}
}

// awaitStragglers gives a killed server's children time to notice, and stops
// those that did not. A child is quick when it waits, and as slow as its query
// when it works.
func (s *Server) awaitStragglers(ctx context.Context) {
	await := func() error {
		ctx, cancel := context.WithTimeout(ctx, stragglerPatience)
		defer cancel()
		return poll(ctx, func() (gone bool, err error) { return len(stragglers(s.data)) == 0, nil })
	}
	if await() == nil {
		return
	}
	for _, pid := range stragglers(s.data) {
		_ = ask(s.bin, s.data, pid, immediate)
	}
	_ = await()
}

// refused explains a server that does not start by what it said.
func (s *Server) refused(said string) error {
	const op = "localpg.Open"

	if strings.Contains(said, inMemory) || strings.Contains(said, "lock file") {
		return errs.New(op, errs.Busy, "another PostgreSQL is at work on %s: stop it first, or name another folder", s.data).
			Because(errors.New(said))
	}
	return errs.New(op, errs.Internal, "PostgreSQL does not start on %s: mend what it names, which is also in %s",
		s.data, s.logPath()).Because(errors.New(said))
}

// launch starts the process and waits for its first answer. If it ends before,
// launch returns what it said.
func (s *Server) launch(ctx context.Context) (said string, err error) {
	log, err := s.openLog()
	if err != nil {
		return "", errs.New("localpg.Open", errs.Invalid, "the log cannot be written: make %s ours, "+
			"or name another folder", s.logPath()).Because(err)
	}
	defer func() { _ = log.Close() }()
	from, _ := log.Seek(0, io.SeekEnd)

	// Its life is Stop's to end, not that of Open's context.
	cmd := s.command(context.WithoutCancel(ctx), s.dir, "postgres", s.arguments()...)
	cmd.Stdout, cmd.Stderr = log, log
	ended, err := spawn(cmd)
	if err != nil {
		return "", errs.New("localpg.Open", errs.Internal, "%s cannot be started", cmd.Path).Because(err)
	}
	s.pid, s.exited = cmd.Process.Pid, make(chan struct{})
	go func(exited chan struct{}) {
		<-ended //nolint:errcheck // how it ended is in its log
		close(exited)
	}(s.exited)

	if err = s.ready(ctx); err == nil {
		return "", nil
	}
	_ = s.end(context.WithoutCancel(ctx), quitPatience)
	text, _ := os.ReadFile(s.logPath())
	return lastLines(withoutKnocks(text[min(int(from), len(text)):]), 8), err
}

// withoutKnocks leaves out what PostgreSQL says of our own questions whether it
// is there yet: while it recovers there are many.
func withoutKnocks(log []byte) []byte {
	var kept []byte
	for line := range bytes.Lines(log) {
		if !bytes.Contains(line, []byte("FATAL:  the database system is ")) && !bytes.Contains(line, []byte("Hot standby mode is disabled.")) {
			kept = append(kept, line...)
		}
	}
	return kept
}

// openLog keeps the last log aside when it has grown long.
func (s *Server) openLog() (*os.File, error) {
	if info, err := os.Stat(s.logPath()); err == nil && info.Size() > maxLogBytes {
		_ = os.Rename(s.logPath(), s.logPath()+".old")
	}
	return os.OpenFile(s.logPath(), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
}

// ready waits for the first connection. Recovery after a crash can take a
// while and is reported; only the process's end or ctx cuts it short.
func (s *Server) ready(ctx context.Context) error {
	ticker := time.NewTicker(stillStarting)
	defer ticker.Stop()
	return poll(ctx, func() (bool, error) {
		select {
		case <-s.exited:
			return false, errEnded
		case <-ticker.C:
			s.cfg.Logf("PostgreSQL is still starting; after a crash it repairs its data first")
		default:
		}
		return s.answers(ctx)
	})
}

// answers reports whether a connection succeeds. A server that is starting or
// is full is not an error; one that turns its owner away is.
func (s *Server) answers(ctx context.Context) (bool, error) {
	config, err := pgx.ParseConfig(s.DSN("postgres"))
	if err != nil {
		return false, errs.New("localpg.Open", errs.Invalid, "a PG… variable in the environment keeps us from "+
			"connecting: unset it").Because(err)
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err == nil {
		s.version, _, _ = strings.Cut(conn.PgConn().ParameterStatus("server_version"), " ")
		return true, conn.Close(ctx)
	}
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || strings.HasPrefix(refused.Code, "57") || strings.HasPrefix(refused.Code, "53") {
		return false, nil
	}
	return false, errs.New("localpg.Open", errs.Invalid, "the PostgreSQL in %s does not let its owner in: "+
		"undo the changes to its pg_hba.conf", s.data).Because(err)
}

// watch notices the end of a server that nobody asked to end, and makes way
// for another.
func (s *Server) watch() {
	<-s.exited
	s.mu.Lock()
	unasked := !s.stopped
	if unasked {
		text, _ := os.ReadFile(s.logPath())
		s.why = errs.New("localpg.Server", errs.Internal, "PostgreSQL has ended by itself; open it again, and see %s",
			s.logPath()).Because(errors.New(lastLines(text, 5)))
	}
	s.mu.Unlock()
	if !unasked {
		return
	}
	if !s.cfg.Shared { // a shared one may have a successor by now
		s.makeWay()
	}
	close(s.done)
}

// spawn starts cmd on a thread that lasts as long as the process: the kernel
// counts the end of the thread that started it as the end of us.
func spawn(cmd *exec.Cmd) (<-chan error, error) {
	started, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()

		err := cmd.Start()
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	return ended, <-started
}

// run is spawn for a program that ends by itself.
func run(cmd *exec.Cmd) error {
	ended, err := spawn(cmd)
	if err != nil {
		return err
	}
	return <-ended
}
