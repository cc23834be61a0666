package localpg

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// idleEvery is how often a shared server is asked whether anybody uses it.
const idleEvery = 20 * time.Second

// idleScript stops a shared server that nobody uses: every process that has
// opened it touches the file "used" for as long as it lives. It is a shell's
// loop because nothing of ours lives long enough, and it looks at the command
// line of the process because numbers are used again.
const idleScript = `
serves() {
	{ tr '\0' ' ' <"/proc/$pid/cmdline" || ps -o args= -p "$pid"; } 2>/dev/null | grep -qF -- " -D $data "
}
pid=$1 data=$2 every=$3 minutes=$4
while sleep "$every"; do
	serves || exit 0
	[ -n "$(find used -mmin "-$minutes")" ] || { kill -INT "$pid"; exit 0; }
done`

// use keeps a shared server from being stopped as idle while we live.
func (s *Server) use() {
	if s.cfg.Idle == 0 {
		return
	}
	s.touch()
	go func() {
		ticker := time.NewTicker(s.cfg.Idle / 4)
		defer ticker.Stop()
		for {
			select {
			case <-s.unused:
				return
			case <-ticker.C:
				s.touch()
			}
		}
	}()
}

func (s *Server) touch() {
	_ = os.WriteFile(filepath.Join(s.dir, "used"), []byte(strconv.Itoa(os.Getpid())), 0o600)
}

// stopWhenIdle leaves a process behind that stops the server when nobody has
// used it for a while. It has no share in our output: whoever reads that to
// its end, as go test does, would wait for it.
func (s *Server) stopWhenIdle(ctx context.Context, every time.Duration) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "sh", "-c", idleScript, "roadbook-idle",
		strconv.Itoa(s.pid), s.data, fmt.Sprint(every.Seconds()), strconv.Itoa(max(1, int(s.cfg.Idle.Minutes()))))
	cmd.Dir = s.dir
	cmd.SysProcAttr = childAttr(account{}, true)
	_, err := spawn(cmd)
	return err
}
