package localpg

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// errLocked says that another process holds a lock.
var errLocked = syscall.Errno(32) // ERROR_SHARING_VIOLATION

// isRoot is false: Windows has no user to drop to.
func isRoot() bool { return false }

// lockFile opens a file such that nobody else can, for as long as it is open.
func lockFile(path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(handle), path), nil
}

func chooseAccount(string, bool) (account, error) { return account{name: "running Roadbook"}, nil }

// own relies on the folder's inherited permissions.
func (a account) own(string) error { return nil }

func socketDir(data string) string { return filepath.Join(os.TempDir(), socketName(data)) }

// syncDir has nothing to do: NTFS journals its names.
func syncDir(string) error { return nil }

func baseAttr(account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// The two ways to ask a server to stop: with a checkpoint, and without.
const (
	fast      = "fast"
	immediate = "immediate"
)

// ask goes through pg_ctl, which knows how PostgreSQL is told on Windows.
func ask(bin programs, data string, _ int, how string) error {
	pgCtl := filepath.Join(bin.dir, "pg_ctl.exe")
	return exec.Command(pgCtl, "stop", "-W", "-D", data, "-m", how).Run() //nolint:gosec // ours
}
