package localpg

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"roadbook/errs"
)

const (
	// stopPatience is what a last checkpoint may take. Without it nothing is
	// lost, but the next start has to repair.
	stopPatience = 30 * time.Second

	// quitPatience is what it may take without that.
	quitPatience = 10 * time.Second
)

// Stop ends the server, orderly unless ctx ends or patience runs out first;
// either way it is gone afterwards, and nothing that was committed is lost.
// Stopping it again, or after its unasked end, does nothing.
//
// A Shared server is stopped for everybody.
func (s *Server) Stop(ctx context.Context) error {
	s.stopping.Lock() // a second Stop returns when the first is done
	defer s.stopping.Unlock()

	s.mu.Lock()
	over := s.stopped || s.why != nil
	s.stopped = true
	s.mu.Unlock()
	if over {
		return nil
	}
	close(s.unused)
	if s.cfg.Shared {
		if err := s.takeLock(ctx); err != nil {
			return err
		}
	}
	err := s.end(ctx, stopPatience)
	s.makeWay()
	return err
}

// StopAt stops the Shared server on dir, whoever started it. That there is
// none is no error.
func StopAt(ctx context.Context, dir string) error {
	const op = "localpg.StopAt"

	if _, err := os.Stat(dir); err != nil {
		return nil //nolint:nilerr // nothing was ever started there
	}
	resolved, err := filepath.Abs(dir)
	if err == nil {
		resolved, err = filepath.EvalSymlinks(resolved)
	}
	if err != nil {
		return errs.New(op, errs.Invalid, "the folder %s cannot be found", dir).Because(err)
	}
	s := &Server{cfg: Config{Shared: true}, unused: make(chan struct{})}
	s.setDir(resolved)
	left := s.leftover()
	if !left.alive {
		return nil
	}
	s.pid, s.sock = left.pid, left.sock
	return s.Stop(ctx)
}

// makeWay is the last thing done for a server: from here on, the folder and
// the socket's are somebody else's.
func (s *Server) makeWay() {
	if filepath.Base(s.sock) == socketName(s.data) { // and not one that a file had us believe
		_ = os.RemoveAll(s.sock)
	}
	s.releaseLock()
}

// end asks ever less politely.
func (s *Server) end(ctx context.Context, patience time.Duration) error {
	if s.goneWithin(ctx, 0) {
		return nil // and its number perhaps another's
	}
	_ = ask(s.bin, s.data, s.pid, fast)
	if s.goneWithin(ctx, patience) {
		return nil
	}
	_ = ask(s.bin, s.data, s.pid, immediate)
	ctx = context.WithoutCancel(ctx)
	if s.goneWithin(ctx, quitPatience) {
		return nil
	}
	if process, err := os.FindProcess(s.pid); err == nil {
		_ = process.Kill()
	}
	if s.goneWithin(ctx, quitPatience) {
		return nil
	}
	return errs.New("localpg.Stop", errs.Internal, "PostgreSQL (process %d) does not end: end it by hand", s.pid)
}

// goneWithin reports whether the process is gone, or goes within patience. Of
// one that is not our child, only asking around tells.
func (s *Server) goneWithin(ctx context.Context, patience time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return poll(ctx, func() (bool, error) {
		if s.exited == nil {
			return !serves(s.pid, s.data), nil
		}
		select {
		case <-s.exited:
			return true, nil
		default:
			return false, nil
		}
	}) == nil
}
