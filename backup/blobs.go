package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"

	"roadbook/errs"
)

// Blobs are photos and other files that lie beside the database, by the SHA-256
// of what is in them.
type Blobs interface {
	Each(ctx context.Context, do func(hash string, bytes int64) error) error
	Open(ctx context.Context, hash string) (io.ReadCloser, error)
	Has(ctx context.Context, hash string) (bool, error)
	Put(ctx context.Context, hash string, bytes int64, from io.Reader) error
}

// What is a blob never changes, so that all backups share the files of them:
//
//	blobs/plain/ab/abcd…       one by its hash
//	blobs/1f2e3d4c/ab/abcd….age  encrypted, under a mark of who can read it
const (
	blobsName = "blobs"
	plainName = "plain"
)

func (f Folder) blobs() string { return filepath.Join(f.dir, blobsName) }

// markOf tells the readers of one encrypted backup from those of another.
func (r Recipients) mark() string {
	if len(r) == 0 {
		return plainName
	}
	names := make([]string, len(r))
	for i, one := range r {
		names[i] = fmt.Sprint(one)
	}
	slices.Sort(names)
	sum := sha256.Sum256([]byte(strings.Join(names, " ")))
	return hex.EncodeToString(sum[:4])
}

func (r Recipients) blobName(hash string) string {
	name := r.mark() + "/" + hash[:2] + "/" + hash
	if len(r) > 0 {
		name += sealedSuffix
	}
	return name
}

// hashOf is the blob that a file of a backup holds.
func hashOf(name string) string {
	return strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], sealedSuffix)
}

// blobs copies what no backup has yet, after the database: whatever its records
// name was there before them, or is not there at all.
func (t *taking) blobs(ctx context.Context) error {
	if t.from.Blobs == nil {
		return nil
	}
	known := map[string]File{}
	whole, err := t.o.Folder.whole()
	if err != nil {
		return err
	}
	for _, m := range whole {
		for _, f := range m.Blobs {
			known[f.Name] = f
		}
	}
	err = t.from.Blobs.Each(ctx, func(hash string, bytes int64) error {
		name := t.o.To.blobName(hash)
		path := filepath.Join(t.o.Folder.blobs(), filepath.FromSlash(name))
		if f, is := known[name]; is {
			if info, err := os.Stat(path); err == nil && info.Size() == f.Bytes {
				t.m.Blobs = append(t.m.Blobs, f)
				return nil
			}
		}
		f, err := t.blob(ctx, hash, bytes, name, path)
		if err == nil {
			t.m.Blobs = append(t.m.Blobs, f)
		}
		return err
	})
	return err
}

// blob copies one and holds it to its name.
func (t *taking) blob(ctx context.Context, hash string, bytes int64, name, path string) (file File, err error) {
	in, err := t.from.Blobs.Open(ctx, hash)
	if err != nil {
		return file, err
	}
	defer func() { _ = in.Close() }()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return file, unwritable(path, err)
	}
	out, err := os.OpenFile(path+halfSuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return file, unwritable(path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(out.Name())
		}
	}()
	sum, stored := sha256.New(), sha256.New()
	n, size, err := copySealed(out, in, t.o.To, sum, stored)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return file, unwritable(path, err)
	}
	if n != bytes || hex.EncodeToString(sum.Sum(nil)) != hash {
		return file, errs.New("backup.Take", errs.Invalid, "the file %s is damaged where the server keeps it: “roadbook doctor --deep” "+
			"tells which are; put it back from an older backup, or remove it", hash)
	}
	if err := os.Rename(out.Name(), path); err != nil {
		return file, unwritable(path, err)
	}
	return File{Name: name, Bytes: size, SHA256: hex.EncodeToString(stored.Sum(nil))}, syncDir(filepath.Dir(path))
}

// copySealed copies a blob, encrypted if there are recipients, and sums what it
// reads and what it writes. Photos are compressed already.
func copySealed(out io.Writer, in io.Reader, to Recipients, read, written io.Writer) (n, size int64, err error) {
	count := &counting{to: io.MultiWriter(out, written)}
	in = io.TeeReader(in, read)
	if len(to) == 0 {
		n, err = io.Copy(count, in)
		return n, count.n, err
	}
	w, err := age.Encrypt(count, to...)
	if err != nil {
		return 0, 0, err
	}
	n, err = io.Copy(w, in)
	return n, count.n, errors.Join(err, w.Close())
}

type counting struct {
	to io.Writer
	n  int64
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.to.Write(b)
	c.n += int64(n)
	return n, err
}

// putBlobs gives back what is not there.
func (f Folder) putBlobs(ctx context.Context, m Manifest, with Identities, to Blobs) (put int, err error) {
	for _, file := range m.Blobs {
		hash := hashOf(file.Name)
		is, err := to.Has(ctx, hash)
		if err != nil {
			return put, err
		}
		if is {
			continue
		}
		if err := f.putBlob(ctx, file, hash, with, to); err != nil {
			return put, errs.New("backup.Restore", errs.Invalid, "the file %s cannot be put back", hash).Because(err)
		}
		put++
	}
	return put, nil
}

func (f Folder) putBlob(ctx context.Context, file File, hash string, with Identities, to Blobs) error {
	if err := file.check(f.blobs()); err != nil {
		return err
	}
	in, err := os.Open(filepath.Join(f.blobs(), filepath.FromSlash(file.Name)))
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	if !strings.HasSuffix(file.Name, sealedSuffix) {
		return to.Put(ctx, hash, file.Bytes, in)
	}
	length, err := unsealedLength(in, with)
	if err != nil {
		return err
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	plain, err := age.Decrypt(in, with...)
	if err != nil {
		return err
	}
	return to.Put(ctx, hash, length, plain)
}

// unsealedLength reads an encrypted blob to its end: its length is not in the
// manifest, which everybody can read.
func unsealedLength(in io.Reader, with Identities) (int64, error) {
	plain, err := age.Decrypt(in, with...)
	if err != nil {
		return 0, err
	}
	return io.Copy(io.Discard, plain)
}

// trimBlobs removes what none of these backups needs.
func (f Folder) trimBlobs(kept []Manifest) error {
	needed := map[string]bool{}
	for _, m := range kept {
		for _, b := range m.Blobs {
			needed[b.Name] = true
		}
	}
	root, err := os.OpenRoot(f.blobs())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || needed[name] {
			return err
		}
		return root.Remove(name)
	})
}
