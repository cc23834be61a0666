package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// earlier is the release that servers are upgraded from while it still serves.
const (
	earlier       = "v0.1.0"
	earlierCommit = "853495c21f3a5770fc0eeb9b8641de2a9066f56d"
)

// building is held while a release is built: several tests want the same one.
var building sync.Mutex

// released is the program of the earlier release, built from the history of this
// repository. It is kept in the user's folder for caches, for it never changes:
// the first time takes half a minute, every other none.
func released(t *testing.T) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()

	if _, err := git(t.Context(), "cat-file", "-e", earlierCommit+"^{commit}"); err != nil {
		t.Skipf("the commit of %s is not in the history here, so there is no server of it to run beside this one: "+
			"it takes a whole clone, not a shallow one (%v)", earlier, err)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	kept := filepath.Join(base, "roadbook-releases", earlierCommit[:12]+"-"+runtime.Version()+"-"+runtime.GOARCH)
	binary := filepath.Join(kept, "roadbook")
	if _, err := os.Stat(binary); err == nil {
		return binary
	}
	source := filepath.Join(kept, "source") // the same place every time, so that what is compiled is used again
	require.NoError(t, os.RemoveAll(source))
	require.NoError(t, os.MkdirAll(source, 0o755))
	archive := filepath.Join(kept, "source.tar")
	_, err = git(t.Context(), "archive", "--format=tar", "-o", archive, earlierCommit)
	require.NoError(t, err)
	said, err := exec.CommandContext(t.Context(), "tar", "-xf", archive, "-C", source).CombinedOutput()
	require.NoError(t, err, string(said))
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", binary+".new", "./cmd/roadbook")
	build.Dir = source
	said, err = build.CombinedOutput()
	require.NoError(t, err, string(said))
	require.NoError(t, os.RemoveAll(source))
	require.NoError(t, os.Remove(archive))
	require.NoError(t, os.Rename(binary+".new", binary))
	return binary
}

// git asks the repository in which this test runs.
func git(ctx context.Context, args ...string) (string, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "safe.directory=" + root, "-C", root}, args...)...)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
