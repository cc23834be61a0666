package pgtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"roadbook/localpg"
	"roadbook/migrations"
	"roadbook/store/pg"
)

// idle is how long the server outlives the last test, so that it is warm for
// whoever edits and tests again.
const idle = 15 * time.Minute

// server is where this process clones databases.
type server struct {
	dsn      string
	admin    *pgxpool.Pool // on a database that nobody clones
	template string
	prefix   string // of the names of this process's databases
	clones   atomic.Int64
}

var joined struct {
	sync.Mutex

	server *server
}

// Start starts the server unless it runs, and returns the address of its
// maintenance database. It is for make and for psql: DB starts what it needs.
func Start(ctx context.Context) (dsn string, err error) {
	if dsn := os.Getenv("ROADBOOK_TEST_DSN"); dsn != "" {
		return dsn, nil
	}
	s, err := localpg.Open(ctx, localpg.Config{
		Dir:    home(),
		Bin:    os.Getenv("ROADBOOK_PG_BIN"),
		Fast:   true,
		Shared: true,
		Idle:   idle,
		Settings: map[string]string{
			"autovacuum":         "off", // or plans would change between two runs
			"max_connections":    "400", // many packages, many tests, a few each
			"max_wal_senders":    "0",
			"synchronous_commit": "off",
			"wal_level":          "minimal",
		},
	})
	if err != nil {
		return "", err
	}
	return s.DSN("postgres"), nil
}

// Stop stops the server, for everybody, and keeps its databases. The next test
// starts it again. It leaves the server of ROADBOOK_TEST_DSN alone.
func Stop(ctx context.Context) error {
	return localpg.StopAt(ctx, home())
}

// home is where the server keeps its data; a variable for our own tests.
var home = inMemory

// inMemory is in memory if there is enough of it: containers are often given 64 MB.
func inMemory() string {
	const (
		memory    = "/dev/shm"
		wantBytes = 1 << 30
	)

	name := "roadbook-test-" + strconv.Itoa(os.Getuid())
	dir := filepath.Join(memory, name)
	if _, err := os.Stat(dir); err == nil || freeBytes(memory) >= wantBytes {
		return dir
	}
	return filepath.Join(os.TempDir(), name)
}

// join connects this process to the server, once.
func join(ctx context.Context) (*server, error) {
	joined.Lock()
	defer joined.Unlock()

	if joined.server != nil {
		return joined.server, nil
	}
	dsn, err := Start(ctx)
	if err != nil {
		return nil, err
	}
	s := &server{dsn: dsn, template: fmt.Sprintf("template_%s_%d", fingerprint(migrations.FS), migrations.Version())}
	// The pool outlives the test that came first, and waits for others as long as it takes.
	s.admin, err = pg.Open(context.WithoutCancel(ctx), dsn, pg.MaxConns(4), pg.Setting("lock_timeout", "0"))
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		s.admin.Close()
		return nil, err
	}
	joined.server = s
	return s, nil
}

// again starts the server once more after it stopped.
func (s *server) again(ctx context.Context) error {
	joined.Lock()
	defer joined.Unlock()

	if _, err := Start(ctx); err != nil {
		return err
	}
	s.admin.Reset()
	return s.ensureTemplate(ctx)
}

// prepare removes what earlier runs left, makes the template, and chooses
// names that no other process, on this or another machine, will choose.
func (s *server) prepare(ctx context.Context) error {
	var now int64
	if err := s.admin.QueryRow(ctx, "SELECT extract(epoch FROM now())::bigint").Scan(&now); err != nil {
		return pg.Classify(err)
	}
	random := make([]byte, 4)
	_, _ = rand.Read(random)
	s.prefix = fmt.Sprintf("test_%d_%s_", now, hex.EncodeToString(random))
	s.sweep(ctx)
	return s.ensureTemplate(ctx)
}

// address is the server's, with another database.
func (s *server) address(dbname string) string {
	if u, err := url.Parse(s.dsn); err == nil && u.Scheme != "" {
		u.Path = "/" + dbname
		return u.String()
	}
	return s.dsn + " dbname=" + dbname
}
