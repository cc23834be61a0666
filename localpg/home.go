package localpg

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"roadbook/errs"
)

const (
	// rootHome is where the data goes when root asks for a folder that the
	// user PostgreSQL runs as cannot enter, such as one below /root.
	rootHome = "/var/lib/roadbook"

	// lockPatience lets the process we replace finish its shutdown.
	lockPatience = 500 * time.Millisecond

	pollEvery = 10 * time.Millisecond
)

// settle finds out what is needed before anything is touched: the folder, the
// programs and the user to run them as. Programs come before the user, because
// installing them may create it.
func (s *Server) settle(ctx context.Context) error {
	const op = "localpg.Open"

	if s.cfg.Dir == "" {
		return errs.New(op, errs.Invalid, "no folder was given for the data")
	}
	dir, err := filepath.Abs(s.cfg.Dir)
	if err != nil {
		return errs.New(op, errs.Internal, "the folder %s cannot be made absolute", s.cfg.Dir).Because(err)
	}
	s.setDir(dir)
	fallback := elsewhere(dir)
	if isRoot() && !s.hasData() && majorOf(filepath.Join(fallback, "pg")) != 0 {
		s.setDir(fallback) // it went there the first time
	}
	if err := s.findPrograms(ctx); err != nil {
		return err
	}
	if s.account, err = chooseAccount(s.data, s.hasData()); err != nil {
		return err
	}
	if err := s.makeDir(); err != nil {
		return err
	}
	return s.mayEnter(ctx, fallback)
}

// elsewhere is where the data goes if PostgreSQL's user cannot enter dir.
func elsewhere(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return filepath.Join(rootHome, filepath.Base(dir)+"-"+hash(dir))
}

func (s *Server) setDir(dir string) {
	s.dir, s.data = dir, filepath.Join(dir, "pg")
}

func (s *Server) findPrograms(ctx context.Context) (err error) {
	f := newFinder(s.cfg.Bin)
	s.bin, err = f.find(ctx, majorOf(s.data))
	if errs.KindOf(err) != errs.Missing || s.cfg.Bin != "" || !debian() {
		return err
	}
	if failed := install(ctx, s.cfg.Logf); failed != nil {
		return errs.New("localpg.Open", errs.Missing,
			"PostgreSQL is not installed, and “%s” failed. Run it by hand, or give the address of a running server "+
				"in ROADBOOK_DATABASE_URL.", installCommand()).Because(failed)
	}
	s.bin, err = f.find(ctx, majorOf(s.data))
	return err
}

// makeDir makes the folder such that another user can pass through it. The
// data below is readable to PostgreSQL only.
func (s *Server) makeDir() error {
	const op = "localpg.Open"

	if err := makeAll(s.dir); err != nil {
		return errs.New(op, errs.Invalid, "the folder %s cannot be made: name another", s.dir).Because(err)
	}
	// A process is known by the real path of its folder.
	resolved, err := filepath.EvalSymlinks(s.dir)
	if err != nil {
		return errs.New(op, errs.Invalid, "the folder %s cannot be read: name another", s.dir).Because(err)
	}
	s.setDir(resolved)
	return nil
}

// makeAll is os.MkdirAll for folders that others pass through, whatever our umask.
func makeAll(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := makeAll(filepath.Dir(dir)); err != nil {
		return err
	}
	err := os.Mkdir(dir, 0o711) //nolint:gosec // others pass through; what is below is closed
	if err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return os.Chmod(dir, 0o711) //nolint:gosec // what is below is closed
}

// mayEnter moves to fallback if PostgreSQL's user cannot work in our folder.
// Only trying tells: permissions of every parent count, and there are others
// than the nine bits.
func (s *Server) mayEnter(ctx context.Context, fallback string) error {
	const op = "localpg.Open"

	if !s.account.drop {
		return nil
	}
	if run(s.command(ctx, s.bin.dir, "postgres", "--version")) != nil {
		return errs.New(op, errs.Invalid, "the user %s may not run %s: move the programs to a folder that everybody "+
			"can read, or name others in ROADBOOK_PG_BIN", s.account.name, filepath.Join(s.bin.dir, "postgres"))
	}
	err := run(s.command(ctx, s.dir, "postgres", "--version"))
	if err == nil {
		return nil
	}
	if s.hasData() || s.cfg.Shared || s.dir == fallback {
		return errs.New(op, errs.Invalid, "the user %s, as which PostgreSQL runs, cannot enter %s: give it permission "+
			"(chmod o+x, on every folder above too) or name another", s.account.name, s.dir).Because(err)
	}
	s.cfg.Logf("the user %s cannot enter %s: the data goes to %s", s.account.name, s.dir, fallback)
	s.setDir(fallback)
	if err := s.makeDir(); err != nil {
		return err
	}
	return s.mayEnter(ctx, s.dir)
}

// takeLock makes us the only process at work on this folder. The kernel holds
// the lock, so that it goes with its holder, however that ends.
func (s *Server) takeLock(ctx context.Context) error {
	const op = "localpg.Open"

	path := filepath.Join(s.dir, "lock")
	if !s.cfg.Shared { // joining waits its turn for as long as ctx allows
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, lockPatience)
		defer cancel()
	}
	var lock *os.File
	err := poll(ctx, func() (done bool, err error) {
		lock, err = lockFile(path)
		return err == nil, ignoring(err, errLocked)
	})
	switch {
	case err == nil:
		_ = lock.Truncate(0)
		_, _ = lock.WriteString(strconv.Itoa(os.Getpid()))
		s.mu.Lock()
		s.lock = lock
		s.mu.Unlock()
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		holder, _ := os.ReadFile(path)
		return errs.New(op, errs.Busy, "the data in %s is in use by another process (%s): stop that one first, "+
			"or give this one a folder of its own", s.dir, cmp.Or(strings.TrimSpace(string(holder)), "unknown"))
	case errors.Is(err, context.Canceled):
		return err
	}
	return errs.New(op, errs.Invalid, "the file %s cannot be locked: make it ours, or name another folder", path).
		Because(err)
}

func (s *Server) releaseLock() {
	s.mu.Lock()
	defer s.mu.Unlock()

	if s.lock != nil {
		_ = s.lock.Close()
		s.lock = nil
	}
}

// makeSocketDir gives the socket a folder with a short path, for a socket's
// address has room for about a hundred bytes. The name follows from the
// data's, so that one which a killed process left is used again, not added to.
func (s *Server) makeSocketDir() error {
	const op = "localpg.Open"

	dir := socketDir(s.data)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return errs.New(op, errs.Internal, "the folder %s for the socket cannot be made: "+
			"let us write to %s", dir, filepath.Dir(dir)).Because(err)
	}
	if err := s.account.own(dir); err != nil {
		return errs.New(op, errs.Internal, "the folder %s, where the socket belongs, is somebody else's: "+
			"remove it", dir).Because(err)
	}
	// The lock beside a socket names a process too, which may be anybody by now.
	left, _ := filepath.Glob(filepath.Join(dir, ".s.PGSQL.*"))
	for _, path := range left {
		_ = os.Remove(path)
	}
	s.sock = dir
	return nil
}

func socketName(data string) string { return "roadbook-" + hash(data) }

// hash is short, and the same for the same text.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:5])
}

// poll asks until the answer is yes or an error, or ctx is done.
func poll(ctx context.Context, ask func() (bool, error)) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		if ok, err := ask(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// ignoring is err, unless it is the one to be ignored.
func ignoring(err, ignored error) error {
	if errors.Is(err, ignored) {
		return nil
	}
	return err
}
