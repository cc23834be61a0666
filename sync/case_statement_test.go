package sync_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync"
)

// brittle is a server whose only connection can be cut at any statement.
func (w *world) brittle(s *splice) *sync.Engine {
	return w.server(w.poolLike(func(c *pgxpool.Config) {
		c.MaxConns = 1
		c.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
		through(c, func(conn net.Conn) net.Conn { return &spliced{Conn: conn, splice: s} })
	}))
}

// Case 2, statement by statement. A commit goes to the database as one word of
// many statements; the connection is cut at each of them in turn, also at its
// COMMIT, of which nobody hears how it ended. The phone sends the same again:
// what was typed is there once.
func TestCase02_cutAtEveryStatement(t *testing.T) {
	t.Parallel()

	for _, f := range []fate{before, within, behind} {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			cutPushes(t, &splice{fate: f}, true)
		})
	}
	t.Run("of a server that remembers nothing", func(t *testing.T) {
		t.Parallel()
		cutPushes(t, &splice{fate: within}, false)
	})
}

func cutPushes(t *testing.T, s *splice, warm bool) {
	t.Helper()
	w := newWorld(t)
	lin, zhou, shop := twoOn(w)
	fragile := w.brittle(s)
	fragile.Still(1)
	w.engine = fragile
	through := func(n int) (cut bool, landed bool) {
		visit := lin.create("visit", values("account", shop, "summary", "一次"))
		edit := lin.change(shop)
		edit.Inc = values("points", 1)
		lin.typed(edit)
		body := lin.bytes(2)
		if !warm {
			fragile = w.brittle(s)
			fragile.Still(1)
			w.engine = fragile
		}
		head := w.head()
		s.arm(n)
		_, err := lin.send(body)
		cut = s.spent()
		landed = w.head() > head
		if err != nil {
			require.True(t, cut, "%v", err)
			require.Equal(t, errs.Busy, errs.KindOf(err), "the same bytes may succeed later: %v", err)
		} else {
			require.True(t, landed, "what is acknowledged is there")
		}
		out, err := lin.send(body)
		require.NoError(t, err)
		for i := range out {
			require.Equal(t, record.Applied, out[i].Result, "%+v", out[i].Refusal)
			require.Equal(t, landed, out[i].Repeated, "what has landed is recognised")
		}
		lin.settle(out)
		lin.pull()
		require.Equal(t, "一次", lin.text(visit, "summary"))
		return cut, landed
	}
	through(0)

	times, unknown := 1, 0
	for n, cut := 1, true; cut; n++ {
		var landed bool
		if cut, landed = through(n); cut && landed {
			unknown++
		}
		times++
		if warm {
			zhou.pull()
			zhou.edit(shop, values("short_name", fmt.Sprint(n))) // the neighbour's goes through beside it
			require.Len(t, zhou.push(), 1)
		}
	}

	require.Equal(t, fmt.Sprint(times), lin.raw(shop, "points"), "each counts once")
	require.Equal(t, times, lin.count("visit"))
	require.Greater(t, times, 10, "a commit has more statements than that")
	if s.fate != before {
		require.Positive(t, unknown, "some have committed without anybody hearing of it")
	}
	w.entries() // the log is whole
}

// Two servers have one database, and one of them stands still in the middle of a
// commit, before each word that it says: stopped, or starved. The other goes on
// without an error, because the database gives up on who is idle before anybody
// gives up on his lock. What the one had in hand is sent again, and is there once.
func TestCase02_oneOfTwoServersStandsStill(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, zhou, shop := twoOn(w)
	other := w.engine
	times := 0
	for n, stood := 1, true; stood; n++ {
		times++
		s := newFrozen(frozen)
		still := w.server(w.poolLike(func(c *pgxpool.Config) {
			c.MaxConns = 1
			c.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "200ms"
			through(c, func(conn net.Conn) net.Conn { return &spliced{Conn: conn, splice: s} })
		}))
		still.Still(1)
		edit := lin.change(shop)
		edit.Inc = values("points", 1)
		lin.typed(edit)
		body := lin.bytes(1)
		t.Cleanup(s.release)
		s.arm(n)
		ended := make(chan error, 1)
		go func() {
			_, err := still.Push(t.Context(), lin.who, w.read(body))
			ended <- err
		}()
		select {
		case <-s.stands:
		case err := <-ended: // on a loaded machine also a healthy one may be idle for too long
			stood = err != nil
			ended <- err
		}

		zhou.edit(shop, values("short_name", fmt.Sprint(n)))
		require.Equal(t, []record.Result{record.Applied}, results(zhou.push()))
		zhou.pull()
		s.release()
		if err := <-ended; err != nil {
			require.Equal(t, errs.Busy, errs.KindOf(err), "%v", err)
		}

		w.engine = other
		require.Len(t, lin.push(), 1)
		lin.pull()
		require.Equal(t, fmt.Sprint(times), lin.raw(shop, "points"), "each counts once")
	}
	require.Greater(t, times, 5)
	w.entries()
}

// head is how far the log goes.
func (w *world) head() (seq record.Seq) {
	w.t.Helper()
	require.NoError(w.t, w.pool.QueryRow(context.Background(), `SELECT seq FROM heads WHERE org = $1`, w.org).Scan(&seq))
	return seq
}

// A purge begins by looking for its place in the log, by this many halvings. Not
// all of them need be cut.
const (
	halvings = 62
	searched = 9
)

// A purge that is cut at each of its statements goes on the next time, by whichever server. Nothing
// goes that is in use, and what was typed meanwhile is there.
func TestCase02_purgeCutAtEveryStatement(t *testing.T) {
	t.Parallel()

	w, s := newWorld(t), &splice{fate: within}
	lin := w.phone("lin")
	fragile := w.brittle(s)
	fragile.Still(1)
	times := 0
	for n, cut := 1, true; cut; n++ {
		if n > searched && n < halvings-searched {
			n += searched // it is the same statement, again and again
		}
		times++
		gone, kept := lin.create("account", values("name", "x")), lin.create("account", values("name", "y"))
		lin.sync()
		lin.remove(gone)
		lin.sync()
		w.pass(keep + time.Second)
		s.arm(n)
		_, err := fragile.Purge(t.Context(), w.org, keep)
		cut = s.spent()
		if err != nil {
			require.True(t, cut, "%v", err)
			require.Equal(t, errs.Busy, errs.KindOf(err), "%v", err)
		}

		lin.edit(kept, values("short_name", "z"))
		require.Equal(t, []record.Result{record.Applied}, results(lin.push()))
		_, err = w.engine.Purge(t.Context(), w.org, keep)
		require.NoError(t, err)

		require.Zero(t, w.left(`records WHERE state = 1`))
		require.Zero(t, w.left(`scope_index WHERE op = 1`))
		lin.pull()
		require.Equal(t, times, lin.count("account"))
	}
	require.Greater(t, times, 15)
	w.entries()
}
