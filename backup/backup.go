// Package backup keeps copies of the database elsewhere: backups, the archive
// of the WAL between them, and standbys; and it brings them back. It moves
// files and runs PostgreSQL's own tools; what a restored log must begin with
// is the engine's, and is handed in.
package backup

import (
	"archive/tar"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"roadbook/errs"
	"roadbook/localpg"
	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg"
)

// Source is a database that is to be backed up.
type Source struct {
	Pool   *pg.Pool
	DSN    string // whose user may replicate
	Tools  localpg.Tools
	Theirs bool  // it is not of Roadbook's own
	Blobs  Blobs // what lies beside it; nil is nothing
}

// Options are how a backup is taken.
type Options struct {
	Folder  Folder
	To      Recipients // who can read it; nobody: it is not encrypted
	Key     []byte     // the installation's, of which a mark is kept
	WithKey bool       // and the key itself
	Program string     // which program takes it
	Now     func() time.Time
	Tell    func(format string, args ...any)
}

// Take takes a backup while the database serves. It appears under its name when
// all of it is on the disk, and is nothing before.
func Take(ctx context.Context, from Source, o Options) (m Manifest, err error) {
	cluster, err := pg.ClusterOf(ctx, from.Pool)
	if err != nil {
		return m, err
	}
	if err := o.Folder.claim(cluster.System); err != nil {
		return m, err
	}
	unlock, err := o.Folder.lock()
	if err != nil {
		return m, err
	}
	defer unlock()
	o.Folder.tidy()
	began := o.Now().UTC()
	m = Manifest{
		Format: format, ID: began.Format(idLayout), Began: began, Program: o.Program, Files: []File{}, Blobs: []File{},
		PostgreSQL: PostgreSQL{
			Version: cluster.Version, Major: cluster.Major, System: cluster.System, Database: cluster.Database,
			Segment: cluster.Segment, Theirs: from.Theirs,
		},
		Encrypted: len(o.To) > 0, Key: Key{Mark: KeyMark(o.Key)},
	}
	half := o.Folder.half(m.ID)
	if err := os.Mkdir(half, 0o700); err != nil {
		return m, unwritable(half, err)
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(half)
		}
	}()
	o.Tell("backing up to %s: %d MB of database", o.Folder.of(m.ID), cluster.Bytes>>20)
	t := taking{from: from, o: o, m: &m, dir: half, bytes: cluster.Bytes}
	if err := t.all(ctx); err != nil {
		return m, err
	}
	if err := o.Folder.finish(m.ID); err != nil {
		return m, unwritable(half, err)
	}
	return m, nil
}

// finish gives a whole backup its name.
func (f Folder) finish(id string) error {
	if err := syncDir(f.half(id)); err != nil {
		return err
	}
	if err := os.Rename(f.half(id), f.of(id)); err != nil {
		return err
	}
	return syncDir(f.backups())
}

func unwritable(path string, err error) error {
	return errs.New("backup.Take", errs.Invalid, "%s cannot be written: make room, or name another folder", path).Because(err)
}

// KeyMark tells an installation's key from another.
func KeyMark(key []byte) string {
	mark, err := hkdf.Key(sha256.New, key, nil, "roadbook mark of the key v1", 8)
	if err != nil {
		panic(err) // only for lengths that are not ours
	}
	return hex.EncodeToString(mark)
}

// taking is a backup in the making.
type taking struct {
	from  Source
	o     Options
	m     *Manifest
	dir   string
	bytes int64 // that are to be expected, about
}

func (t *taking) all(ctx context.Context) error {
	release, err := pg.HoldWAL(ctx, t.from.Pool)
	if err != nil {
		return err
	}
	defer release()
	before, err := store.LogEnds(ctx, t.from.Pool)
	if err != nil {
		return err
	}
	if err := t.base(ctx); err != nil {
		return err
	}
	after, err := store.LogEnds(ctx, t.from.Pool)
	if err != nil {
		return err
	}
	t.m.Heads = heads(before, after)
	if err := t.blobs(ctx); err != nil {
		return err
	}
	if t.o.WithKey {
		err := t.put(keyFile, func(w io.Writer) error {
			_, err := io.WriteString(w, hex.EncodeToString(t.o.Key)+"\n")
			return err
		})
		if err != nil {
			return err
		}
		t.m.Key.Included = true
	}
	t.m.Ended = t.o.Now().UTC()
	if err := t.m.write(t.dir); err != nil {
		return unwritable(t.dir, err)
	}
	return nil
}

