package bench

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	readyWithin = 30 * time.Second
	haltWithin  = 40 * time.Second
	ticks       = 100 // of processor time in a second, as the kernel counts for programs
)

// serve starts the server and waits until it answers.
func (w *world) serve(ctx context.Context) error {
	addr, err := freeAddr(ctx)
	if err != nil {
		return err
	}
	env := []string{
		"ROADBOOK_ADDR=" + addr, "ROADBOOK_DATABASE_URL=" + w.dsn, "ROADBOOK_SECRET=" + hex.EncodeToString(w.key),
		"ROADBOOK_DATA=" + w.Dir, "ROADBOOK_LOG_LEVEL=error",
		"ROADBOOK_SOCKETS_PER_PERSON=" + strconv.Itoa(max(w.Size.Sockets, 1)), // the crowd is one person
	}
	ctx, w.end = context.WithCancel(context.WithoutCancel(ctx))
	w.child = w.Serve(ctx, env)
	w.child.Stderr = os.Stderr
	w.child.Cancel = func() error { return w.child.Process.Signal(syscall.SIGTERM) }
	w.child.WaitDelay = haltWithin
	w.url = "http://" + addr
	if err := w.child.Start(); err != nil {
		return fmt.Errorf("the server cannot be started: %w", err)
	}
	return w.ready(ctx)
}

// freeAddr is a port of this machine that nobody has.
func freeAddr(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// ready asks until the server is; it asks often, because how long this takes
// is one of the figures.
func (w *world) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/readyz", nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		if err := w.Sleep(ctx, 2*time.Millisecond); err != nil {
			return fmt.Errorf("the server is not ready: %w", err)
		}
	}
}

// halt stops the server as an operator does.
func (w *world) halt() {
	if w.child != nil {
		w.end()
		_ = w.child.Wait()
		w.child = nil
		http.DefaultClient.CloseIdleConnections()
	}
}

// resident is the server's memory in MB.
func (w *world) resident() (float64, error) { return w.memory("VmRSS:") }

// memory is a line of what the system says of the server's memory, in MB.
func (w *world) memory(what string) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.child.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(status) {
		if rest, is := bytes.CutPrefix(line, []byte(what)); is {
			kb, err := strconv.ParseFloat(string(bytes.Fields(rest)[0]), 64)
			return kb / 1024, err
		}
	}
	return 0, nil
}

// spent is the processor time of the server and of all of PostgreSQL.
type spent struct{ server, postgres time.Duration }

// processors is the processor time so far of each process that takes part.
func (w *world) processors(ctx context.Context) (map[int]time.Duration, error) {
	rows, err := w.pool.Query(ctx, `SELECT pid FROM pg_stat_activity`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	pid := w.child.Process.Pid
	all := map[int]time.Duration{}
	for {
		if took, err := processorTime(pid); err == nil { // one that has gone is not counted
			all[pid] = took
		}
		if !rows.Next() {
			return all, rows.Err()
		}
		if err := rows.Scan(&pid); err != nil {
			return nil, err
		}
	}
}

// spentSince is what they have spent since then; a process that has begun
// meanwhile counts whole.
func (w *world) spentSince(ctx context.Context, then map[int]time.Duration) (s spent, err error) {
	all, err := w.processors(ctx)
	for pid, took := range all {
		if pid == w.child.Process.Pid {
			s.server += took - then[pid]
		} else {
			s.postgres += took - then[pid]
		}
	}
	return s, err
}

func processorTime(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticks, err
}

// machine says what this runs on, as far as the system tells.
func machine(ctx context.Context, w *world) Machine {
	m := Machine{Cores: runtime.NumCPU(), Go: runtime.Version(), CPU: runtime.GOARCH}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, is := strings.Cut(string(info), "model name"); is {
			line, _, _ := strings.Cut(rest, "\n")
			m.CPU = strings.TrimLeft(line, "\t :")
		}
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load = strings.Join(strings.Fields(string(load))[:3], " ")
	}
	_ = w.pool.QueryRow(ctx, `SHOW server_version`).Scan(&m.PostgreSQL)
	return m
}
