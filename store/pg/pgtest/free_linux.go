package pgtest

import "syscall"

// freeBytes is the room left in a folder, or 0 if there is no such folder.
func freeBytes(dir string) uint64 {
	var stat syscall.Statfs_t
	if syscall.Statfs(dir, &stat) != nil {
		return 0
	}
	return stat.Bavail * uint64(stat.Bsize)
}
