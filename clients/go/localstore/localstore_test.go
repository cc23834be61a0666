package localstore_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/clients/go/localstore"
)

type store interface {
	Load(table string, each func(key, value []byte) error) error
	Write(batch []localstore.Write) error
	Close() error
}

type row struct{ key, value string }

func rows(t require.TestingT, s store, table string) []row {
	var all []row
	require.NoError(t, s.Load(table, func(key, value []byte) error {
		all = append(all, row{string(key), string(value)})
		return nil
	}))
	return all
}

// Whatever is written, the file and the memory hold the same, in order.
func TestStores_agree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := 0

	rapid.Check(t, func(rt *rapid.T) {
		n++
		place := filepath.Join(dir, string(rune('a'+n%26))+rapid.StringMatching(`[a-z]{8}`).Draw(rt, "dir"))
		require.NoError(rt, os.RemoveAll(place))
		disk, err := localstore.Open(place)
		require.NoError(rt, err)
		memory := &localstore.Memory{}
		for range rapid.IntRange(1, 3).Draw(rt, "batches") {
			batch := drawBatch(rt)
			require.NoError(rt, disk.Write(batch))
			require.NoError(rt, memory.Write(batch))
		}
		require.NoError(rt, disk.Close())
		disk, err = localstore.Open(place)
		require.NoError(rt, err)
		for _, table := range []string{"a", "b"} {
			require.Equal(rt, rows(rt, memory, table), rows(rt, disk, table))
			require.Equal(rt, rows(rt, memory, table), rows(rt, memory.Clone(), table))
		}
		require.NoError(rt, disk.Close())
	})
}

func drawBatch(rt *rapid.T) []localstore.Write {
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) localstore.Write {
		w := localstore.Write{Table: rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "table")}
		switch rapid.IntRange(0, 9).Draw(rt, "what") {
		case 0:
		case 1, 2:
			w.Key = []byte(rapid.SampledFrom([]string{"x", "y", "z"}).Draw(rt, "key"))
		default:
			w.Key = []byte(rapid.SampledFrom([]string{"x", "y", "z"}).Draw(rt, "key"))
			w.Value = []byte(rapid.StringMatching(`[a-z]+`).Draw(rt, "value"))
		}
		return w
	}), 1, 6).Draw(rt, "batch")
}

// A batch is there as a whole or not at all.
func TestDisk_wholeOrAbsent(t *testing.T) {
	t.Parallel()
	d, err := localstore.Open(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, d.Write([]localstore.Write{{Table: "a", Key: []byte("x"), Value: []byte("1")}}))

	tooLong := make([]byte, 1<<16)
	err = d.Write([]localstore.Write{
		{Table: "a", Key: []byte("x"), Value: []byte("2")},
		{Table: "a", Key: tooLong, Value: []byte("3")},
	})

	require.Error(t, err)
	require.Equal(t, []row{{"x", "1"}}, rows(t, d, "a"))
	require.NoError(t, d.Write(nil))
	require.NoError(t, d.Close())
}

func TestOpen_taken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := localstore.Open(dir)
	require.NoError(t, err)
	_, err = localstore.Open(dir)
	require.ErrorIs(t, err, localstore.ErrTaken)
	require.NoError(t, d.Close())

	info, err := os.Stat(filepath.Join(dir, localstore.FileName))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "for the owner's eyes only")
	_, err = localstore.Open(filepath.Join(dir, localstore.FileName))
	require.Error(t, err, "a file is no folder")
}

func TestLoad_stopsAtAnError(t *testing.T) {
	t.Parallel()
	m := &localstore.Memory{}
	require.NoError(t, m.Write([]localstore.Write{{Table: "a", Key: []byte("x"), Value: []byte("1")}}))
	stop := errors.New("stop")
	require.ErrorIs(t, m.Load("a", func(_, _ []byte) error { return stop }), stop)
	require.NoError(t, m.Close())
	require.Len(t, rows(t, m, "a"), 1, "closing loses nothing")
}
