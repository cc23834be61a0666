//go:build !unix

package socket

import "syscall"

// writeNow writes nothing: here every write may wait.
func writeNow(uintptr, []byte) (int, error) { return 0, syscall.EAGAIN }
