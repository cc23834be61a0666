// Package attachments keeps what photos and other files consist of: bytes under
// the hash of them, wherever they lie. The same photo is there once, and what
// is there can be told from what was damaged.
package attachments

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"roadbook/errs"
)

// Hash is the SHA-256 of a blob, which is its name.
type Hash [sha256.Size]byte

// String is the hash in hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ParseHash reads a hash in hex, as String writes it.
func ParseHash(text string) (h Hash, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(h) || hex.EncodeToString(b) != text {
		return h, errs.New("attachments.Hash", errs.Invalid, "a SHA-256 is %d digits of lower-case hex", 2*len(h)).Coded("hash")
	}
	return Hash(b), nil
}

// Blob is one that is there, or that is to come.
type Blob struct {
	Hash  Hash
	Bytes int64
}

// MaxBytes is the most that one blob may have: photos have some megabytes, and
// a phone on a bad network sends this for an hour.
const MaxBytes = 256 << 20

// Blobs keeps blobs. All of it may be called at the same time, also for the same
// blob.
type Blobs interface {
	// Put takes a blob in. It is there as a whole or not at all, and once Put has
	// returned it stays. What is not what was announced is refused; what is there
	// already is not read.
	Put(ctx context.Context, b Blob, from io.Reader) error

	// Open reads a blob from some byte on; what is not there is missing.
	Open(ctx context.Context, h Hash, from int64) (io.ReadCloser, Blob, error)

	// Stat says whether a blob is there.
	Stat(ctx context.Context, h Hash) (Blob, error)

	// Remove takes a blob away. What is not there is gone already.
	Remove(ctx context.Context, h Hash) error

	// Each names all blobs in the order of their hashes, from one on.
	Each(ctx context.Context, from Hash, do func(Blob) error) error
}

func missing(h Hash) error {
	return errs.New("attachments.Open", errs.Missing, "this file is not here, or not yet").Coded("blob").Because(errors.New(h.String()))
}

// IsWhole reads a blob and reports whether it is what its name says.
func IsWhole(ctx context.Context, s Blobs, h Hash) (bool, error) {
	in, _, err := s.Open(ctx, h, 0)
	if err != nil {
		return false, err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, until(ctx, in))
	if err = errors.Join(err, in.Close()); err != nil {
		return false, err
	}
	return Hash(sum.Sum(nil)) == h, nil
}