func heads(before, after []store.LogEnd) []Head {
	began := map[record.OrgID]record.Seq{}
	for _, e := range before {
		began[e.Org] = e.Seq
	}
	all := make([]Head, len(after))
	for i, e := range after {
		all[i] = Head{Org: e.Org, Epoch: e.Epoch, Began: began[e.Org], Seq: e.Seq}
	}
	return all
}

// put writes one file of the backup.
func (t *taking) put(name string, write func(io.Writer) error) error {
	if len(t.o.To) > 0 {
		name += sealedSuffix
	}
	path := filepath.Join(t.dir, name)
	out, err := createSealed(path, t.o.To)
	if err != nil {
		return unwritable(path, err)
	}
	err = write(out)
	if closed := out.Close(); err == nil && closed != nil {
		err = unwritable(path, closed)
	}
	if err != nil {
		return err
	}
	t.m.Files = append(t.m.Files, out.as(name))
	return nil
}

// base streams the files of the cluster, and with them as much of the WAL as
// makes them whole. PostgreSQL's own list of them, which says what WAL that is,
// is read as it passes.
func (t *taking) base(ctx context.Context) error {
	return t.put(baseFile, func(w io.Writer) error {
		r, pipe := io.Pipe()
		listed := make(chan error, 1)
		go func() {
			err := t.readList(r)
			_ = r.CloseWithError(err)
			listed <- err
		}()
		progress := &progress{tell: t.o.Tell, all: t.bytes}
		err := t.from.Tools.Run(ctx, io.MultiWriter(w, pipe, progress), t.from.DSN, "pg_basebackup",
			"--pgdata=-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast", "--manifest-checksums=SHA256",
			"--label=roadbook "+t.m.ID)
		_ = pipe.Close()
		if read := <-listed; err == nil {
			err = read
		}
		if err != nil && ctx.Err() == nil {
			return errs.New("backup.Take", errs.Internal, "the backup was not finished, and nothing of it is kept: mend "+
				"what it says and try again. A PostgreSQL of yours must let the user replicate (ALTER ROLE … REPLICATION, "+
				"and a line for “replication” in its pg_hba.conf)").Because(err)
		}
		return errors.Join(err, ctx.Err())
	})
}

// pgList is what of PostgreSQL's backup_manifest is of interest here.
type pgList struct {
	Ranges []struct {
		Timeline uint32
		Start    pg.LSN `json:"Start-LSN"`
		End      pg.LSN `json:"End-LSN"`
	} `json:"WAL-Ranges"`
}

func (t *taking) readList(r io.Reader) error {
	for files := tar.NewReader(r); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return errors.New("it ended without a list of its files")
		}
		if err != nil {
			return err
		}
		if h.Name != "backup_manifest" {
			continue
		}
		var list pgList
		if err := json.NewDecoder(io.LimitReader(files, maxManifest)).Decode(&list); err != nil {
			return err
		}
		if len(list.Ranges) == 0 {
			return errors.New("its list of files does not say which WAL belongs to it")
		}
		last := list.Ranges[len(list.Ranges)-1]
		t.m.WAL = WAL{Timeline: last.Timeline, From: list.Ranges[0].Start, To: last.End}
		_, err = io.Copy(io.Discard, r)
		return err
	}
}

// progress tells how far a stream has come, in quarters.
type progress struct {
	tell      func(string, ...any)
	done, all int64
	told      int64
}

func (p *progress) Write(b []byte) (int, error) {
	p.done += int64(len(b))
	for p.told < 3 && p.all > 0 && p.done*4/p.all > p.told {
		p.told++
		p.tell("  %d %%", p.told*25)
	}
	return len(b), nil
}
