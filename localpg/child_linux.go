package localpg

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// childAttr makes the kernel stop PostgreSQL when we are killed. A shared
// server gets a session of its own instead, and stays.
func childAttr(a account, shared bool) *syscall.SysProcAttr {
	attr := baseAttr(a)
	if shared {
		attr.Setpgid, attr.Setsid = false, true
	} else {
		attr.Pdeathsig = syscall.SIGINT
	}
	return attr
}

// serves reports whether pid is a PostgreSQL process at work on data. Process
// ids are used again, so a number alone says nothing.
//
// A process of another user shows its command line but, to a container's root
// without CAP_SYS_PTRACE, neither its program nor its folder.
func serves(pid int, data string) bool {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	cmdline, _ := os.ReadFile(filepath.Join(proc, "cmdline"))
	args := strings.Split(string(cmdline), "\x00")
	name := args[0]
	if exe, err := os.Readlink(filepath.Join(proc, "exe")); err == nil {
		name = strings.TrimSuffix(exe, " (deleted)") // upgraded while it ran
	}
	if base := filepath.Base(name); base != "postgres" {
		return false
	}
	for i := range len(args) - 1 {
		if args[i] == "-D" && args[i+1] == data {
			return true
		}
	}
	cwd, _ := os.Readlink(filepath.Join(proc, "cwd"))
	return cwd == data
}

// stragglers are the processes still at work on data. When their parent is
// killed they notice between two queries, which can take as long as a query.
func stragglers(data string) []int {
	entries, _ := os.ReadDir("/proc")
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && serves(pid, data) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// memory is how many bytes this machine, or the container we are in, has.
func memory() int64 {
	text, _ := os.ReadFile("/proc/meminfo")
	bytes := int64(number(string(text))) << 10 // the first line is MemTotal, in kB
	limit, _ := os.ReadFile("/sys/fs/cgroup/memory.max")
	if n, err := strconv.ParseInt(strings.TrimSpace(string(limit)), 10, 64); err == nil {
		bytes = min(bytes, n)
	}
	return bytes
}
