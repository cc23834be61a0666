//go:build unix

package localpg

import (
	"context"
	"os/exec"
	"path/filepath"
	"time"
)

// FindAmong looks for programs in folders, and not in PATH.
func FindAmong(ctx context.Context, major int, folders ...string) (dir string, found int, err error) {
	f := finder{look: func(string) (string, error) { return "", exec.ErrNotFound }, globs: folders}
	p, err := f.find(ctx, major)
	return p.dir, p.major, err
}

// Buffers is the rule for shared_buffers.
var Buffers = buffers

// SocketDir is where the server on dir listens.
func SocketDir(dir string) string { return socketDir(filepath.Join(dir, "pg")) }

// Pid is the process of a server.
func (s *Server) Pid() int { return s.pid }

// StopWhenIdle leaves a watcher that asks as often as a test has patience for.
func (s *Server) StopWhenIdle(ctx context.Context, every time.Duration) error {
	return s.stopWhenIdle(ctx, every)
}
