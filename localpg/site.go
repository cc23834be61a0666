package localpg

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"

	"roadbook/errs"
)

// Site is a data folder on which no server runs, and none can start while it
// is held.
type Site struct{ s *Server }

// Hold takes a data folder. Errors are those of Open; Busy means that a server
// is at work on it.
func Hold(ctx context.Context, cfg Config) (*Site, error) {
	s := &Server{cfg: cfg, unused: make(chan struct{})}
	if s.cfg.Logf == nil {
		s.cfg.Logf = func(string, ...any) {}
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	if err := s.takeLock(ctx); err != nil {
		return nil, err
	}
	if err := s.clearOrphan(ctx); err != nil {
		s.releaseLock()
		return nil, err
	}
	return &Site{s}, nil
}

// Dir is the folder that is really held.
func (s *Site) Dir() string { return s.s.dir }

// Occupied reports whether there is a database in it.
func (s *Site) Occupied() bool {
	_, err := os.Lstat(s.s.data)
	return err == nil
}

// Release lets others have the folder again.
func (s *Site) Release() { s.s.releaseLock() }

// Tools are the programs of the installation that will serve it.
func (s *Site) Tools() Tools { return Tools{s.s.bin} }

// Room makes a folder in it in which a second database can be put together and
// started, and with it the folder of that database's files. One that was left
// there before is removed.
func (s *Site) Room(name string) (dir, data string, err error) {
	dir = filepath.Join(s.s.dir, name)
	data = filepath.Join(dir, "pg")
	err = os.RemoveAll(dir)
	if err == nil {
		err = makeAll(dir)
	}
	if err == nil {
		err = os.Mkdir(data, 0o700)
	}
	if err != nil {
		return "", "", errs.New("localpg.Room", errs.Invalid, "nothing can be written to %s: make it ours, or name "+
			"another folder", s.s.dir).Because(err)
	}
	return dir, data, nil
}

// Give makes the files of a database PostgreSQL's.
func (s *Site) Give(data string) error {
	if !s.s.account.drop {
		return nil
	}
	root, err := os.OpenRoot(data) // a link cannot lead out of it
	if err == nil {
		err = fs.WalkDir(root.FS(), ".", func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return root.Lchown(path, s.s.account.uid, s.s.account.gid)
		})
		_ = root.Close()
	}
	if err != nil {
		return errs.New("localpg.Give", errs.Invalid, "the files in %s cannot be given to the user %s", data,
			s.s.account.name).Because(err)
	}
	return nil
}

// Adopt puts the database of a room in the place of the one that is there,
// which is kept under the name aside.
func (s *Site) Adopt(dir, aside string) error {
	fail := func(err error) error {
		return errs.New("localpg.Adopt", errs.Internal, "the database in %s could not be moved to %s", dir, s.s.data).
			Because(err)
	}
	if s.Occupied() {
		if err := os.Rename(s.s.data, filepath.Join(s.s.dir, aside)); err != nil {
			return fail(err)
		}
	}
	if err := os.Rename(filepath.Join(dir, "pg"), s.s.data); err != nil {
		return fail(err)
	}
	_ = os.RemoveAll(dir) // its log and lock
	if err := syncDir(s.s.dir); err != nil {
		return fail(err)
	}
	return nil
}

// RunningAt is the address of a database of the server that is at work on a
// data folder, whoever has started it, and where that folder really is.
func RunningAt(dir, dbname string) (dsn, where string, ok bool) {
	s := &Server{}
	for _, dir := range []string{dir, elsewhere(dir)} {
		abs, err := filepath.Abs(dir)
		if err == nil {
			abs, err = filepath.EvalSymlinks(abs)
		}
		if err != nil {
			continue
		}
		s.setDir(abs)
		if left := s.leftover(); left.alive && left.sock != "" {
			s.sock, s.port = left.sock, left.port
			return s.DSN(dbname), abs, true
		}
	}
	return "", "", false
}

// TryLock makes us the only process that holds a file, until the returned func
// is called or we end. It is false while another does.
func TryLock(path string) (unlock func(), ok bool, err error) {
	f, err := lockFile(path)
	if err != nil {
		return nil, false, ignoring(err, errLocked)
	}
	return func() { _ = f.Close() }, true, nil
}
