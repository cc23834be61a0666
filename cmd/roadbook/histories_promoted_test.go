package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"roadbook/localpg"
	"roadbook/record"
	"roadbook/store/pg"
)

// beside is a pool on the database of a server that has one of its own.
func beside(t *testing.T, data string) *pg.Pool {
	t.Helper()
	dsn, _, ok := localpg.RunningAt(data, ownDatabase)
	require.True(t, ok)
	pool, err := pg.Open(t.Context(), dsn, pg.MaxConns(2))
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// senders are the processes that send the WAL to standbys.
func senders(t *testing.T, primary *pg.Pool) (pids []int) {
	t.Helper()
	rows, err := primary.Query(t.Context(), `SELECT pid FROM pg_stat_replication WHERE state = 'streaming'`)
	require.NoError(t, err)
	for rows.Next() {
		var pid int
		require.NoError(t, rows.Scan(&pid))
		pids = append(pids, pid)
	}
	require.NoError(t, rows.Err())
	return pids
}

// rewind notes that the log has come back at another point, which is known by
// what its newest epoch says.
func (all *witnesses) rewind(pool *pg.Pool, after int64) (left record.Seq) {
	all.t.Helper()
	require.NoError(all.t, pool.QueryRow(all.t.Context(), `SELECT from_seq FROM epochs ORDER BY began DESC LIMIT 1`).Scan(&left))
	for r := range records {
		all.note(porcupine.Operation{
			ClientId: records, Call: after, Return: all.clock(), Input: act{record: r, what: "rewind", seq: left, answer: true},
		})
	}
	return left
}

// acknowledged are the seqs of what was written, as far as clients know.
func (all *witnesses) acknowledged() (seqs []record.Seq) {
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, op := range all.acts {
		if a := op.Input.(act); a.what == "write" && a.answer {
			seqs = append(seqs, a.seq)
		}
	}
	return seqs
}

// toldDurable is up to where anybody was told that the log is durable.
func (all *witnesses) toldDurable() record.Seq {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.durable
}

// over is that the log as it was is at its end.
func (all *witnesses) over() (at int64) {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.life++
	return all.clock()
}

// A standby that lags is promoted. For whoever is online the log is cut at one
// point, behind which nothing counts and before which everything does, and that
// point is not before anything that anybody was told is durable. What phones
// were told is accepted is there in the end, wherever the point is.
func TestHistories_promoted(t *testing.T) {
	t.Parallel()

	data := dataFolder(t)
	p := serve(t, "ROADBOOK_DATA="+data).ready()
	second := filepath.Join(filepath.Dir(data), "second")
	two := launch(t, []string{"ROADBOOK_DATA=" + second}, "standby", "--of", data)
	two.says(regexp.MustCompile("it follows the primary"))
	all := newWitnesses(t, 4, p.url)
	all.follow(1, p.url)
	f := newFleet(t, 2, p.url)
	all.progress(30)
	f.progress(30)
	require.Eventually(t, func() bool { return all.toldDurable() > 0 }, patience, often, "nothing is durable")

	primary := beside(t, data)
	stopped := senders(t, primary)
	require.NotEmpty(t, stopped)
	for _, pid := range stopped {
		require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	}
	all.progress(30)
	f.progress(30)
	for _, pid := range backends(t, data) {
		_ = syscall.Kill(pid, syscall.SIGKILL) // one of them may have ended
	}
	p.wait() // it ends with its database
	at := all.over()
	accepted := f.acceptedAtLast()
	two.says(regexp.MustCompile("the primary has gone away"))
	out, code := run(t, []string{"ROADBOOK_DATA=" + second}, "promote")
	require.Equal(t, exitOK, code, out)
	two.says(regexp.MustCompile("it was promoted"))
	pool := beside(t, second)
	durable := all.toldDurable()
	left := all.rewind(pool, at)
	require.GreaterOrEqual(t, left, durable, "what was durable is lost")
	lost := 0
	for _, seq := range all.acknowledged() {
		if seq > left {
			lost++
		}
	}
	require.Positive(t, lost, "nothing was lost: the standby did not lag")
	pool.Close()
	two.stop()

	again := serve(t, "ROADBOOK_DATA="+second, "ROADBOOK_ADDR="+strings.TrimPrefix(p.url, "http://")).ready()
	all.progress(30)
	f.progress(10)

	all.judge()
	pool = beside(t, second)
	typed := f.settle()
	inLog(t, pool, typed)
	inLog(t, pool, accepted)
	again.stop()
}
