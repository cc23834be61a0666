package sync_test

import (
	"context"
	"fmt"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync"
)

// mortal is a server with one connection, in which there is a fuse.
func (w *world) mortal(f *fuse) *sync.Engine {
	return w.server(w.poolLike(func(c *pgxpool.Config) {
		c.MaxConns = 1
		c.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false } // no word but the push's
		through(c, func(conn net.Conn) net.Conn { return &fused{Conn: conn, fuse: f} })
	}))
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

			times := 0
			for blown := true; blown; {
				times++
				visit := lin.create("visit", values("account", shop, "summary", "一次"))
				edit := lin.change(shop)
				edit.Inc = values("points", 1)
				lin.typed(edit)
				body := lin.bytes(2)
				mortal := w.mortal(f) // one that remembers nothing
				mortal.Still(1)
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

// The same for a server that remembers everything it needs and says it in one
// word; it is the same one that is asked again.
func TestCase02_killedInTheOnlyWord(t *testing.T) {
	t.Parallel()

	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("after the answer %v", after), func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			lin, _, shop := twoOn(w)
			f := &fuse{after: after}
			mortal := w.mortal(f)
			mortal.Still(1)
			w.engine = mortal
			tap := func() []byte {
				edit := lin.change(shop)
				edit.Inc = values("points", 1)
				lin.typed(edit)
				return lin.bytes(1)
			}
			tap()
			lin.push()

			const times = 5
			for range times {
				body := tap()
				f.arm(1)
				_, err := lin.send(body)
				require.True(t, f.spent())
				require.Equal(t, errs.Busy, errs.KindOf(err), "%v", err)
				out, err := lin.send(body)
				require.NoError(t, err)
				require.Equal(t, record.Applied, out[0].Result)
				lin.settle(out)
				tap()
				require.Len(t, lin.push(), 1, "and it remembers again")
			}

			lin.pull()
			require.Equal(t, fmt.Sprint(2*times+1), lin.raw(shop, "points"))
			w.entries()
		})
	}
}
