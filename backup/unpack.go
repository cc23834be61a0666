package backup

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"roadbook/errs"
)

// unpack lays the files of a cluster out in an empty folder.
func unpack(ctx context.Context, in io.Reader, dir string) error {
	root, err := os.OpenRoot(dir) // a name cannot lead out of it
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for files := tar.NewReader(in); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			_, err = io.Copy(io.Discard, in) // to the end, so that what follows is known to be nothing
			return err
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = one(root, h, files)
		}
		if err != nil {
			return err
		}
	}
}

func one(root *os.Root, h *tar.Header, in io.Reader) error {
	name := filepath.Clean(filepath.FromSlash(h.Name))
	switch h.Typeflag {
	case tar.TypeDir:
		if name == "." {
			return nil
		}
		return root.MkdirAll(name, 0o700)
	case tar.TypeReg:
		f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, in)
		return errors.Join(err, f.Close())
	}
	return fmt.Errorf("%s is neither a file nor a folder: a database with tablespaces of its own is restored by hand", h.Name)
}

// lay unpacks a backup's base.
func (f Folder) lay(ctx context.Context, m Manifest, with Identities, dir string) error {
	name := baseFile
	if m.Encrypted {
		name += sealedSuffix
	}
	in, err := openSealed(filepath.Join(f.of(m.ID), name), with)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	if err := unpack(ctx, in, dir); err != nil {
		return errs.New("backup.Restore", errs.Invalid, "the backup %s cannot be unpacked to %s", m.ID, dir).Because(err)
	}
	return nil
}
