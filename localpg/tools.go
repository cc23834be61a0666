package localpg

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"roadbook/errs"
)

// toolPatience is what a program that is asked to end gets to put down what it
// has in hand.
const toolPatience = 10 * time.Second

// Tools are the programs that PostgreSQL brings beside the server, such as
// pg_basebackup. They run as who we are and not as PostgreSQL's user: they
// write where we may write.
type Tools struct{ bin programs }

// FindTools looks for an installation as Open does: bin names the only folder
// to look in, major is what the data were written by; both may be empty.
func FindTools(ctx context.Context, bin string, major int) (Tools, error) {
	p, err := newFinder(bin).find(ctx, major)
	return Tools{p}, err
}

// Tools are the programs of the installation that this server runs from.
func (s *Server) Tools() Tools { return Tools{s.bin} }

// Run runs a program to its end; what it prints goes to out, which may be nil.
// The error holds the last lines of what it said.
func (t Tools) Run(ctx context.Context, out io.Writer, conn, name string, args ...string) error {
	ended, err := t.Start(ctx, out, conn, name, args...)
	if err != nil {
		return err
	}
	return <-ended
}

// Start is Run that does not wait for the end, which it hands over. When ctx
// ends, the program is asked to end. conn, if there is one, is the address of
// a database: its password goes into the program's environment, for everybody
// on this machine can read a command line.
func (t Tools) Start(ctx context.Context, out io.Writer, conn, name string, args ...string) (<-chan error, error) {
	const op = "localpg.Tools"

	path := filepath.Join(t.bin.dir, program(name))
	if _, err := os.Stat(path); err != nil {
		return nil, errs.New(op, errs.Missing, "the program %s is not in %s, where PostgreSQL's server is: install "+
			"PostgreSQL's client programs of version %d", name, t.bin.dir, t.bin.major).Because(err)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = cleanEnv(os.TempDir())
	if conn != "" {
		address, password := withoutPassword(conn)
		cmd.Args = append(cmd.Args, "--no-password", "--dbname="+address)
		cmd.Env = append(cmd.Env, "PGPASSWORD="+password)
	}
	said := &tail{}
	cmd.Stdout, cmd.Stderr = out, said
	cmd.SysProcAttr = childAttr(account{}, false)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = toolPatience
	ended, err := spawn(cmd)
	if err != nil {
		return nil, errs.New(op, errs.Internal, "%s cannot be started", path).Because(err)
	}
	explained := make(chan error, 1)
	go func() {
		err := <-ended
		if text := lastLines(said.text, 4); err != nil && text != "" {
			err = errors.New(text)
		}
		explained <- err
	}()
	return explained, nil
}

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

const tailBytes = 8 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.text = append(t.text, b...)
	if over := len(t.text) - tailBytes; over > 0 {
		t.text = bytes.Clone(t.text[over:])
	}
	return len(b), nil
}

// withoutPassword takes the password out of an address.
func withoutPassword(conn string) (address, password string) {
	u, err := url.Parse(conn)
	if err != nil || u.User == nil {
		return conn, ""
	}
	password, _ = u.User.Password()
	u.User = url.User(u.User.Username())
	return u.String(), password
}

// cleanEnv holds none of our secrets and none of libpq's variables, several of
// which a server obeys as well.
func cleanEnv(home string) []string {
	env := []string{"LC_ALL=C", "TZ=UTC", "HOME=" + home}
	for _, pair := range os.Environ() {
		switch name, _, _ := strings.Cut(pair, "="); strings.ToUpper(name) {
		case "PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR":
			env = append(env, pair)
		}
	}
	return env
}
