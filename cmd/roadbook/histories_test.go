package main

import (
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
)

// misfortunes is how often each thing happens: once, 20 times if ROADBOOK_FULL
// is set.
func misfortunes() int {
	if os.Getenv("ROADBOOK_FULL") != "" {
		return 20
	}
	return 1
}

// progress waits until so many more acts have been answered.
func (all *witnesses) progress(more int) {
	all.t.Helper()
	from := all.answered()
	require.Eventually(all.t, func() bool { return all.answered() >= from+more }, 2*patience, often, "nobody is answered any more")
}

func (all *witnesses) answered() (n int) {
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, op := range all.acts {
		if op.Input.(act).answer {
			n++
		}
	}
	return n
}

// hang waits until somebody has waited for an answer for so long that he has
// given it up, or nearly.
func (all *witnesses) hang() {
	all.t.Helper()
	require.Eventually(all.t, func() bool {
		all.mu.Lock()
		defer all.mu.Unlock()
		for _, since := range all.waiting {
			if now().Sub(since) > answersWithin*3/4 {
				return true
			}
		}
		return false
	}, patience, often, "nobody hangs")
}

// rest ends the work, and returns what was done.
func (all *witnesses) rest() []porcupine.Operation {
	all.t.Helper()
	all.stop()
	require.NoError(all.t, all.work.Wait())
	return all.acts
}

// judge has porcupine look at it.
func (all *witnesses) judge() {
	all.t.Helper()
	acts := all.rest()
	unknown := len(acts) - all.answered()
	all.t.Logf("%d acts, %d of them without an answer", len(acts), unknown)
	if found := linearizable(all.first, acts); found != "" {
		all.t.Error(found)
	}
}

// pause stops some processes until somebody has noticed, and lets them go on.
func (all *witnesses) pause(pids ...int) {
	all.t.Helper()
	goOn := func() {
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
	}
	defer goOn()
	for _, pid := range slices.Backward(pids) {
		_ = syscall.Kill(pid, syscall.SIGSTOP) // one of them may have ended
	}
	all.hang()
}

// Two servers with one PostgreSQL, and all of it is killed and paused: what
// clients see of a record is what one register would have shown them that they
// had all to themselves, one after the other.
func TestHistories_killedAndPaused(t *testing.T) {
	t.Parallel()

	m := newMortal(t)
	first := m.server
	m.serve("127.0.0.1:0")
	m.server.ready()
	all := newWitnesses(t, 6, first.url, m.server.url)
	all.follow(2, first.url)
	all.progress(30)

	for range misfortunes() {
		m.server.kill()
		m.revive()
		m.server.ready()
		all.progress(30)

		all.pause(first.cmd.Process.Pid)
		all.progress(30)
		all.pause(backends(t, m.data)...)
		all.progress(30)

		m.killPG()
		m.openPG()
		m.supervise()
		all.progress(30)
	}

	all.judge()
	wholeLog(t, m.pool)
}
