package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"

	"roadbook/attachments"
	"roadbook/errs"
)

// blobsFolder is where an installation keeps photos, beside its database.
const blobsFolder = "blobs"

// blobsAt are the blobs of a data folder.
func blobsAt(data string) *attachments.Local {
	return attachments.NewLocal(filepath.Join(data, blobsFolder))
}

// copied are blobs as backups see them.
type copied struct{ attachments.Blobs }

func (c copied) Each(ctx context.Context, do func(hash string, bytes int64) error) error {
	return c.Blobs.Each(ctx, attachments.Hash{}, func(b attachments.Blob) error { return do(b.Hash.String(), b.Bytes) })
}

func (c copied) Open(ctx context.Context, hash string) (io.ReadCloser, error) {
	h, err := attachments.ParseHash(hash)
	if err != nil {
		return nil, err
	}
	r, _, err := c.Blobs.Open(ctx, h, 0)
	return r, err
}

func (c copied) Has(ctx context.Context, hash string) (bool, error) {
	h, err := attachments.ParseHash(hash)
	if err != nil {
		return false, err
	}
	_, err = c.Stat(ctx, h)
	if errs.KindOf(err) == errs.Missing {
		return false, nil
	}
	return err == nil, err
}

func (c copied) Put(ctx context.Context, hash string, bytes int64, from io.Reader) error {
	h, err := attachments.ParseHash(hash)
	if err != nil {
		return err
	}
	return c.Blobs.Put(ctx, attachments.Blob{Hash: h, Bytes: bytes}, from)
}

// checkBlobs reads every blob and names those that are not what their name says.
func checkBlobs(ctx context.Context, blobs attachments.Blobs, tell func(attachments.Hash)) (all int, bytes int64, err error) {
	err = blobs.Each(ctx, attachments.Hash{}, func(b attachments.Blob) error {
		all, bytes = all+1, bytes+b.Bytes
		whole, err := attachments.IsWhole(ctx, blobs, b.Hash)
		if err == nil && !whole {
			tell(b.Hash)
		}
		if errs.KindOf(err) == errs.Missing {
			return nil // removed meanwhile
		}
		return err
	})
	return all, bytes, errors.Join(ctx.Err(), err)
}
