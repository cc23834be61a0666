package attachments_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/attachments"
	"roadbook/errs"
)

func blobOf(text string) (attachments.Blob, io.Reader) {
	return attachments.Blob{Hash: sha256.Sum256([]byte(text)), Bytes: int64(len(text))}, bytes.NewReader([]byte(text))
}

func local(t *testing.T) attachments.Blobs {
	t.Helper()
	return attachments.NewLocal(filepath.Join(t.TempDir(), "blobs"))
}

// What every store of blobs promises.
func TestBlobs(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T) attachments.Blobs{"local": local} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for what, keeps := range promises {
				t.Run(what, func(t *testing.T) {
					t.Parallel()
					keeps(t, open(t))
				})
			}
		})
	}
}

var promises = map[string]func(t *testing.T, s attachments.Blobs){
	"what is put is there": func(t *testing.T, s attachments.Blobs) {
		t.Helper()
		b, from := blobOf("兴旺超市")
		_, err := s.Stat(t.Context(), b.Hash)
		require.Equal(t, errs.Missing, errs.KindOf(err))

		require.NoError(t, s.Put(t.Context(), b, from))

		is, err := s.Stat(t.Context(), b.Hash)
		require.NoError(t, err)
		require.Equal(t, b, is)
		for at, want := range map[int64]string{0: "兴旺超市", 6: "超市", 12: ""} {
			r, is, err := s.Open(t.Context(), b.Hash, at)
			require.NoError(t, err)
			require.Equal(t, b, is)
			text, err := io.ReadAll(r)
			require.NoError(t, errors.Join(err, r.Close()))
			require.Equal(t, want, string(text))
		}
	},
	"an empty one": func(t *testing.T, s attachments.Blobs) {
		t.Helper()
		b, from := blobOf("")
		require.NoError(t, s.Put(t.Context(), b, from))
		is, err := s.Stat(t.Context(), b.Hash)
		require.NoError(t, err)
		require.Zero(t, is.Bytes)
	},
	"what is there already is not read": func(t *testing.T, s attachments.Blobs) {
		t.Helper()
		b, from := blobOf("once")
		require.NoError(t, s.Put(t.Context(), b, from))
		require.NoError(t, s.Put(t.Context(), b, iotest.ErrReader(errors.New("it was read"))))
	},
	"what is not what was announced is nowhere": func(t *testing.T, s attachments.Blobs) {
		t.Helper()
		b, _ := blobOf("announced")
		for text, code := range map[string]string{"announceD": "blob_hash", "announced!": "blob_bytes", "announce": "blob_bytes", "": "blob_bytes"} {
			_, from := blobOf(text)
			err := s.Put(t.Context(), b, from)
			require.Equal(t, errs.Invalid, errs.KindOf(err))
			require.Equal(t, code, errs.CodeOf(err), text)
		}
		err := s.Put(t.Context(), b, io.MultiReader(bytes.NewReader([]byte("anno")), iotest.ErrReader(io.ErrUnexpectedEOF)))
		require.Equal(t, "blob_cut", errs.CodeOf(err))
		ctx, stop := context.WithCancel(t.Context())
		stop()
		_, from := blobOf("announced")
		require.Error(t, s.Put(ctx, b, from))
		_, err = s.Stat(t.Context(), b.Hash)
		require.Equal(t, errs.Missing, errs.KindOf(err))
		require.NoError(t, s.Each(t.Context(), attachments.Hash{}, func(attachments.Blob) error { return errors.New("something is there") }))
	},
	"too large": func(t *testing.T, s attachments.Blobs) {
		t.Helper()
		b, from := blobOf("x")
		b.Bytes = attachments.MaxBytes + 1
		require.Equal(t, "blob_size", errs.CodeOf(s.Put(t.Context(), b, from)))
		b.Bytes = attachments.MaxBytes
		require.Equal(t, "blob_bytes", errs.CodeOf(s.Put(t.Context(), b, from)), "it would be taken, if it were as long")
	},
	"removed": func(t *testing.T, s attachments.Blobs) {
		t.Helper()
		b, from := blobOf("gone")
		require.NoError(t, s.Put(t.Context(), b, from))
		require.NoError(t, s.Remove(t.Context(), b.Hash))
		require.NoError(t, s.Remove(t.Context(), b.Hash), "it is gone already")
		_, _, err := s.Open(t.Context(), b.Hash, 0)
		require.Equal(t, errs.Missing, errs.KindOf(err))
		require.Equal(t, "blob", errs.CodeOf(err))
	},
	"each, in order, from one on": func(t *testing.T, s attachments.Blobs) {
		t.Helper()
		for _, text := range []string{"a", "b", "c", "d", "e"} {
			b, from := blobOf(text)
			require.NoError(t, s.Put(t.Context(), b, from))
		}
		var all []attachments.Hash
		list := func(from attachments.Hash) (found []attachments.Hash) {
			require.NoError(t, s.Each(t.Context(), from, func(b attachments.Blob) error {
				require.EqualValues(t, 1, b.Bytes)
				found = append(found, b.Hash)
				return nil
			}))
			return found
		}
		all = list(attachments.Hash{})
		require.Len(t, all, 5)
		require.IsIncreasing(t, []string{all[0].String(), all[1].String(), all[2].String(), all[3].String(), all[4].String()})
		require.Equal(t, all[2:], list(all[2]))
		stop := errors.New("enough")
		require.ErrorIs(t, s.Each(t.Context(), all[1], func(attachments.Blob) error { return stop }), stop)
	},
	"many at once": func(t *testing.T, s attachments.Blobs) {
		t.Helper()
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				b, from := blobOf(string(rune('a' + i%4)))
				if err := s.Put(t.Context(), b, from); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		n := 0
		require.NoError(t, s.Each(t.Context(), attachments.Hash{}, func(attachments.Blob) error { n++; return nil }))
		require.Equal(t, 4, n)
	},
}

func TestParseHash(t *testing.T) {
	t.Parallel()
	b, _ := blobOf("x")
	h, err := attachments.ParseHash(b.Hash.String())
	require.NoError(t, err)
	require.Equal(t, b.Hash, h)
	for _, bad := range []string{"", "ab", b.Hash.String()[1:], b.Hash.String() + "0", "../" + b.Hash.String()[3:], "A" + b.Hash.String()[1:]} {
		_, err := attachments.ParseHash(bad)
		require.Equal(t, "hash", errs.CodeOf(err), bad)
	}
}

// What was begun long ago and is not whole is removed, and what is no blob left
// alone.
func TestLocal_Tidy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := attachments.NewLocal(dir)
	require.NoError(t, s.Tidy(time.Now()), "nothing is there")
	for _, name := range []string{"tmp/old", "tmp/new", "ab/notes.txt"} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
	}
	long := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(dir, "tmp", "old"), long, long))

	require.NoError(t, s.Tidy(long.Add(time.Minute)))

	require.NoFileExists(t, filepath.Join(dir, "tmp", "old"))
	require.FileExists(t, filepath.Join(dir, "tmp", "new"))
	require.NoError(t, s.Each(t.Context(), attachments.Hash{}, func(attachments.Blob) error { return errors.New("no blob") }))
	require.FileExists(t, filepath.Join(dir, "ab", "notes.txt"))
}
