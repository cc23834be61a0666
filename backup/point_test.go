package backup_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/backup"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
)

// A row of the log is reached exactly, a moment to the commit before it. Behind
// a restore the log goes on, on another timeline, and is archived beside.
func TestRestore_toAPoint(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	folder := backup.At(memory(t))
	w.archive(folder)
	w.write()
	first := w.take(folder)
	var seqs []record.Seq
	for range 5 {
		seqs = append(seqs, w.write())
	}
	var moment time.Time
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT clock_timestamp()`).Scan(&moment))
	w.write()
	w.confirmed()
	w.stop()

	again, done := w.restore(folder, func(o *backup.RestoreOptions) { o.Org, o.Seq, o.Until = w.org, seqs[2], "the third" })
	require.Equal(t, []store.LogEnd{{Org: w.org, Epoch: "e1", Seq: seqs[2]}}, done.Ends)
	require.Equal(t, again.end().Seq+1, again.write())
	_, end := again.archive(folder)
	last := again.write()
	again.confirmed()
	again.stop()
	end()

	later, done := w.restore(folder, func(o *backup.RestoreOptions) { o.At, o.Until = moment, "a moment" })
	require.Equal(t, first.ID, done.Manifest.ID)
	require.Less(t, done.Ends[0].Seq, last, "the newest timeline leads on from the backup, and it came later")
	later.stop()

	_, err := tryRestore(t, folder, func(o *backup.RestoreOptions) { o.Org, o.Seq, o.Until = w.org, 1, "the first" })
	require.Equal(t, errs.Missing, errs.KindOf(err))
	require.ErrorContains(t, err, "the first is before the backup "+first.ID)
	_, err = tryRestore(t, folder, func(o *backup.RestoreOptions) { o.Org, o.Seq, o.Until = w.org, 1<<50, "no row" })
	require.Equal(t, errs.Missing, errs.KindOf(err), "%v", err)
	require.ErrorContains(t, err, "has no row 1125899906842624")
}
