package localpg

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// leftover is what postmaster.pid says of the last server on our data.
type leftover struct {
	pid        int
	sock, port string
	alive      bool // the process is there, and at work on our data
}

func (s *Server) pidFile() string { return filepath.Join(s.data, "postmaster.pid") }

// leftover reads what the last server wrote. The file outlives one that was
// killed, and by then its number may be another program's.
func (s *Server) leftover() leftover {
	text, err := os.ReadFile(s.pidFile())
	if err != nil {
		return leftover{}
	}
	lines := strings.Split(string(text), "\n")
	left := leftover{pid: number(lines[0])}
	left.alive = left.pid > 1 && serves(left.pid, s.data)
	if len(lines) > 5 { // it writes the first lines early, and the others as it starts
		left.port, left.sock = lines[3], lines[4]
	}
	return left
}

// join makes a Shared server that runs already ours to use.
func (s *Server) join(ctx context.Context) bool {
	left := s.leftover()
	if !left.alive || left.sock == "" {
		return false
	}
	joined := &Server{cfg: s.cfg, sock: left.sock, port: left.port}
	if ok, err := joined.answers(ctx); !ok || err != nil {
		return false
	}
	s.pid, s.sock, s.port, s.version = left.pid, left.sock, left.port, joined.version
	return true
}

// clearOrphan stops the server of a process that was killed, and removes the
// traces of one that is dead: PostgreSQL itself would take any living process
// with the number in postmaster.pid for its predecessor. Holding the lock, we
// know that whatever is at work on the data has no owner.
func (s *Server) clearOrphan(ctx context.Context) error {
	left := s.leftover()
	if !left.alive {
		_ = os.Remove(s.pidFile())
		return nil
	}
	s.cfg.Logf("stopping the PostgreSQL (process %d) that a killed process left running in %s", left.pid, s.data)
	orphan := &Server{cfg: s.cfg, bin: s.bin, dir: s.dir, data: s.data, pid: left.pid}
	return orphan.end(ctx, stopPatience)
}
