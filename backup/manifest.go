package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store/pg"
)

const (
	// format is that of the manifest. A program reads its own and older ones.
	format = 1

	manifestFile = "manifest.json"
	checksumFile = "manifest.sha256" // in the form of sha256sum
	baseFile     = "base.tar.zst"
	keyFile      = "secret.key"
	sealedSuffix = ".age"

	maxManifest = 64 << 20 // bytes; a million blobs or orgs
)

// Manifest says what a backup is. It is written last, and nobody's work is in
// it: it stays readable when the backup is encrypted.
type Manifest struct {
	Format  int       `json:"format"`
	ID      string    `json:"id"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended"`
	Program string    `json:"program"`

	PostgreSQL PostgreSQL `json:"postgresql"`
	WAL        WAL        `json:"wal"`
	Heads      []Head     `json:"heads"`

	Files     []File `json:"files"`
	Blobs     []File `json:"blobs"` // photos and other attachments, by their names below blobs/, which all backups share
	Encrypted bool   `json:"encrypted"`
	Key       Key    `json:"key"`
}

// PostgreSQL is what the database was.
type PostgreSQL struct {
	Version  string `json:"version"`
	Major    int    `json:"major"`
	System   string `json:"system"`
	Database string `json:"database"`
	Segment  uint64 `json:"segment_bytes"`
	Theirs   bool   `json:"theirs"` // not of Roadbook's own
}

// WAL is what of the WAL is in the backup itself: enough to make it whole.
type WAL struct {
	Timeline uint32 `json:"timeline"`
	From     pg.LSN `json:"from"`
	To       pg.LSN `json:"to"`
}

// Head is how far an org's log had come. The backup by itself holds at least
// what was there when it began; with the archive, also what came while it was
// taken.
type Head struct {
	Org   record.OrgID `json:"org"`
	Epoch string       `json:"epoch"`
	Began record.Seq   `json:"began_seq"`
	Seq   record.Seq   `json:"seq"`
}

// File is one of its files.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Key tells the installation's key from others without giving anything of it
// away.
type Key struct {
	Mark     string `json:"mark"`
	Included bool   `json:"included"`
}

// Bytes is what its files take.
func (m *Manifest) Bytes() (sum int64) {
	for _, list := range [][]File{m.Files, m.Blobs} {
		for _, f := range list {
			sum += f.Bytes
		}
	}
	return sum
}

// HeadsText says how far each org's log had come: "org 1 at 12003, org 2 at 7".
func (m *Manifest) HeadsText() string {
	parts := make([]string, len(m.Heads))
	for i, h := range m.Heads {
		parts[i] = fmt.Sprintf("org %d at %d", h.Org, h.Seq)
	}
	return strings.Join(parts, ", ")
}

// write puts the manifest and its checksum into a folder, as its last files.
func (m *Manifest) write(dir string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	sum := sha256.Sum256(text)
	if err := writeFile(filepath.Join(dir, manifestFile), text); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, checksumFile), []byte(hex.EncodeToString(sum[:])+"  "+manifestFile+"\n"))
}

func writeFile(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// readManifest reads the manifest of a backup and holds it to its checksum.
func readManifest(dir string) (Manifest, error) {
	const op = "backup.Manifest"

	var m Manifest
	path := filepath.Join(dir, manifestFile)
	text, err := readLimited(path)
	if err != nil {
		return m, errs.New(op, errs.Invalid, "%s cannot be read: this is no whole backup", path).Because(err)
	}
	said, err := readLimited(filepath.Join(dir, checksumFile))
	if err != nil {
		return m, errs.New(op, errs.Invalid, "the checksum beside %s cannot be read: this is no whole backup", path).Because(err)
	}
	sum := sha256.Sum256(text)
	if string(said) != hex.EncodeToString(sum[:])+"  "+manifestFile+"\n" {
		return m, errs.New(op, errs.Invalid, "%s is not what was written: take another backup", path)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, errs.New(op, errs.Invalid, "%s cannot be understood", path).Because(err)
	}
	if m.Format < 1 || m.Format > format {
		return m, errs.New(op, errs.Invalid, "%s has format %d, and this program knows those up to %d: use a later one",
			path, m.Format, format)
	}
	return m, nil
}

func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err == nil && len(text) > maxManifest {
		err = fmt.Errorf("it has more than %d bytes", maxManifest)
	}
	return text, err
}

// check compares a file with what the manifest says of it.
func (f File) check(dir string) error {
	const op = "backup.Check"

	if !filepath.IsLocal(f.Name) {
		return errs.New(op, errs.Invalid, "the manifest names the file %q, which is not in its folder", f.Name)
	}
	path := filepath.Join(dir, filepath.FromSlash(f.Name))
	in, err := os.Open(path)
	if err != nil {
		return errs.New(op, errs.Invalid, "%s cannot be read, and is a part of the backup", path).Because(err)
	}
	defer func() { _ = in.Close() }()
	sum := sha256.New()
	n, err := io.Copy(sum, in)
	switch {
	case err != nil:
		return errs.New(op, errs.Invalid, "%s cannot be read", path).Because(err)
	case n != f.Bytes || hex.EncodeToString(sum.Sum(nil)) != f.SHA256:
		return errs.New(op, errs.Invalid, "%s is not what was written: it is damaged; take another backup", path)
	}
	return nil
}
