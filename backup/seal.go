package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"strings"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"roadbook/errs"
)

// Recipients are those who can read an encrypted backup. The program that
// takes it holds none of their keys.
type Recipients []age.Recipient

// ParseRecipients reads age recipients (age1…) with commas between.
func ParseRecipients(text string) (Recipients, error) {
	var all Recipients
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		one, err := age.ParseRecipients(strings.NewReader(part))
		if err != nil {
			return nil, errs.New("backup.Recipients", errs.Invalid, "%q is no recipient: it looks like age1…, and "+
				"“age-keygen” makes one, with the identity that reads what is encrypted for it", part)
		}
		all = append(all, one...)
	}
	return all, nil
}

// Identities open what was encrypted for their recipients.
type Identities []age.Identity

// ReadIdentities reads an identity file as “age-keygen” writes it. No path is
// no identity.
func ReadIdentities(path string) (Identities, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, errs.New("backup.Identities", errs.Invalid, "the identity file %s cannot be read", path).Because(err)
	}
	defer func() { _ = f.Close() }()
	all, err := age.ParseIdentities(f)
	if err != nil { // its words may repeat a line of the file
		return nil, errs.New("backup.Identities", errs.Invalid, "%s is no identity file: it holds lines that begin with "+
			"AGE-SECRET-KEY-1", path)
	}
	return all, nil
}

// sealed is a file in the making: compressed, then encrypted if there are
// recipients, counted and summed as it is written.
type sealed struct {
	file  *os.File
	sum   hash.Hash
	bytes int64
	age   io.WriteCloser // nil if it is not encrypted
	zstd  *zstd.Encoder
}

func createSealed(path string, to Recipients) (*sealed, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	s := &sealed{file: f, sum: sha256.New()}
	var out io.Writer = counted{s}
	if len(to) > 0 {
		if s.age, err = age.Encrypt(out, to...); err != nil {
			_ = f.Close()
			return nil, err
		}
		out = s.age
	}
	s.zstd, err = zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return s, nil
}

type counted struct{ s *sealed }

func (c counted) Write(b []byte) (int, error) {
	n, err := c.s.file.Write(b)
	c.s.sum.Write(b[:n])
	c.s.bytes += int64(n)
	return n, err
}

func (s *sealed) Write(b []byte) (int, error) { return s.zstd.Write(b) }

// Close ends it; only then it is on the disk.
func (s *sealed) Close() error {
	err := s.zstd.Close()
	if s.age != nil {
		err = errors.Join(err, s.age.Close())
	}
	return errors.Join(err, s.file.Sync(), s.file.Close())
}

func (s *sealed) as(name string) File {
	return File{Name: name, Bytes: s.bytes, SHA256: hex.EncodeToString(s.sum.Sum(nil))}
}

// openSealed reads what createSealed has written.
func openSealed(path string, with Identities) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	var in io.Reader = f
	if strings.HasSuffix(path, sealedSuffix) {
		if len(with) == 0 {
			_ = f.Close()
			return nil, errs.New("backup.Open", errs.Invalid, "%s is encrypted: name the file with the identity that opens "+
				"it, --identity FILE", path)
		}
		if in, err = age.Decrypt(f, with...); err != nil {
			_ = f.Close()
			return nil, errs.New("backup.Open", errs.Invalid, "%s was not encrypted for this identity, or is damaged", path).
				Because(err)
		}
	}
	z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1))
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return unsealed{z, f}, nil
}

type unsealed struct {
	*zstd.Decoder
	file *os.File
}

func (u unsealed) Close() error {
	u.Decoder.Close()
	return u.file.Close()
}
