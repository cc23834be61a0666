package localpg

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"roadbook/errs"
)

// superuser owns everything in the cluster. Whoever can open the socket is it:
// the folder of the socket keeps others out, so there is no password to lose.
const superuser = "postgres"

func (s *Server) hasData() bool { return majorOf(s.data) != 0 }

// majorOf is the PostgreSQL that made the data in a folder, or 0 if none did.
func majorOf(data string) int {
	text, _ := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	return number(string(text))
}

// create makes an empty cluster unless there is one, which it checks to be of
// our programs' version. The cluster is made aside and renamed when it is
// whole, so that being killed here never leaves half of one.
func (s *Server) create(ctx context.Context) error {
	const op = "localpg.Open"

	left, _ := filepath.Glob(filepath.Join(s.dir, "pg.init-*"))
	for _, dir := range left {
		_ = os.RemoveAll(dir)
	}
	if s.hasData() {
		return s.checkMajor()
	}
	if _, err := os.Lstat(s.data); err == nil {
		return errs.New(op, errs.Invalid, "%s is there, but holds no PostgreSQL data: move it away, "+
			"or name another folder", s.data)
	}
	fresh, err := os.MkdirTemp(s.dir, "pg.init-")
	if err == nil {
		err = s.account.own(fresh)
	}
	if err != nil {
		return errs.New(op, errs.Invalid, "nothing can be written to %s: make it ours, or name another folder", s.dir).
			Because(err)
	}
	if err := s.initdb(ctx, fresh); err != nil {
		_ = os.RemoveAll(fresh)
		return err
	}
	if err := s.publish(fresh); err != nil {
		return errs.New(op, errs.Internal, "the new database could not be moved to %s", s.data).Because(err)
	}
	return nil
}

func (s *Server) initdb(ctx context.Context, dir string) error {
	args := []string{
		"-D", dir, "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions",
	}
	if s.cfg.Fast {
		args = append(args, "--no-sync")
	}
	cmd := s.command(ctx, s.dir, "initdb", args...)
	out := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = out, out
	if err := run(cmd); err != nil {
		return errs.New("localpg.Open", errs.Internal, "no database could be made in %s: %s", s.dir,
			lastLines([]byte(out.String()), 3)).Because(err)
	}
	return nil
}

// publish renames the new cluster to its place, and sees to it that the name
// survives what the data survives.
func (s *Server) publish(fresh string) error {
	if err := os.Rename(fresh, s.data); err != nil || s.cfg.Fast {
		return err
	}
	return syncDir(s.dir)
}

func (s *Server) checkMajor() error {
	made := majorOf(s.data)
	if made == s.bin.major {
		return nil
	}
	return errs.New("localpg.Open", errs.Invalid, "the data in %s was written by PostgreSQL %d, and the programs in %s "+
		"are of version %d, which cannot read it. Install PostgreSQL %d beside it, or name its programs in "+
		"ROADBOOK_PG_BIN; to change over to %d, run pg_upgrade, or dump with the old and load with the new. "+
		"Moving the folder away starts empty.",
		s.data, made, s.bin.dir, s.bin.major, made, s.bin.major)
}

// command runs a program as PostgreSQL's user, in a folder it can enter, and
// in an environment that holds none of our secrets and none of libpq's
// variables, several of which a server obeys as well.
func (s *Server) command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin.dir, program(name)), args...)
	cmd.Dir = dir
	cmd.SysProcAttr = childAttr(s.account, s.cfg.Shared)
	cmd.Env = cleanEnv(dir)
	return cmd
}

// account is the user that PostgreSQL's programs run as.
type account struct {
	name     string
	uid, gid int
	drop     bool // it is not who we are
}
