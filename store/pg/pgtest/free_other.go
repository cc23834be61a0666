//go:build !linux

package pgtest

// freeBytes is 0: there is no folder in memory.
func freeBytes(string) uint64 { return 0 }
