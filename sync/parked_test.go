package sync_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync"
)

// What two phones did one after the other comes back in the other order: what
// cannot stand yet is parked, and settled once the other is back.
func TestParked(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen := w.phone("lin"), w.phone("chen")
	chen.who.Roles = []string{"manager"}
	lin.sync()
	chen.sync()
	backup := w.backup()
	shop := lin.create("account", values("name", "兴旺", "tags", []string{"冷链", "重点"}))
	linAll := slices.Clone(lin.outbox)
	lin.sync()
	chen.sync()
	require.True(t, chen.has(shop))
	edit := chen.change(shop)
	edit.Set, edit.Remove = values("short_name", "旺"), values("tags", []string{"冷链"})
	chen.typed(edit)
	chenAll := slices.Clone(chen.outbox)
	visit := chen.create("visit", values("account", shop, "summary", "good"))
	chenAll = append(chenAll, chen.outbox[1])
	chen.sync()
	epoch := chen.epoch

	w.restored(backup)

	parked := chen.give(chen.journal(chenAll, epoch, 1))
	require.Equal(t, []record.Result{record.Parked, record.Parked}, results(parked))
	chen.restart()
	chen.pull()
	require.False(t, chen.has(shop))
	again := chen.give(chen.journal(chenAll, epoch, 1))
	require.Equal(t, []record.Result{record.Parked, record.Parked}, results(again))

	require.Equal(t, []record.Result{record.Applied}, results(lin.give(lin.journal(linAll, epoch, 1))))
	chen.pull()
	require.Equal(t, "旺", chen.text(shop, "short_name"))
	require.Equal(t, `["重点"]`, chen.raw(shop, "tags"))
	require.Equal(t, "good", chen.text(visit, "summary"))
	last := chen.pages[len(chen.pages)-1]
	require.Equal(t, []record.Result{record.Applied, record.Applied}, results(last.Outcomes), "its device is told")
	require.Equal(t, []uint64{1, 2}, []uint64{last.Outcomes[0].N, last.Outcomes[1].N})
	require.Equal(t, chenAll[0].ID, last.Outcomes[0].ID)
	require.Equal(t, []record.Result{record.Applied, record.Applied}, results(chen.give(chen.journal(chenAll, epoch, 1))))
}

// What is typed on what is not back yet waits with it; what nobody waits for is
// refused at once.
func TestParked_whatIsTypedOnIt(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen := w.phone("lin"), w.phone("chen")
	chen.who.Roles = []string{"manager"}
	lin.sync()
	chen.sync()
	backup := w.backup()
	shop := lin.create("account", values("name", "兴旺"))
	linAll := slices.Clone(lin.outbox)
	lin.sync()
	chen.sync()
	chen.edit(shop, values("short_name", "旺"))
	chenAll := slices.Clone(chen.outbox)
	chen.sync()
	epoch := chen.epoch

	w.restored(backup)

	require.Equal(t, []record.Result{record.Parked}, results(chen.give(chen.journal(chenAll, epoch, 1))))
	chen.restart()
	chen.pull()
	visit := chen.create("visit", values("account", shop, "summary", "good"))
	later := chen.create("visit", values("account", w.id(), "summary", "on nothing"))
	frame := chen.bytes(2)
	require.Equal(t, []record.Result{record.Parked, record.Refused}, results(chen.push()))
	repeated, err := chen.send(frame)
	require.NoError(t, err)
	require.Equal(t, []record.Result{record.Parked, record.Refused}, results(repeated))

	require.Equal(t, []record.Result{record.Applied}, results(lin.give(lin.journal(linAll, epoch, 1))))
	chen.pull()
	require.Equal(t, "good", chen.text(visit, "summary"))
	require.False(t, chen.has(later))
	last := chen.pages[len(chen.pages)-1]
	require.Equal(t, []record.Result{record.Applied, record.Refused, record.Applied}, results(last.Outcomes), "its device is told, once")
}

// What waits for nothing would never be tried: the doctor finds it.
func TestParked_waitsAreMended(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen := w.phone("lin"), w.phone("chen")
	chen.who.Roles = []string{"manager"}
	lin.sync()
	backup := w.backup()
	shop := lin.create("account", values("name", "兴旺"))
	lin.sync()
	chen.sync()
	chen.edit(shop, values("short_name", "旺"))
	all := slices.Clone(chen.outbox)
	chen.sync()
	epoch := chen.epoch
	w.restored(backup)
	require.Equal(t, []record.Result{record.Parked}, results(chen.give(chen.journal(all, epoch, 1))))
	require.Empty(t, w.inspect(false))
	waits := func() (n int) {
		require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT count(*) FROM parked_waits`).Scan(&n))
		return n
	}
	before := waits()
	_, err := w.pool.Exec(t.Context(), `DELETE FROM parked_waits`)
	require.NoError(t, err)

	for _, mend := range []bool{false, true} {
		found := w.inspect(mend)
		require.Len(t, found, 1)
		require.Equal(t, sync.WrongParked, found[0].What)
		require.Equal(t, mend, found[0].Mended)
	}
	require.Empty(t, w.inspect(false))
	require.Equal(t, before, waits())
}

// What has waited for thirty days is refused, and its device is told.
func TestParked_expires(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen := w.phone("lin"), w.phone("chen")
	lin.sync()
	chen.sync()
	backup := w.backup()
	shop := lin.create("account", values("name", "兴旺"))
	lin.sync()
	chen.sync()
	chen.edit(shop, values("short_name", "旺"))
	all := slices.Clone(chen.outbox)
	chen.sync()
	epoch := chen.epoch
	w.restored(backup)
	require.Equal(t, []record.Result{record.Parked}, results(chen.give(chen.journal(all, epoch, 1))))
	chen.restart()
	chen.pull()

	w.pass(30*24*time.Hour - time.Second)
	more, err := w.engine.Expire(t.Context(), w.org)
	require.NoError(t, err)
	require.False(t, more)
	chen.pull()
	require.Empty(t, chen.pages[0].Outcomes)

	w.pass(time.Second)
	_, err = w.engine.Expire(t.Context(), w.org)
	require.NoError(t, err)
	chen.pull()
	require.Equal(t, []record.Result{record.Refused}, results(chen.pages[0].Outcomes))
	require.Equal(t, "parked", refusalCode(chen.pages[0].Outcomes[0]))
}
