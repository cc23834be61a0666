package backup

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"roadbook/errs"
	"roadbook/localpg"
)

// The layout of a backup folder:
//
//	system                    which PostgreSQL it belongs to
//	lock                      held while a backup is taken or removed
//	backups/20261129T011218Z  a backup: manifest.json, manifest.sha256, base.tar.zst
//	blobs/plain/ab/abcd…      photos and other files, which all backups share
//	wal/00000001.1            the archive: files of the WAL under PostgreSQL's names, in a folder
//	                          for each timeline and each time that something was missing
const (
	systemFile  = "system"
	lockName    = "lock"
	backupsName = "backups"
	walName     = "wal"

	halfSuffix = ".part" // of a backup that is being taken
	goneSuffix = ".gone" // of one that is being removed

	idLayout = "20060102T150405Z"
)

// Folder is where backups are kept.
type Folder struct{ dir string }

// At is the backup folder at a path. It need not be there yet.
func At(dir string) Folder { return Folder{dir} }

func (f Folder) backups() string       { return filepath.Join(f.dir, backupsName) }
func (f Folder) wal() string           { return filepath.Join(f.dir, walName) }
func (f Folder) of(id string) string   { return filepath.Join(f.backups(), id) }
func (f Folder) half(id string) string { return f.of(id) + halfSuffix }

// claim makes the folder that of one PostgreSQL: files of two would be taken
// for each other's.
func (f Folder) claim(system string) error {
	const op = "backup.Folder"

	path := filepath.Join(f.dir, systemFile)
	err := os.MkdirAll(f.backups(), 0o700)
	if err == nil {
		err = os.MkdirAll(f.wal(), 0o700)
	}
	if err != nil {
		return errs.New(op, errs.Invalid, "the backup folder %s cannot be made: name another", f.dir).Because(err)
	}
	said, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if err = writeFile(path, []byte(system+"\n")); err == nil {
			return nil
		}
	}
	if err != nil {
		return errs.New(op, errs.Invalid, "the backup folder %s cannot be used: make it ours, or name another", f.dir).Because(err)
	}
	if strings.TrimSpace(string(said)) != system {
		return errs.New(op, errs.Invalid, "%s holds backups of another database (PostgreSQL %s, and this is %s): "+
			"name a folder of its own", f.dir, strings.TrimSpace(string(said)), system)
	}
	return nil
}

// lock keeps others from taking and removing backups here.
func (f Folder) lock() (unlock func(), err error) {
	path := filepath.Join(f.dir, lockName)
	unlock, ok, err := localpg.TryLock(path)
	if err != nil {
		return nil, errs.New("backup.Folder", errs.Invalid, "%s cannot be written: make the folder ours, or name another", path).
			Because(err)
	}
	if !ok {
		return nil, errs.New("backup.Folder", errs.Busy, "a backup to %s is being taken already: wait for its end", f.dir)
	}
	return unlock, nil
}

// Listed is a backup, or what is left of one.
type Listed struct {
	Manifest
	Fault error // why it is none
}

// List are the backups, oldest first. Halves of backups are none of them.
func (f Folder) List() ([]Listed, error) {
	entries, err := os.ReadDir(f.backups())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, errs.New("backup.List", errs.Invalid, "the backup folder %s cannot be read", f.dir).Because(err)
	}
	var all []Listed
	for _, e := range entries {
		if !e.IsDir() || !isID(e.Name()) {
			continue
		}
		m, err := readManifest(f.of(e.Name()))
		m.ID = e.Name()
		all = append(all, Listed{m, err})
	}
	slices.SortFunc(all, func(a, b Listed) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

// Find is one backup by id, or the newest of those that can be read.
func (f Folder) Find(id string) (Manifest, error) {
	all, err := f.List()
	if err != nil {
		return Manifest{}, err
	}
	for _, l := range slices.Backward(all) {
		if l.ID == id || id == "" && l.Fault == nil {
			return l.Manifest, l.Fault
		}
	}
	if id == "" {
		return Manifest{}, errs.New("backup.Find", errs.Missing, "there is no backup in %s: “roadbook backup” takes one", f.dir)
	}
	return Manifest{}, errs.New("backup.Find", errs.Missing, "there is no backup %s in %s: “roadbook backup list” shows "+
		"those that there are", id, f.dir)
}

// whole are the backups that can be read, oldest first.
func (f Folder) whole() ([]Manifest, error) {
	all, err := f.List()
	var whole []Manifest
	for _, l := range all {
		if l.Fault == nil {
			whole = append(whole, l.Manifest)
		}
	}
	return whole, err
}

// Newest is when the last whole backup was taken; zero if there is none.
func (f Folder) Newest() (time.Time, error) {
	whole, err := f.whole()
	if err != nil || len(whole) == 0 {
		return time.Time{}, err
	}
	return whole[len(whole)-1].Ended, nil
}

func isID(name string) bool {
	_, err := time.Parse(idLayout, name)
	return err == nil
}

// tidy removes what was begun and never finished. The lock is held.
func (f Folder) tidy() {
	for _, suffix := range []string{halfSuffix, goneSuffix} {
		left, _ := filepath.Glob(filepath.Join(f.backups(), "*"+suffix))
		for _, dir := range left {
			_ = os.RemoveAll(dir)
		}
	}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync() // not every system can
	return d.Close()
}
