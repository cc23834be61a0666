// Package pgtest gives a test a database of its own on a real PostgreSQL:
// migrated, empty, and gone afterwards.
//
// All packages of a run, and all runs, share one server, which the first test
// starts and which stops when no test has run for a quarter of an hour. It
// keeps its data in memory, where a database is cloned in some 15 ms, and
// risks them for speed. ROADBOOK_TEST_DSN names another server to use; its
// user must be allowed to create databases.
package pgtest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/store/pg"
)

const (
	// connsPerTest is enough for the tests that set transactions against each other.
	connsPerTest = 8

	// maxTries bounds how often a server that stops under us is started again.
	maxTries = 3

	tidyPatience = 30 * time.Second
	leakPatience = 5 * time.Second
)

// DB returns a pool on a database that has the newest schema and no rows,
// which belongs to this test alone. It is dropped when the test has passed; if
// the test fails, it is kept for a day, and the log says how to look at it.
func DB(t testing.TB) *pgxpool.Pool {
	t.Helper()

	server, name, err := clone(t.Context())
	require.NoError(t, err)
	pool, err := pg.Open(t.Context(), server.address(name), pg.MaxConns(connsPerTest))
	require.NoError(t, err)
	t.Cleanup(func() { tidy(t, server, pool, name) })
	return pool
}

// clone joins the server and takes a database from it. The server may stop in
// between, by its owner's hand or for idleness; then it is started again.
func clone(ctx context.Context) (*server, string, error) {
	s, err := join(ctx)
	if err != nil {
		return nil, "", err
	}
	for try := 1; ; try++ {
		name, err := s.clone(ctx)
		if err == nil || try == maxTries || errs.KindOf(err) != errs.Busy {
			return s, name, err
		}
		if err := s.again(ctx); err != nil {
			return nil, "", err
		}
	}
}

// tidy drops the database of a test that passed.
func tidy(t testing.TB, s *server, pool *pgxpool.Pool, name string) {
	t.Helper()

	closed := make(chan struct{})
	go func() {
		pool.Close() // waits for every connection
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(leakPatience):
		t.Errorf("the test ends with %d connections in use: close its rows, end its transactions",
			pool.Stat().AcquiredConns())
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), tidyPatience)
	defer cancel()
	s.awaitNobody(ctx, name)
	if !t.Failed() {
		_, err := s.admin.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		require.NoError(t, err)
		return
	}
	kept := "kept" + strings.TrimPrefix(name, "test")
	if _, err := s.admin.Exec(ctx, "ALTER DATABASE "+name+" RENAME TO "+kept); err != nil {
		kept = name // somebody is still connected
	}
	t.Logf("to look at the database of this test: psql '%s'", s.address(kept))
}

// awaitNobody saves a tenth of a second: PostgreSQL looks that often whether
// everybody has left a database it is to drop, and connections that are closed
// take a millisecond to leave.
func (s *server) awaitNobody(ctx context.Context, name string) {
	for range 10 {
		var inside int
		err := s.admin.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = $1", name).Scan(&inside)
		if err != nil || inside == 0 {
			return
		}
		<-time.After(time.Millisecond)
	}
}
