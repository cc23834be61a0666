package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	stdsync "sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// template is a data folder as a first start leaves it, with a PostgreSQL and the
// small demo org in it. It is made for the first test that asks: to copy it takes
// a tenth of a second, to make one takes many. What happens at a first start
// itself is tested on folders that are not there yet.
var template struct {
	once   stdsync.Once
	parent string
	err    error
}

// founded is a data folder of its own that has been started once.
func founded(t *testing.T) string {
	t.Helper()
	data := dataFolder(t)
	copyFounded(t, data)
	return data
}

// copyFounded copies the template to a folder, which may be there.
func copyFounded(t *testing.T, data string) {
	t.Helper()
	template.once.Do(func() { template.parent, template.err = makeTemplate() })
	require.NoError(t, template.err)
	require.NoError(t, os.MkdirAll(data, 0o711))
	require.NoError(t, os.Chmod(data, 0o711)) // PostgreSQL's user must be able to enter
	said, err := exec.CommandContext(t.Context(), "cp", "-a", filepath.Join(template.parent, "data")+"/.", data).CombinedOutput()
	require.NoError(t, err, string(said))
}

func makeTemplate() (parent string, err error) {
	if parent, err = os.MkdirTemp(inMemory(), "roadbook-cmd-template-"); err != nil {
		return "", err
	}
	if err := os.Chmod(parent, 0o711); err != nil {
		return parent, err
	}
	cmd := exec.CommandContext(context.Background(), program, "seed", "--org", "demo", "--records", fewRecords)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "ROADBOOK_DATA=" + filepath.Join(parent, "data")}
	cmd.Dir = "/"
	if said, err := cmd.CombinedOutput(); err != nil {
		return parent, fmt.Errorf("%w: %s", err, said)
	}
	return parent, os.Remove(filepath.Join(parent, "data", keyFile)) // each installation draws its own
}
