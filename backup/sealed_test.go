package backup_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"roadbook/backup"
	"roadbook/errs"
	"roadbook/store"
	"roadbook/store/pg"
)

// identity makes an age identity, and the file that holds it.
func identity(t *testing.T) (to backup.Recipients, with backup.Identities) {
	t.Helper()
	one, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	to, err = backup.ParseRecipients(" " + one.Recipient().String() + ", ")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "identity")
	require.NoError(t, os.WriteFile(path, []byte("# a comment\n"+one.String()+"\n"), 0o600))
	with, err = backup.ReadIdentities(path)
	require.NoError(t, err)
	return to, with
}

func TestRestore_encrypted(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	to, with := identity(t)
	_, stranger := identity(t)
	folder := backup.At(memory(t))
	a, _ := w.archive(folder, func(a *backup.Archive) { a.To = to })
	m := w.take(folder, func(o *backup.Options) { o.To, o.WithKey = to, true })
	last := w.write()
	_, known, err := pg.Confirmed(t.Context(), w.pool)
	require.NoError(t, err)
	require.False(t, known, "what waits on the same disk proves nothing")
	at, err := pg.SwitchWAL(t.Context(), w.pool)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return a.Archived() >= at }, soon, pollEvery)

	found, err := folder.Verify(t.Context(), w.server.Tools(), m, with)
	require.NoError(t, err)
	require.GreaterOrEqual(t, found.UpTo, at)
	_, err = tryRestore(t, folder)
	require.ErrorContains(t, err, "is encrypted: name the file with the identity")
	_, err = tryRestore(t, folder, func(o *backup.RestoreOptions) { o.With = stranger })
	require.ErrorContains(t, err, "was not encrypted for this identity")
	_, done := w.restore(folder, func(o *backup.RestoreOptions) {
		o.With = with
		o.Key = func(string) ([]byte, error) { return nil, nil }
	})
	require.Equal(t, []store.LogEnd{{Org: w.org, Epoch: "e1", Seq: last}}, done.Ends)
	require.FileExists(t, done.Key, "the key was in the backup")
}

func TestRecipients(t *testing.T) {
	t.Parallel()

	none, err := backup.ParseRecipients("")
	require.NoError(t, err)
	require.Empty(t, none)
	_, err = backup.ParseRecipients("age1nobody")
	require.ErrorContains(t, err, "is no recipient")
	path := filepath.Join(t.TempDir(), "identity")
	require.NoError(t, os.WriteFile(path, []byte("AGE-SECRET-KEY-1HUNTER2\n"), 0o600))
	_, err = backup.ReadIdentities(path)
	require.ErrorContains(t, err, "is no identity file")
	require.NotContains(t, err.Error(), "HUNTER2")
}

// What is damaged is found, and what was never finished is no backup.
func TestVerify_damage(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	dir := memory(t)
	folder := backup.At(dir)
	w.archive(folder)
	m := w.take(folder)
	for range 3 {
		w.write()
		_, err := pg.SwitchWAL(t.Context(), w.pool)
		require.NoError(t, err)
	}
	w.confirmed()
	verify := func() error {
		_, err := folder.Verify(t.Context(), w.server.Tools(), m, nil)
		return err
	}
	require.NoError(t, verify())
	of := filepath.Join(dir, "backups", m.ID)

	wal, err := filepath.Glob(filepath.Join(dir, "wal", "*", "????????????????????????"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(wal), 3)
	middle := wal[len(wal)-2]
	require.NoError(t, os.Rename(middle, middle+".away"))
	require.ErrorContains(t, verify(), "lacks the file "+filepath.Base(middle))
	require.NoError(t, os.Rename(wal[len(wal)-1], middle))
	require.ErrorContains(t, verify(), "holds other WAL than its name says")
	require.NoError(t, os.Remove(middle))

	base := filepath.Join(of, "base.tar.zst")
	text, err := os.ReadFile(base)
	require.NoError(t, err)
	text[len(text)/2] ^= 1
	require.NoError(t, os.WriteFile(base, text, 0o600))
	require.ErrorContains(t, verify(), "is not what was written")
	require.NoError(t, os.WriteFile(filepath.Join(of, "manifest.json"), []byte("{}"), 0o600))
	_, err = folder.Find(m.ID)
	require.ErrorContains(t, err, "is not what was written")
	_, err = folder.Find("")
	require.Equal(t, errs.Missing, errs.KindOf(err))
}

func TestTake_half(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	dir := memory(t)
	folder := backup.At(dir)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := backup.Take(ctx, w.source(), backup.Options{
		Folder: folder, Key: key, Now: time.Now, Tell: func(string, ...any) { cancel() }, // as it begins
	})
	require.Error(t, err)
	left, err := os.ReadDir(filepath.Join(dir, "backups"))
	require.NoError(t, err)
	require.Empty(t, left)

	killed := filepath.Join(dir, "backups", "20260101T000000Z.part")
	require.NoError(t, os.Mkdir(killed, 0o700))
	_, err = folder.Find("")
	require.Equal(t, errs.Missing, errs.KindOf(err), "half of a backup is none")
	w.take(folder)
	require.NoDirExists(t, killed)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "system"), []byte("1234\n"), 0o600))
	_, err = backup.Take(t.Context(), w.source(), backup.Options{Folder: folder, Key: key, Now: time.Now, Tell: t.Logf})
	require.ErrorContains(t, err, "holds backups of another database")
}

// The archive that the oldest kept backup needs is kept, and no more.
func TestKeep(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	dir := memory(t)
	folder := backup.At(dir)
	w.archive(folder)
	clock := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for range 4 {
		w.take(folder, func(o *backup.Options) { o.Now = func() time.Time { return clock } })
		clock = clock.Add(time.Hour)
		w.write()
	}
	w.confirmed()

	gone, err := folder.Keep(2)
	require.NoError(t, err)
	require.Equal(t, []string{"20261122T080000Z", "20261122T090000Z"}, gone)
	all, err := folder.List()
	require.NoError(t, err)
	require.Len(t, all, 2)
	for _, l := range all {
		_, err := folder.Verify(t.Context(), w.server.Tools(), l.Manifest, nil)
		require.NoError(t, err)
	}
	wal, err := filepath.Glob(filepath.Join(dir, "wal", "*", "????????????????????????"))
	require.NoError(t, err)
	require.LessOrEqual(t, len(wal), 6)
	_, err = folder.Keep(0)
	require.Error(t, err)
}
