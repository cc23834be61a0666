package sync_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"roadbook/record"
)

// hesitant is a connection that pauses before everything that is said on it, so
// that transactions end in another order than the one in which they began.
type hesitant struct{ net.Conn }

func (h hesitant) Write(b []byte) (int, error) {
	<-time.After(time.Duration(rand.Int64N(int64(3 * time.Millisecond))))
	return h.Conn.Write(b)
}

// through has a pool's connections pass through something of the test's.
func through(c *pgxpool.Config, wrap func(net.Conn) net.Conn) {
	dial := c.ConnConfig.DialFunc
	c.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		return wrap(conn), err
	}
}

// poolLike is a pool of its own on the world's database.
func (w *world) poolLike(change func(*pgxpool.Config)) *pgxpool.Pool {
	w.t.Helper()
	c := w.pool.Config()
	change(c)
	pool, err := pgxpool.NewWithConfig(context.Background(), c)
	require.NoError(w.t, err)
	w.t.Cleanup(pool.Close)
	return pool
}

// Case 1. 64 phones push at once to four servers that pause before they
// commit, and somebody pulls all the while: he sees each mutation once, in the
// order of the log, and the log has no gap.
func TestCase01_concurrentPushes(t *testing.T) {
	t.Parallel()

	const phones, pushes = 64, 3
	w := newWorld(t)
	chen := w.phone("chen")
	chen.pull()
	var g errgroup.Group
	for i := range phones {
		p := w.phone([]string{"lin", "zhou"}[i%2])
		if i < 4 {
			w.engine = w.server(w.poolLike(func(c *pgxpool.Config) {
				c.MaxConns = 2
				through(c, func(conn net.Conn) net.Conn { return hesitant{conn} })
			}))
		}
		server := w.engine
		g.Go(func() error {
			for n := range pushes {
				p.create("account", values("name", fmt.Sprintf("%d of %d", n, i)))
				answer, err := server.Push(context.Background(), p.who, p.frame())
				if err != nil {
					return err
				}
				p.settle(answer.Outcomes)
			}
			return nil
		})
	}

	seen, last := map[record.ID]bool{}, chen.place().Base()
	for len(seen) < phones*pushes {
		for _, c := range chen.pullPage().Changes {
			require.False(t, seen[c.ID], "%s came twice", c.ID)
			require.Greater(t, c.Seq, last, "what comes later lies later in the log")
			seen[c.ID], last = true, c.Seq
		}
	}

	require.NoError(t, g.Wait())
	require.Empty(t, chen.pullPage().Changes)
	w.entries() // the log is whole
}
