package sync_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// All connections are taken, by somebody who does not give them back. A phone
// that has waited for long enough goes, and sends the same again when there are
// some: what it typed is there once, whether or not it was committed meanwhile.
func TestPush_noConnectionLeft(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, shop := twoOn(w)
	pool := w.poolLike(func(c *pgxpool.Config) { c.MaxConns = 2 })
	w.engine = w.server(pool)
	var taken []*pgxpool.Conn
	for range 2 {
		conn, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		taken = append(taken, conn)
	}
	lin.edit(shop, values("short_name", "一"))
	edit := lin.change(shop)
	edit.Inc = values("points", 1)
	lin.typed(edit)
	body := lin.bytes(2)

	patience, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := w.engine.Push(patience, lin.who, w.read(body))
		ended <- err
	}()
	require.Eventually(t, func() bool { return w.engine.Queue().Waiting > 0 }, soon, pollEvery)
	w.pass(time.Minute)
	stuck := w.engine.Queue().Stuck
	cancel()
	err := <-ended
	for _, conn := range taken {
		conn.Release()
	}
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, time.Minute, stuck, "it is told")

	out, err := lin.send(body)
	require.NoError(t, err)
	require.Equal(t, []record.Result{record.Applied, record.Applied}, results(out))
	lin.settle(out)
	lin.pull()
	require.Equal(t, "1", lin.raw(shop, "points"))
	require.Zero(t, w.engine.Queue())
	w.entries()
}

const (
	soon      = 10 * time.Second
	pollEvery = 2 * time.Millisecond
)

// The server's clock is set back by an hour. Nobody is refused for it, who has
// seen a value still overwrites it, and the order of the log and its stamps stays.
func TestPush_clockSetBack(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	lin.edit(shop, values("short_name", "before", "address", "here"))
	lin.sync()
	chen.pull()

	w.pass(-time.Hour)

	for _, name := range []string{"one", "two"} {
		chen.edit(shop, values("short_name", name))
		require.Equal(t, []record.Result{record.Applied}, results(chen.push()), "%s", name)
		chen.pull()
		lin.pull()
		require.Equal(t, name, lin.text(shop, "short_name"))
		lin.edit(shop, values("short_name", name+" more"))
		require.Equal(t, []record.Result{record.Applied}, results(lin.push()))
		chen.pull()
		require.Equal(t, name+" more", chen.text(shop, "short_name"))
	}
	w.engine = w.server(w.pool) // one that starts with that clock
	fresh := w.phone("lin")
	fresh.pull()
	require.Equal(t, "two more", fresh.text(shop, "short_name"))
	fresh.edit(shop, values("address", "there"))
	require.Equal(t, []record.Result{record.Applied}, results(fresh.push()))
	purged, err := w.engine.Purge(t.Context(), w.org, keep)
	require.NoError(t, err)
	require.Zero(t, purged.Records)
	require.Zero(t, w.engine.Queue().Stuck)
	w.pass(time.Hour)
	chen.pull()
	require.Equal(t, "there", chen.text(shop, "address"))
	w.entries()
}
