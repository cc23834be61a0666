package sync_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync"
	"roadbook/sync/wire"
)

const keep = 180 * 24 * time.Hour

// left counts what a table has of the org.
func (w *world) left(what string) (n int) {
	w.t.Helper()
	require.NoError(w.t, w.pool.QueryRow(w.t.Context(), `SELECT count(*) FROM `+what+` AND org = $1`, w.org).Scan(&n))
	return n
}

func TestPurge(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, away := w.phone("lin"), w.phone("lin")
	var shops []record.ID
	for range 300 { // more than one step
		shops = append(shops, lin.create("account", values("name", "兴旺")))
	}
	lin.sync()
	away.sync()
	for _, id := range shops[:260] {
		lin.remove(id)
	}
	lin.sync()
	below := lin.create("contact", values("account", shops[270], "name", "王"))
	lin.sync()
	require.Equal(t, 260, w.left(`records WHERE state = 1`))

	w.pass(keep - time.Second)
	p, err := w.engine.Purge(t.Context(), w.org, keep)
	require.NoError(t, err)
	require.Zero(t, p.Records, "one second too early: half a year is not over")

	w.pass(2 * time.Second)
	p, err = w.engine.Purge(t.Context(), w.org, keep)
	require.NoError(t, err)

	require.Equal(t, 260, p.Records)
	require.Zero(t, w.left(`records WHERE state = 1`))
	require.Zero(t, w.left(`scope_index WHERE op = 1`))
	require.True(t, lin.has(below))
	again, err := w.engine.Purge(t.Context(), w.org, keep)
	require.NoError(t, err)
	require.Zero(t, again.Records, "it may be repeated")

	request := away.request()
	_, err = w.engine.Pull(t.Context(), away.who, &request)
	stale := &wire.Failure{}
	require.ErrorAs(t, err, &stale)
	require.Equal(t, "horizon", stale.Err.Code)
	lin.create("account", values("name", "young"))
	lin.sync() // it was here within half a year … of the log
	require.Len(t, lin.base, len(w.phoneThatPulled("lin").base))
	away.edit(shops[0], values("short_name", "旺"))
	out := away.push()
	require.Equal(t, []record.Result{record.Refused}, results(out))
	require.Equal(t, "missing", refusalCode(out[0]))
}

func (w *world) phoneThatPulled(login string) *phone {
	p := w.phone(login)
	p.pull()
	return p
}

// A tombstone that something hangs under stays until that is gone; what is
// brought back in time is no tombstone.
func TestPurge_spares(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	parent, back := lin.create("account", values("name", "a")), lin.create("account", values("name", "b"))
	lin.sync()
	child := lin.create("contact", values("account", parent, "name", "王"))
	lin.sync()
	lin.remove(child)
	lin.sync()
	lin.remove(parent)
	lin.remove(back)
	lin.sync()
	require.Equal(t, 3, w.left(`records WHERE state = 1`))
	w.pass(keep + time.Second)
	lin.typed(record.Edit{Op: record.OpRestore, Kind: "account", ID: back, Seen: lin.seen(back)})
	lin.push()

	p, err := w.engine.Purge(t.Context(), w.org, keep)
	require.NoError(t, err)
	require.Equal(t, 1, p.Records, "the child")
	p, err = w.engine.Purge(t.Context(), w.org, keep)
	require.NoError(t, err)
	require.Equal(t, 1, p.Records, "then its parent")
	require.Equal(t, 1, w.left(`records WHERE id = '`+back.String()+`'`))
}

// Pushes and purges at once: every step finds what the other has left.
func TestPurge_whileOthersCommit(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	for range 400 {
		lin.create("account", values("name", "兴旺"))
	}
	lin.sync()
	for id := range lin.base {
		if lin.base[id].kind == "account" {
			lin.remove(id)
		}
	}
	lin.sync()
	w.pass(keep + time.Hour)
	other := w.server(w.pool)
	done := make(chan error, 2)
	go func() {
		_, err := other.Purge(t.Context(), w.org, keep)
		done <- err
	}()
	go func() {
		_, err := w.engine.Purge(t.Context(), w.org, keep)
		done <- err
	}()
	for range 20 {
		lin.create("account", values("name", "new"))
		lin.push()
	}
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	lin.pull()
	require.Zero(t, w.left(`records WHERE state = 1`))
	require.Equal(t, 20, w.left(`records WHERE fields->>'name' = 'new'`))
}

// Between its steps a purge rests, for as long as pushes shall have to
// themselves, and whoever stops it need not wait for the end.
func TestPurge_rests(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	for range 230 { // three steps
		lin.remove(lin.create("account", values("name", "兴旺")))
	}
	lin.sync()
	w.pass(keep + time.Second)
	ctx, stop := context.WithCancel(t.Context())
	rests := 0
	w.engine.Now = func() time.Time { w.pass(time.Millisecond); return w.now() } // so that a step takes some
	w.engine.Rest = func(ctx context.Context, d time.Duration) error {
		require.Positive(t, d)
		require.Zero(t, d%(sync.PurgeRests*time.Millisecond), "%s is not so many times as long as a step", d)
		if rests++; rests == 2 {
			stop()
		}
		return ctx.Err()
	}

	p, err := w.engine.Purge(ctx, w.org, keep)

	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 200, p.Records)
	rests = 2
	p, err = w.engine.Purge(t.Context(), w.org, keep)
	require.NoError(t, err)
	require.Equal(t, 30, p.Records)
	require.Greater(t, rests, 3)
}
