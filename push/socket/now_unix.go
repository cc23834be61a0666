//go:build unix

package socket

import "syscall"

// writeNow writes as much as goes without waiting.
func writeNow(fd uintptr, b []byte) (int, error) { return syscall.Write(int(fd), b) }
