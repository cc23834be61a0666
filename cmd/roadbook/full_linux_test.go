package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// room is a disk of its own for the data, small enough to be filled.
func room(t *testing.T, data, size string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(data, 0o711)) // PostgreSQL's user must be able to enter
	if err := syscall.Mount("tmpfs", data, "tmpfs", 0, "mode=0711,size="+size); err != nil {
		t.Skipf("a small disk cannot be mounted here, for that takes the rights of root: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(data, syscall.MNT_DETACH)) })
}

// fill leaves no room on the disk of a folder.
func fill(t *testing.T, dir string) (filler string) {
	t.Helper()
	filler = filepath.Join(dir, "filler")
	file, err := os.Create(filler)
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err := file.Write(block); err != nil {
			require.ErrorIs(t, err, syscall.ENOSPC)
			block = block[:len(block)/2]
		}
	}
	return filler
}

var stuckSeconds = regexp.MustCompile(`(?m)^roadbook_queue_stuck_seconds (\S+)$`)

// stuck is for how long nothing has been committed, as the metrics have it.
func (p *process) stuck() float64 {
	match := stuckSeconds.FindStringSubmatch(p.scrape())
	require.NotNil(p.t, match)
	seconds, err := strconv.ParseFloat(match[1], 64)
	require.NoError(p.t, err)
	return seconds
}

// recovered waits until PostgreSQL answers again. Without room for its own log it
// ends all that it has in hand, and perhaps itself; then it is started.
func (m *mortal) recovered() {
	m.t.Helper()
	for deadline := now().Add(patience); ; <-time.After(often) {
		require.True(m.t, now().Before(deadline), "PostgreSQL does not come back")
		select {
		case <-m.pg.Done():
			m.openPG()
		default:
		}
		if m.pool.Ping(m.t.Context()) == nil {
			return
		}
	}
}

// PostgreSQL's disk runs full while phones push. They are told to come again, the
// server lives and says that its queue has stopped; when there is room everything
// goes on, and everything is there once.
func TestServe_diskOfPostgreSQLFull(t *testing.T) {
	t.Parallel()

	data := dataFolder(t)
	room(t, data, "400m")
	m := newMortalIn(t, data)
	f := newFleet(t, 3, m.server.url)
	f.progress(20)

	filler := fill(t, data)
	require.Eventually(t, func() bool { return m.server.get("/readyz") != http.StatusOK || m.server.stuck() > 1 }, 2*patience, often,
		"nobody says that the disk is full")
	require.Equal(t, http.StatusOK, m.server.get("/healthz"), "nobody restarts the server")
	accepted := f.acceptedAtLast()

	require.NoError(t, os.Remove(filler))
	m.recovered()
	inLog(t, m.pool, accepted)
	m.supervise()
	f.progress(20)
	inLog(t, m.pool, f.settle())
	wholeLog(t, m.pool)
	require.Zero(t, m.server.stuck())
	m.server.stop()
}
