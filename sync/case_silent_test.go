package sync_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store/pg"
)

// silent is what a healthy server of these tests never is, and a stopped one long.
const silent = 300 * time.Millisecond

// One of two servers stops when it has said half of a statement, for each
// statement of a commit. PostgreSQL waits for the rest of it for ever, with the
// org's row locked, and does not call that idle; the other server finds out, ends
// it, and goes on. What the first had in hand is sent again, and is there once.
func TestCase02_oneOfTwoServersFallsSilent(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, zhou, shop := twoOn(w)
	other := w.engine
	times, ended := 0, 0
	for n, stood := 1, true; stood; n++ {
		times++
		s := newFrozen(halved)
		w.engine = w.server(w.poolLike(func(c *pgxpool.Config) {
			c.MaxConns = 1
			through(c, func(conn net.Conn) net.Conn { return &spliced{Conn: conn, splice: s} })
		}))
		w.engine.Still(1)
		edit := lin.change(shop)
		edit.Inc = values("points", 1)
		lin.typed(edit)
		body := lin.bytes(1)
		t.Cleanup(s.release)
		s.arm(n)
		still, first := w.engine, make(chan error, 1)
		go func() {
			_, err := still.Push(t.Context(), lin.who, w.read(body))
			first <- err
		}()
		select {
		case <-s.stands:
		case err := <-first: // on a loaded machine also a healthy one may be silent for too long
			stood = err != nil
			first <- err
		}

		w.engine = other
		zhou.edit(shop, values("short_name", fmt.Sprint(n)))
		said, pushed := zhou.bytes(1), make(chan error, 1)
		var out []record.Outcome
		go func() {
			var err error
			for busy := true; busy && t.Context().Err() == nil; busy = errs.KindOf(err) == errs.Busy { // if it was starved it was ended as well, and a phone sends again
				out, err = zhou.send(said)
			}
			pushed <- err
		}()
		require.Eventually(t, func() bool {
			more, err := pg.EndSilent(t.Context(), w.pool, silent)
			require.NoError(t, err)
			ended += more
			return len(pushed) > 0
		}, soon, pollEvery)
		require.NoError(t, <-pushed)
		require.Equal(t, []record.Result{record.Applied}, results(out))
		zhou.settle(out)
		zhou.pull()
		s.release()
		if err := <-first; err != nil {
			require.Equal(t, errs.Busy, errs.KindOf(err), "%v", err)
		}

		require.Len(t, lin.push(), 1)
		lin.pull()
		require.Equal(t, fmt.Sprint(times), lin.raw(shop, "points"), "each counts once")
	}
	require.Greater(t, times, 10, "a commit has more statements than that")
	require.Positive(t, ended)
	w.entries()
}
