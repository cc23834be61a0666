package sync_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

// A remove comes back before the add that it took away, which must not bring
// the tag back; one that nobody has seen stays.
func TestReturning_removedTag(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen := w.phone("lin"), w.phone("chen")
	shop := lin.create("account", values("name", "兴旺"))
	lin.sync()
	chen.sync()
	backup := w.backup()
	add := lin.change(shop)
	add.Add = values("tags", []string{"冷链"})
	lin.typed(add)
	linAll := slices.Clone(lin.outbox)
	lin.sync()
	chen.sync()
	remove := chen.change(shop)
	remove.Remove = values("tags", []string{"冷链"})
	chen.typed(remove)
	chenAll := slices.Clone(chen.outbox)
	chen.sync()
	lin.pull()
	other := lin.change(shop)
	other.Add = values("tags", []string{"重点"})
	lin.typed(other)
	linAll = append(linAll, lin.outbox...)
	lin.sync()
	epoch := lin.epoch

	w.restored(backup)
	require.Equal(t, []record.Result{record.Applied}, results(chen.give(chen.journal(chenAll, epoch, 1))))
	lin.give(lin.journal(linAll, epoch, 2))

	chen.restart()
	chen.pull()
	require.Equal(t, `["重点"]`, chen.raw(shop, "tags"))
}

// A delete comes back before an edit that it had seen: the record stays deleted.
func TestReturning_deleted(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, zhou := w.phone("lin"), w.phone("chen")
	shop := lin.create("account", values("name", "兴旺"))
	lin.sync()
	zhou.sync()
	backup := w.backup()
	zhou.edit(shop, values("short_name", "旺"))
	zhouAll := slices.Clone(zhou.outbox)
	zhou.sync()
	lin.pull()
	lin.remove(shop)
	linAll := slices.Clone(lin.outbox)
	lin.sync()
	epoch := lin.epoch

	w.restored(backup)
	require.Equal(t, []record.Result{record.Applied}, results(lin.give(lin.journal(linAll, epoch, 2))))
	require.NotContains(t, results(zhou.give(zhou.journal(zhouAll, epoch, 1))), record.Refused)

	zhou.restart()
	zhou.pull()
	require.False(t, zhou.has(shop), "it is not raised from the dead")
}

// A refused mutation that comes back is only burnt, whatever would become of it
// now.
func TestReturning_refused(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	shop := lin.create("account", values("name", "兴旺", "points", 0))
	lin.sync()
	backup := w.backup()
	e := lin.change(shop)
	e.Inc = values("points", -1)
	lin.typed(e)
	all := slices.Clone(lin.outbox)
	lin.sync()
	require.Equal(t, "floor", refusalCode(lin.outs[all[0].ID]))
	epoch := lin.epoch

	w.restored(backup)
	w.propose(w.org, record.Edit{Op: record.OpEdit, Kind: "account", ID: shop, Seen: version.Vector{version.Log: uint64(w.end().Seq)}, Inc: values("points", 10)})
	out := lin.give(lin.journal(all, epoch, 2))

	require.Equal(t, []record.Result{record.Refused}, results(out))
	lin.restart()
	lin.pull()
	require.Equal(t, "10", lin.raw(shop, "points"))
}

// A replica that was made after the backup is made again, under its own name,
// for the device that proves that it was one.
func TestReturning_lostReplica(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	backup := w.backup()
	young := w.phone("lin")
	shop := young.create("account", values("name", "兴旺"))
	all := slices.Clone(young.outbox)
	young.sync()
	epoch := young.epoch
	w.restored(backup)
	if _, err := w.pool.Exec(t.Context(), `DELETE FROM replicas WHERE org = $1 AND device = $2`, w.org, [16]byte(young.who.Device)); err != nil {
		require.NoError(t, err)
	}

	_, err := w.engine.Push(t.Context(), young.who, &wire.Push{Replica: young.replica})
	problem := &wire.Failure{}
	require.ErrorAs(t, err, &problem)
	require.Equal(t, "replica", problem.Err.Code)
	require.Equal(t, []record.Result{record.Applied}, results(young.give(young.journal(all, epoch, 1))))

	lin.sync()
	require.Equal(t, "兴旺", lin.text(shop, "name"))
	young.restart()
	young.pull()
	require.True(t, young.has(shop))
}

// Two values that met come back in the other order: they meet in the same
// conflict, so that what a person has decided finds it.
func TestReturning_conflict(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen := w.phone("lin"), w.phone("chen")
	shop := lin.create("account", values("name", "兴旺"))
	lin.sync()
	chen.sync()
	backup := w.backup()
	lin.edit(shop, values("name", "兴"))
	chen.edit(shop, values("name", "旺"))
	linAll, chenAll := slices.Clone(lin.outbox), slices.Clone(chen.outbox)
	lin.sync()
	chen.sync()
	clashes := chen.outs[chenAll[0].ID].Clashes
	require.Len(t, clashes, 1)
	require.NotNil(t, clashes[0].Conflict)
	epoch := lin.epoch

	w.restored(backup)
	chen.give(chen.journal(chenAll, epoch, 1))
	out := lin.give(lin.journal(linAll, epoch, 2))

	require.Len(t, out[0].Clashes, 1)
	require.Equal(t, clashes[0].Conflict, out[0].Clashes[0].Conflict)
}
