package sync_test

import (
	"context"
	"fmt"
	"io"
	"net"
	stdsync "sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
)

// fuse cuts the connection to the database at the k-th thing that a server
// says to it: before it is said, or when the database has answered and the
// answer is on its way.
type fuse struct {
	mu    stdsync.Mutex
	left  int // 0: not armed
	after bool
	blown bool
}

var errCut = &net.OpError{Op: "write", Net: "unix", Err: syscall.EPIPE}

func (f *fuse) arm(k int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.blown = k, false
}

// spent disarms it and reports whether it has blown.
func (f *fuse) spent() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = 0
	return f.blown
}

// burns counts one word to the database and reports whether it is the last.
func (f *fuse) burns() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left == 0 {
		return false
	}
	f.left--
	f.blown = f.blown || f.left == 0
	return f.left == 0
}

// fused is a connection with a fuse.
type fused struct {
	net.Conn

	fuse *fuse
	dead bool // what is read next is lost
}

func (c *fused) Write(b []byte) (int, error) {
	if c.fuse.burns() {
		if !c.fuse.after {
			_ = c.Close()
			return 0, errCut
		}
		c.dead = true
	}
	return c.Conn.Write(b)
}

func (c *fused) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.dead {
		_ = c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

// Case 2. The server is killed at every statement of a push, before it and
// after its answer; the phone sends the same again. What it typed takes effect
// once, and the verdict is the same however often it asks.
func TestCase02_killedAtEveryStatement(t *testing.T) {
	t.Parallel()

	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("after the answer %v", after), func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			lin, _, shop := twoOn(w)
			f := &fuse{after: after}
			mortal := w.server(w.poolLike(func(c *pgxpool.Config) {
				c.MaxConns = 1
				c.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false } // no word but the push's
				dial := c.ConnConfig.DialFunc
				c.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
					conn, err := dial(ctx, network, addr)
					return &fused{Conn: conn, fuse: f}, err
				}
			}))
			mortal.Still(1)

			times := 0
			for blown := true; blown; {
				times++
				visit := lin.create("visit", values("account", shop, "summary", "一次"))
				edit := lin.change(shop)
				edit.Inc = values("points", 1)
				lin.typed(edit)
				body := lin.bytes(2)
				f.arm(times)
				_, err := mortal.Push(t.Context(), lin.who, w.read(body))
				blown = f.spent()
				if err != nil { // the driver's own late good-bye to a lost connection may be what blew it instead
					require.True(t, blown, "%v", err)
					require.Equal(t, errs.Busy, errs.KindOf(err), "the same bytes may succeed later: %v", err)
				}

				first, err := lin.send(body)
				require.NoError(t, err)
				second, err := lin.send(body)
				require.NoError(t, err)
				for i := range first {
					require.Equal(t, record.Applied, first[i].Result, "%+v", first[i].Refusal)
					first[i].Repeated = true
				}
				require.JSONEq(t, string(js(first)), string(js(second)))
				lin.settle(second)
				lin.pull()
				require.Equal(t, fmt.Sprint(times), lin.raw(shop, "points"), "each counts once")
				require.Equal(t, "一次", lin.text(visit, "summary"))
			}

			require.Greater(t, times, 10, "a push says more than that to the database")
			require.Equal(t, times, lin.count("visit"))
			w.entries() // the log is whole
		})
	}
}
