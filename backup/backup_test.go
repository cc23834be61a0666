package backup_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/backup"
	"roadbook/store"
)

func TestRestore_all(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	folder := backup.At(memory(t))
	w.archive(folder)
	w.write()
	m := w.take(folder)
	w.write()
	last := w.write()
	w.confirmed()
	w.stop()

	again, done := w.restore(folder)

	require.Equal(t, []store.LogEnd{{Org: w.org, Epoch: "e1", Seq: last}}, done.Ends)
	require.Equal(t, m.ID, done.Manifest.ID)
	begun := again.end().Seq
	require.Greater(t, begun, last+1<<16, "a new epoch has begun, far behind whatever was lost")
	require.NotEqual(t, "e1", again.end().Epoch)
	require.Equal(t, begun+1, again.write())
	rows, err := again.engine.Store.CheckLog(t.Context(), w.org, 2)
	require.NoError(t, err)
	require.Equal(t, 2, rows)
}
