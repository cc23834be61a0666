package backup

import (
	"context"
	"os"
	"time"

	"roadbook/errs"
	"roadbook/localpg"
	"roadbook/store/pg"
)

// Checked is what Verify has found in order.
type Checked struct {
	Files int    // of the archive, behind the backup
	UpTo  pg.LSN // the place up to which it can be restored
}

// Verify holds a backup to its manifest, has PostgreSQL look at each of its
// files, and follows the archive behind it. It needs room to unpack the backup
// in, beside it.
func (f Folder) Verify(ctx context.Context, tools localpg.Tools, m Manifest, with Identities) (Checked, error) {
	for _, file := range m.Files {
		if err := file.check(f.of(m.ID)); err != nil {
			return Checked{}, err
		}
	}
	for _, blob := range m.Blobs {
		if err := blob.check(f.blobs()); err != nil {
			return Checked{}, err
		}
	}
	if err := f.verifyBase(ctx, tools, m, with); err != nil {
		return Checked{}, err
	}
	return f.verifyArchive(m, with)
}

func (f Folder) verifyBase(ctx context.Context, tools localpg.Tools, m Manifest, with Identities) error {
	dir, err := os.MkdirTemp(f.dir, "verify-")
	if err != nil {
		return errs.New("backup.Verify", errs.Invalid, "there is no room in %s to unpack the backup in", f.dir).Because(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := f.lay(ctx, m, with, dir); err != nil {
		return err
	}
	if err := tools.Run(ctx, nil, "", "pg_verifybackup", "--quiet", dir); err != nil {
		return errs.New("backup.Verify", errs.Invalid, "PostgreSQL finds the backup %s damaged: take another one", m.ID).Because(err)
	}
	return nil
}

// Reach is the moment up to which a backup can be restored, by when the last
// file of the archive behind it was written; its own end without an archive.
func (f Folder) Reach(m Manifest) time.Time {
	a, err := readArchive(f.wal(), m.PostgreSQL.Segment)
	if err != nil {
		return m.Ended
	}
	target, way, err := a.target(m.WAL, nil)
	if err != nil { // where timelines part is written in encrypted files
		target, way = m.WAL.Timeline, nil
	}
	at := m.Ended
	found, _ := a.follow(m.WAL, target, way)
	for _, h := range found {
		if info, err := os.Stat(h.path); err == nil && info.ModTime().After(at) {
			at = info.ModTime()
		}
	}
	return at
}

func (f Folder) verifyArchive(m Manifest, with Identities) (Checked, error) {
	found := Checked{UpTo: m.WAL.To}
	a, err := readArchive(f.wal(), m.PostgreSQL.Segment)
	if err != nil {
		return found, errs.New("backup.Verify", errs.Invalid, "the archive in %s cannot be read", f.wal()).Because(err)
	}
	s, err := a.after(m.WAL, with)
	if err != nil {
		return found, errs.New("backup.Verify", errs.Invalid, "the archive in %s cannot be followed", f.wal()).Because(err)
	}
	for _, h := range s.from {
		if err := h.checkHeader(m.PostgreSQL.Segment, m.PostgreSQL.System, with); err != nil {
			return found, errs.New("backup.Verify", errs.Invalid, "the archive is damaged: what comes after it needs a later "+
				"backup").Because(err)
		}
	}
	found.Files, found.UpTo = len(s.from), max(found.UpTo, s.upTo)
	if s.gap != "" {
		return found, errs.New("backup.Verify", errs.Invalid, "the archive lacks the file %s: from this backup nothing later "+
			"can be restored; take another one", s.gap)
	}
	return found, nil
}
