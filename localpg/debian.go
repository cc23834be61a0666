package localpg

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// createClusterDir is read by Debian's packages when they decide whether to
// make and start a cluster of their own.
const createClusterDir = "/etc/postgresql-common/createcluster.d"

// debian reports whether this process may install packages with apt-get.
func debian() bool {
	if os.Geteuid() != 0 {
		return false
	}
	if _, err := os.Stat("/etc/debian_version"); err != nil {
		return false
	}
	_, err := exec.LookPath("apt-get")
	return err == nil
}

// install installs PostgreSQL with apt-get. A fresh image has no package
// lists, so it fetches them if the first attempt fails.
func install(ctx context.Context, logf func(string, ...any)) error {
	logf("PostgreSQL is not installed: running “apt-get install -y postgresql”, which can take minutes")
	allow := forbidMainCluster()
	defer allow()

	err := apt(ctx, "install", "-y", "--no-install-recommends", "postgresql")
	if err == nil {
		return nil
	}
	if apt(ctx, "update") != nil {
		return err
	}
	return apt(ctx, "install", "-y", "--no-install-recommends", "postgresql")
}

// forbidMainCluster keeps Debian from starting a second PostgreSQL beside ours
// on every boot. The returned func undoes it: a later installation by the
// owner of the machine is not ours to change.
func forbidMainCluster() (undo func()) {
	path := filepath.Join(createClusterDir, "roadbook.conf")
	if os.MkdirAll(createClusterDir, 0o755) != nil || //nolint:gosec // as Debian makes it
		os.WriteFile(path, []byte("create_main_cluster = false\n"), 0o600) != nil {
		return func() {}
	}
	return func() {
		_ = os.Remove(path)
		_ = os.Remove(createClusterDir) // only if it is empty
	}
}

// apt waits for whoever else is installing something, which on a machine that
// has just booted is its own daily upgrade.
func apt(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-o", "DPkg::Lock::Timeout=300"}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get %s: %w: %s", args[0], err, lastLines(out, 5))
	}
	return nil
}

// lastLines is the end of what a program printed, which is where it says why.
func lastLines(out []byte, n int) string {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-n):], []byte("\n")))
}
