//go:build unix

package localpg

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"roadbook/errs"
)

// errLocked says that another process holds a lock.
var errLocked = syscall.EWOULDBLOCK

func isRoot() bool { return os.Geteuid() == 0 }

func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// chooseAccount is us, or somebody with fewer rights if we are root: the owner
// of the data once that is made, for PostgreSQL insists on it.
func chooseAccount(data string, made bool) (account, error) {
	const op = "localpg.Open"

	owner, hasOwner := ownerOf(data)
	if !isRoot() {
		if hasOwner && owner != os.Geteuid() {
			return account{}, errs.New(op, errs.Invalid, "the data in %s belongs to the user %s: run as that user, "+
				"give the folder to this one (chown -R), or name another", data, lookup(strconv.Itoa(owner)).name)
		}
		return account{name: "running Roadbook", uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	if made && owner == 0 {
		return account{}, errs.New(op, errs.Invalid, "the data in %s belongs to root, as whom PostgreSQL does not run: "+
			"“chown -R postgres %s” mends it", data, data)
	}
	if made {
		return lookup(strconv.Itoa(owner)), nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return lookup(u.Uid), nil
		}
	}
	return account{}, errs.New(op, errs.Invalid, "PostgreSQL does not run as root, and there is neither a user postgres "+
		"nor a user nobody: add one (“useradd --system postgres”), or run as another user")
}

func ownerOf(path string) (uid int, ok bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}

// lookup never fails: a number without a name, as containers have, will do.
func lookup(uid string) account {
	id, _ := strconv.Atoi(uid)
	a := account{name: uid, uid: id, gid: id, drop: true}
	if u, err := user.LookupId(uid); err == nil {
		a.name = u.Username
		a.gid, _ = strconv.Atoi(u.Gid)
	}
	return a
}

// own makes a folder the account's and closes it to everybody else. In /tmp
// anyone could have put a folder of that name, or a link to one: it has to be
// ours already, or a plain folder of root's.
func (a account) own(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner, ok := ownerOf(dir)
	if !info.IsDir() || !ok || (owner != a.uid && owner != os.Geteuid()) {
		return fmt.Errorf("%s belongs to user %d: %w", dir, owner, os.ErrPermission)
	}
	if a.drop {
		if err := os.Lchown(dir, a.uid, a.gid); err != nil {
			return err
		}
	}
	return os.Chmod(dir, 0o700) //nolint:gosec // a folder
}

// socketDir prefers TMPDIR unless its path is too long. Root ignores it: the
// user that root drops to may not be able to enter it.
func socketDir(data string) string {
	const longest = 103 - len("/.s.PGSQL.65535")

	dir := filepath.Join(os.TempDir(), socketName(data))
	if isRoot() || len(dir) > longest {
		dir = filepath.Join("/tmp", socketName(data))
	}
	return dir
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// baseAttr drops to the account, and takes the child out of our process group,
// or else Ctrl-C would stop PostgreSQL before we have finished with it.
func baseAttr(a account) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if a.drop {
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return attr
}

// The two ways to ask a server to stop: with a checkpoint, and without.
const (
	fast      = syscall.SIGINT
	immediate = syscall.SIGQUIT
)

func ask(_ programs, _ string, pid int, how syscall.Signal) error { return syscall.Kill(pid, how) }
