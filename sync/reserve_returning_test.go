package sync_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// lostAndBack has zhou reserve, spend 30 of 50 and use the first of three
// numbers after a backup, and chen take both back; then chen's comes back to the
// restored server first. It returns what zhou has still to give back.
func lostAndBack(t *testing.T, w *world) (budget, his, pad record.ID, zhou *phone, spent func() []record.Outcome) {
	t.Helper()
	budget = w.pot(100)
	series := w.pad()
	zhou, chen := w.phone("zhou"), w.phone("chen")
	zhou.pull()
	chen.pull()
	his, _ = zhou.reserves(budget, "discount", 50, 1)
	pad, _ = zhou.reserves(series, "issued", 3, 1)
	zhou.sync()
	backup := w.backup()
	from := zhou.n
	zhou.spends(his, 30)
	zhou.uses(pad, 1)
	all := slices.Clone(zhou.outbox)
	zhou.sync()
	chen.pull()
	chen.edit(his, values("closed", "reclaimed"))
	chen.edit(pad, values("closed", "reclaimed"))
	back := slices.Clone(chen.outbox)
	chen.sync()
	zhou.pull()
	require.Equal(t, "70", zhou.raw(budget, "discount"))
	require.Equal(t, `"2-3"`, zhou.raw(pad, "gaps"))
	epoch := zhou.epoch

	w.restored(backup)
	require.Equal(t, []record.Result{record.Applied, record.Applied}, results(chen.give(chen.journal(back, epoch, 1))))
	return budget, his, pad, zhou, func() []record.Outcome { return zhou.give(zhou.journal(all, epoch, from+1)) }
}

// A reserve that was taken back comes back before what was spent from it: that
// is spent, and nothing is there twice.
func TestReserve_reclaimComesBackFirst(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	budget, his, pad, _, spent := lostAndBack(t, w)

	require.Equal(t, []record.Result{record.Applied, record.Applied}, results(spent()))

	p := w.phone("zhou")
	p.pull()
	require.Equal(t, "70", p.raw(budget, "discount"))
	require.Equal(t, "0", p.raw(his, "left"))
	require.Equal(t, "20", p.raw(his, "back"))
	require.Equal(t, `"2-3"`, p.raw(pad, "gaps"))
	require.Empty(t, w.inspect(true))
}

// If somebody else has it by then, it waits until there is as much again.
func TestReserve_reclaimedAndGivenToAnother(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	budget, _, _, _, spent := lostAndBack(t, w)
	lin := w.phone("lin")
	lin.pull()
	lin.reserves(budget, "discount", 80, 1)
	lin.sync()

	require.Equal(t, []record.Result{record.Parked, record.Applied}, results(spent()))
	lin.pull()
	require.Equal(t, "20", lin.raw(budget, "discount"))

	w.propose(w.org, record.Edit{Op: record.OpEdit, Kind: "budget", ID: budget, Inc: values("discount", 15)})
	w.settles()
	lin.pull()
	require.Equal(t, "5", lin.raw(budget, "discount"))
}
