// Package localpg runs a PostgreSQL of our own, so that one command is enough
// to try Roadbook, and one machine is enough to run it. It finds the server's
// programs, keeps their data in one folder and serves on a unix socket only.
//
// A server belongs to the process that opened it. When that process ends, in
// whatever way, its PostgreSQL shuts down; when PostgreSQL ends first, Done
// says so. Whatever either of them leaves behind when it is killed, the next
// Open puts in order: only a living second server on the same data is an error.
//
// It runs PostgreSQL's own tools and lays out data folders for package backup,
// which backs up, restores and replicates. It is not the way to run Roadbook on
// several machines: for those, give Roadbook the address of a PostgreSQL that
// somebody looks after.
package localpg

import (
	"cmp"
	"context"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"roadbook/errs"
)

// Config says where a server lives and how it differs from the usual one.
type Config struct {
	Dir      string            // the data, the log and the lock; made if missing
	Bin      string            // the folder of postgres and initdb; "" looks for it
	Fast     bool              // survives a crash of the program, not of the machine; for tests
	Shared   bool              // outlives its opener, and further Shared openers join it; for tests
	Idle     time.Duration     // ends a Shared server so long after the last process that opened it; 0 never does
	Settings map[string]string // of PostgreSQL, in place of ours

	// Logf is told what takes long or is not as asked: an installation, another
	// folder, a server that was left running. It may be nil.
	Logf func(format string, args ...any)
}

// Server is a PostgreSQL that this process started, or joined if it is Shared.
type Server struct {
	cfg     Config
	bin     programs
	account account  // whom PostgreSQL runs as
	lock    *os.File // held while we own the data; nil for a Shared server

	dir, data   string // our folder, and PostgreSQL's in it
	sock, port  string // where it listens
	version     string
	compression string // of the write-ahead log: not every build has lz4

	pid      int
	exited   chan struct{} // closed when the process is gone; nil if we joined it
	done     chan struct{} // closed when it is gone unasked
	unused   chan struct{} // closed by Stop
	stopping sync.Mutex    // held by Stop
	mu       sync.Mutex    // guards lock, stopped and why
	stopped  bool          // somebody asked it to stop
	why      error         // what it said when it went unasked
}

// Open starts a server on cfg.Dir and returns once it answers. The first time,
// that includes making an empty cluster, and perhaps installing PostgreSQL.
//
// Run as root, which PostgreSQL refuses, it serves as the user postgres or
// else nobody. Where that user cannot enter cfg.Dir, the data is kept below
// /var/lib/roadbook instead: Dir reports where.
//
// Errors: Busy while a living process owns the data, Missing without programs,
// Invalid for programs or data that cannot be used; each says what to do.
func Open(ctx context.Context, cfg Config) (*Server, error) {
	s := &Server{
		cfg: cfg, compression: "lz4", port: cmp.Or(cfg.Settings["port"], "5432"),
		done: make(chan struct{}), unused: make(chan struct{}),
	}
	if s.cfg.Logf == nil {
		s.cfg.Logf = func(string, ...any) {}
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	if err := s.takeLock(ctx); err != nil {
		return nil, err
	}
	if err := s.open(ctx); err != nil {
		s.makeWay()
		return nil, err
	}
	if cfg.Shared {
		s.use()
		s.releaseLock()
	}
	return s, nil
}

// open needs the lock, so that two openers never repair, create or start at once.
func (s *Server) open(ctx context.Context) error {
	if s.cfg.Shared && s.join(ctx) {
		return nil
	}
	if err := s.clearOrphan(ctx); err != nil {
		return err
	}
	if err := s.create(ctx); err != nil {
		return err
	}
	if err := s.makeSocketDir(); err != nil {
		return err
	}
	if err := s.start(ctx); err != nil || s.cfg.Idle == 0 {
		return err
	}
	s.touch()
	return s.stopWhenIdle(ctx, idleEvery)
}

// DSN is the address of one database of this server.
func (s *Server) DSN(dbname string) string {
	q := url.Values{"host": {s.sock}, "port": {s.port}}
	return "postgres://" + superuser + "@/" + url.PathEscape(dbname) + "?" + q.Encode()
}

// Database returns the address of the database called name, which it makes if
// there is none.
func (s *Server) Database(ctx context.Context, name string) (string, error) {
	const op = "localpg.Database"

	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		return "", errs.New(op, errs.Busy, "the local database does not answer").Because(err)
	}
	defer func() { _ = conn.Close(ctx) }()

	var exists bool
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&exists)
	if err == nil && !exists {
		_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	}
	if err != nil {
		return "", errs.New(op, errs.Internal, "the database %s could not be made", name).Because(err)
	}
	return s.DSN(name), nil
}

// Dir is the folder the data is really in.
func (s *Server) Dir() string { return s.dir }

// Socket is the folder of the unix socket it listens on.
func (s *Server) Socket() string { return s.sock }

// Version is what the server calls itself: "15.18".
func (s *Server) Version() string { return s.version }

// Done is closed when PostgreSQL goes without having been asked to. Stop does
// not close it, and neither does the end of a server that was joined.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err says why, once Done is closed; until then it is nil.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.why
}

// logPath is where PostgreSQL writes what it has to say. A file and not a pipe
// to us, because its last words are of interest when we are gone.
func (s *Server) logPath() string { return filepath.Join(s.dir, "postgres.log") }
