package backup_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"roadbook/backup"
	"roadbook/errs"
)

// photos are blobs in memory; opened counts how often one was read.
type photos struct {
	of     map[string]string
	opened int
}

func newPhotos(texts ...string) *photos {
	p := &photos{of: map[string]string{}}
	for _, text := range texts {
		p.of[hashOf(text)] = text
	}
	return p
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (p *photos) Each(_ context.Context, do func(hash string, bytes int64) error) error {
	for _, hash := range slices.Sorted(maps.Keys(p.of)) {
		if err := do(hash, int64(len(p.of[hash]))); err != nil {
			return err
		}
	}
	return nil
}

func (p *photos) Open(_ context.Context, hash string) (io.ReadCloser, error) {
	p.opened++
	return io.NopCloser(strings.NewReader(p.of[hash])), nil
}

func (p *photos) Has(_ context.Context, hash string) (bool, error) {
	_, is := p.of[hash]
	return is, nil
}

func (p *photos) Put(_ context.Context, hash string, bytes int64, from io.Reader) error {
	text, err := io.ReadAll(from)
	if err == nil && (int64(len(text)) != bytes || hashOf(string(text)) != hash) {
		err = io.ErrUnexpectedEOF
	}
	p.of[hash] = string(text)
	return err
}

var ticks atomic.Int64

// tick is a clock of which no two looks are in the same second: a backup has its
// name from that.
func tick() func() time.Time {
	return func() time.Time { return time.Now().Add(time.Duration(ticks.Add(1)) * time.Second) }
}

// A backup has the photos, each once for all backups, and what is gone comes back
// with a restore; what only backups needed that are gone, goes with them.
func TestBlobs(t *testing.T) {
	t.Parallel()
	identity, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	for name, to := range map[string]backup.Recipients{"plain": nil, "encrypted": {identity.Recipient()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			with := backup.Identities{identity}
			w := newWorld(t)
			folder := backup.At(memory(t))
			kept := newPhotos("one", "two", "")
			take := func() backup.Manifest {
				from := w.source()
				from.Blobs = kept
				m, err := backup.Take(t.Context(), from, backup.Options{
					Folder: folder, Key: key, Program: "a test", Now: tick(), Tell: t.Logf, To: to,
				})
				require.NoError(t, err)
				return m
			}
			first := take()
			require.Len(t, first.Blobs, 3)
			require.Equal(t, 3, kept.opened)
			delete(kept.of, hashOf("one"))
			kept.of[hashOf("three")] = "three"

			second := take()

			require.Len(t, second.Blobs, 3)
			require.Equal(t, 4, kept.opened, "only what is new is read")
			files := blobFiles(t, folder)
			require.Len(t, files, 4)
			for _, f := range files {
				text, err := os.ReadFile(f)
				require.NoError(t, err)
				require.Equal(t, to == nil && strings.HasSuffix(f, hashOf("three")), bytes.Equal(text, []byte("three")))
			}
			back := newPhotos("two")
			_, done := w.restore(folder, func(o *backup.RestoreOptions) {
				o.With, o.Blobs = with, func(string) backup.Blobs { return back }
			})
			require.Equal(t, 2, done.Blobs, "what is there is left")
			require.Equal(t, map[string]string{hashOf("two"): "two", hashOf(""): "", hashOf("three"): "three"}, back.of)

			gone, err := folder.Keep(1)
			require.NoError(t, err)
			require.Equal(t, []string{first.ID}, gone)
			require.Len(t, blobFiles(t, folder), 3)
			_, err = folder.Verify(t.Context(), w.server.Tools(), second, with)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(files[0], []byte("x"), 0o600))
			require.NoError(t, os.WriteFile(files[len(files)-1], []byte("x"), 0o600))
			_, err = folder.Verify(t.Context(), w.server.Tools(), second, with)
			require.Equal(t, errs.Invalid, errs.KindOf(err))
		})
	}
}

// A photo that is damaged where it is kept is no part of a backup that calls
// itself whole.
func TestBlobs_damaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	folder := backup.At(memory(t))
	from := w.source()
	from.Blobs = &photos{of: map[string]string{hashOf("one"): "0ne"}}

	_, err := backup.Take(t.Context(), from, backup.Options{Folder: folder, Key: key, Program: "a test", Now: tick(), Tell: t.Logf})

	require.Equal(t, errs.Invalid, errs.KindOf(err))
	require.ErrorContains(t, err, hashOf("one"))
	all, err := folder.List()
	require.NoError(t, err)
	require.Empty(t, all)
}

// A backup that cannot be read may need what the others do not.
func TestBlobs_keptForWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	folder := backup.At(memory(t))
	from := w.source()
	now := tick()
	for _, text := range []string{"one", "two", "three"} {
		from.Blobs = newPhotos(text)
		_, err := backup.Take(t.Context(), from, backup.Options{Folder: folder, Key: key, Program: "a test", Now: now, Tell: t.Logf})
		require.NoError(t, err)
	}
	all, err := folder.List()
	require.NoError(t, err)
	spoilt := folder.Path(all[0].ID, "manifest.json")
	require.NoError(t, os.WriteFile(spoilt, []byte("{}"), 0o600))

	_, err = folder.Keep(1)

	require.NoError(t, err)
	require.Len(t, blobFiles(t, folder), 3)
}

func blobFiles(t *testing.T, folder backup.Folder) (all []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(folder.Path("..", "blobs"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, path)
		}
		return err
	}))
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
	return all
}
