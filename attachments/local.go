package attachments

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"roadbook/errs"
)

// Local keeps blobs in a folder: ab/abcd…, by the first byte of the hash, and in
// tmp what is not whole yet.
type Local struct{ dir string }

const (
	tmpName  = "tmp"
	ownOnly  = 0o700
	blobMode = 0o600
)

// NewLocal are the blobs in a folder. It is made when the first one comes.
func NewLocal(dir string) *Local { return &Local{dir} }

// Tidy removes what somebody began to send before a moment and was never whole.
func (l *Local) Tidy(before time.Time) error {
	tmp := filepath.Join(l.dir, tmpName)
	left, err := os.ReadDir(tmp)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, f := range left {
		info, unread := f.Info()
		if unread == nil && info.ModTime().Before(before) {
			err = errors.Join(err, os.Remove(filepath.Join(tmp, f.Name())))
		}
	}
	if err != nil {
		return unwritable(tmp, err)
	}
	return nil
}

func (l *Local) path(h Hash) string {
	name := h.String()
	return filepath.Join(l.dir, name[:2], name)
}

// Put implements Blobs. The bytes are on the disk before the name is, and the
// name before Put returns.
func (l *Local) Put(ctx context.Context, b Blob, from io.Reader) error {
	if b.Bytes < 0 || b.Bytes > MaxBytes {
		return errs.New("attachments.Put", errs.Invalid, "a file has at most %d MB", MaxBytes>>20).Coded("blob_size")
	}
	if known, err := l.Stat(ctx, b.Hash); err == nil && known.Bytes == b.Bytes {
		return nil
	}
	path := l.path(b.Hash)
	for _, dir := range []string{filepath.Join(l.dir, tmpName), filepath.Dir(path)} {
		if err := os.MkdirAll(dir, ownOnly); err != nil {
			return unwritable(dir, err)
		}
	}
	f, err := os.CreateTemp(filepath.Join(l.dir, tmpName), b.Hash.String()[:8]+"-*")
	if err != nil {
		return unwritable(l.dir, err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // which is gone if all went well
	if err := fill(ctx, f, b, from); err != nil {
		_ = f.Close()
		return err
	}
	if err := errors.Join(f.Chmod(blobMode), f.Sync(), f.Close()); err != nil {
		return unwritable(l.dir, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return unwritable(path, err)
	}
	return errors.Join(syncDir(filepath.Dir(path)), syncDir(l.dir))
}

// fill writes what comes, and holds it to what was announced.
func fill(ctx context.Context, f *os.File, b Blob, from io.Reader) error {
	const op = "attachments.Put"

	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(disk{f}, sum), io.LimitReader(until(ctx, from), b.Bytes+1))
	var full *notWritten
	switch {
	case errors.As(err, &full):
		return unwritable(f.Name(), full.cause)
	case err != nil:
		return errs.New(op, errs.Busy, "the file did not arrive in full; send it again").Coded("blob_cut").Because(err)
	case n != b.Bytes:
		return errs.New(op, errs.Invalid, "the file has another length than was announced").Coded("blob_bytes")
	case Hash(sum.Sum(nil)) != b.Hash:
		return errs.New(op, errs.Invalid, "the file is not the one that was announced: its SHA-256 is another").Coded("blob_hash")
	}
	return nil
}

// notWritten tells what the disk refuses from what the sender does.
type notWritten struct{ cause error }

func (e *notWritten) Error() string { return e.cause.Error() }

type disk struct{ f *os.File }

func (d disk) Write(b []byte) (int, error) {
	n, err := d.f.Write(b)
	if err != nil {
		err = &notWritten{err}
	}
	return n, err
}

// reader is a function that reads.
type reader func(b []byte) (int, error)

func (r reader) Read(b []byte) (int, error) { return r(b) }

// until reads for as long as ctx lasts.
func until(ctx context.Context, from io.Reader) io.Reader {
	return reader(func(b []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return from.Read(b)
	})
}

// Open implements Blobs.
func (l *Local) Open(_ context.Context, h Hash, from int64) (io.ReadCloser, Blob, error) {
	f, err := os.Open(l.path(h))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Blob{}, missing(h)
	}
	if err != nil {
		return nil, Blob{}, unreadable(err)
	}
	info, err := f.Stat()
	if err == nil && from > 0 {
		_, err = f.Seek(from, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, Blob{}, unreadable(err)
	}
	return f, Blob{h, info.Size()}, nil
}

// Stat implements Blobs.
func (l *Local) Stat(_ context.Context, h Hash) (Blob, error) {
	info, err := os.Stat(l.path(h))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Blob{}, missing(h)
	case err != nil:
		return Blob{}, unreadable(err)
	}
	return Blob{h, info.Size()}, nil
}

// Remove implements Blobs.
func (l *Local) Remove(_ context.Context, h Hash) error {
	if err := os.Remove(l.path(h)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unwritable(l.path(h), err)
	}
	return nil
}

// Each implements Blobs. What is no blob in the folder is passed over.
func (l *Local) Each(ctx context.Context, from Hash, do func(Blob) error) error {
	parts, err := os.ReadDir(l.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unreadable(err)
	}
	first := from.String()
	for _, part := range parts {
		if len(part.Name()) != 2 || part.Name() < first[:2] || !part.IsDir() {
			continue
		}
		files, err := os.ReadDir(filepath.Join(l.dir, part.Name()))
		if err != nil {
			return unreadable(err)
		}
		slices.SortFunc(files, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
		for _, file := range files {
			h, err := ParseHash(file.Name())
			if err != nil || file.Name() < first || h.String()[:2] != part.Name() {
				continue
			}
			info, err := file.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue // removed meanwhile
			}
			if err := errors.Join(ctx.Err(), err); err != nil {
				return err
			}
			if err := do(Blob{h, info.Size()}); err != nil {
				return err
			}
		}
	}
	return nil
}

func unwritable(path string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return errs.New("attachments.Put", errs.Busy, "the server has no room for files at the moment; what was typed is safe, the file "+
			"is sent again later").Coded("blob_room").Because(err)
	}
	return errs.New("attachments.Put", errs.Internal, "%s cannot be written", path).Because(err)
}

func unreadable(err error) error {
	return errs.New("attachments.Open", errs.Internal, "a file cannot be read").Because(err)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync() // not every system can
	return d.Close()
}
