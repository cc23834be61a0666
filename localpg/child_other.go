//go:build !linux

package localpg

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// childAttr cannot tie PostgreSQL's life to ours outside Linux. One that we
// leave behind when we are killed is stopped by the next Open.
func childAttr(a account, _ bool) *syscall.SysProcAttr { return baseAttr(a) }

// serves reports whether pid is a PostgreSQL process at work on data. Process
// ids are used again, so a number alone says nothing.
func serves(pid int, data string) bool {
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output() //nolint:gosec // a number
	return err == nil && strings.Contains(string(out), "postgres") && strings.Contains(string(out), " -D "+data+" ")
}

// stragglers are not looked for: they end by themselves, with their query.
func stragglers(string) []int { return nil }

// memory is unknown.
func memory() int64 { return 0 }
