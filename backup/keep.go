package backup

import (
	"errors"
	"os"

	"roadbook/errs"
)

// Keep removes all but the newest backups, and what of the archive only the
// others needed. A backup that cannot be read is not counted and not removed:
// somebody should look at it. It returns the names of those that went.
func (f Folder) Keep(count int) (gone []string, err error) {
	if count < 1 {
		return nil, errs.New("backup.Keep", errs.Invalid, "at least one backup has to be kept")
	}
	unlock, err := f.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	all, err := f.List()
	if err != nil {
		return nil, err
	}
	var whole []Manifest
	sure := true // what a backup needs that cannot be read, nobody knows
	for _, l := range all {
		if sure = sure && l.Fault == nil; l.Fault == nil {
			whole = append(whole, l.Manifest)
		}
	}
	if len(whole) == 0 {
		return nil, nil
	}
	extra := max(0, len(whole)-count)
	for _, m := range whole[:extra] {
		if err := f.remove(m.ID); err != nil {
			return gone, errs.New("backup.Keep", errs.Invalid, "the old backup %s cannot be removed", f.of(m.ID)).Because(err)
		}
		gone = append(gone, m.ID)
	}
	if err := f.trim(whole[extra:]); err != nil || !sure {
		return gone, err
	}
	return gone, f.trimBlobs(whole[extra:])
}

// remove takes the name away first, so that half a backup is never one.
func (f Folder) remove(id string) error {
	away := f.of(id) + goneSuffix
	if err := os.Rename(f.of(id), away); err != nil {
		return err
	}
	return errors.Join(syncDir(f.backups()), os.RemoveAll(away))
}

// trim removes WAL from before every backup that is kept.
func (f Folder) trim(kept []Manifest) error {
	size := kept[0].PostgreSQL.Segment
	oldest := kept[0].WAL.From
	for _, m := range kept {
		oldest = min(oldest, m.WAL.From)
	}
	a, err := readArchive(f.wal(), size)
	if err != nil {
		return err
	}
	var failed error
	for _, h := range a.segments {
		if h.no < uint64(oldest)/size {
			failed = errors.Join(failed, os.Remove(h.path))
		}
	}
	return failed
}
