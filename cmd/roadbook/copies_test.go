package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The whole life of a backup: a server that archives, a restore over what is
// there, and one of a moment that was not reached.
func TestBackup_andRestore(t *testing.T) {
	t.Parallel()

	data := founded(t)
	kept := filepath.Join(filepath.Dir(data), "backups")
	environ := []string{"ROADBOOK_DATA=" + data, "ROADBOOK_BACKUP_DIR=" + kept}
	p := serve(t, environ...).ready()
	p.says(regexp.MustCompile(`the backup \S+ is whole`))

	out, code := run(t, environ, "restore", "--replace")
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "is in use by another process")
	p.stop()
	require.NotContains(t, p.out.String(), "behind the requests")

	out, code = run(t, environ, "backup", "list")
	require.Equal(t, exitOK, code, out)
	require.Regexp(t, `(?m)^\d{8}T\d{6}Z +\S+Z +\S+Z +\d+  org 1 at \d+$`, out)
	out, code = run(t, environ, "restore")
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "say --replace; it is then kept aside")
	out, code = run(t, environ, "restore", "--replace", "--to", "2099-01-01T00:00:00Z")
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "what was kept ends before 2099-01-01T00:00:00Z")

	out, code = run(t, environ, "restore", "--replace", "--verify")
	require.Equal(t, exitOK, code, out)
	require.Contains(t, out, "rows of the log of org 1 are as they were written")
	require.DirExists(t, data+"/pg")
	aside, err := filepath.Glob(filepath.Join(data, "pg.before-*"))
	require.NoError(t, err)
	require.Len(t, aside, 1)
	beside, err := filepath.Glob(filepath.Join(data, "restore-*"))
	require.NoError(t, err)
	require.Empty(t, beside)
	again := serve(t, environ...).ready()
	require.Equal(t, http.StatusOK, again.login().StatusCode)
	require.NotContains(t, again.out.String(), "making the org")
	again.stop()
}

func TestRestore_needsTheKey(t *testing.T) {
	t.Parallel()

	data := founded(t)
	kept := filepath.Join(filepath.Dir(data), "backups")
	p := serve(t, "ROADBOOK_DATA="+data).ready()
	out, code := run(t, []string{"ROADBOOK_DATA=" + data}, "backup", "--to", kept)
	require.Equal(t, exitOK, code, out)
	require.Contains(t, out, "is whole")
	p.stop()
	other := filepath.Join(filepath.Dir(data), "other")
	environ := []string{"ROADBOOK_DATA=" + other, "ROADBOOK_BACKUP_DIR=" + kept}

	out, code = run(t, environ, "restore")
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "the installation's key is not there, and it is not in the backup")
	out, code = run(t, append(environ, "ROADBOOK_SECRET="+strings.Repeat("5e", 32)), "restore")
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "is another than when the backup was taken")
	key, err := os.ReadFile(filepath.Join(data, keyFile))
	require.NoError(t, err)
	out, code = run(t, append(environ, "ROADBOOK_SECRET="+strings.TrimSpace(string(key))), "restore")
	require.Equal(t, exitOK, code, out)
	require.DirExists(t, filepath.Join(other, "pg"))
}

// The primary dies, the standby takes over, and the people stay signed in.
func TestStandby_takesOver(t *testing.T) {
	t.Parallel()

	data := founded(t)
	environ := []string{"ROADBOOK_DATA=" + data}
	p := serve(t, environ...).ready()
	second := []string{"ROADBOOK_DATA=" + filepath.Join(filepath.Dir(data), "second")}
	two := launch(t, second, "standby", "--of", data)
	two.says(regexp.MustCompile("it follows the primary"))
	out, code := run(t, second, "promote")
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "the primary still answers")

	p.kill()
	two.says(regexp.MustCompile("the primary has gone away"))
	out, code = run(t, second, "promote")
	require.Equal(t, exitOK, code, out)
	two.says(regexp.MustCompile("it was promoted"))
	two.stop()

	again := serve(t, second...).ready()
	require.Equal(t, http.StatusOK, again.login().StatusCode)
	require.NotContains(t, again.out.String(), "making the org")
	again.stop()
}

func TestStandby_isNotServed(t *testing.T) {
	t.Parallel()

	data := founded(t)
	p := serve(t, "ROADBOOK_DATA="+data).ready()
	second := []string{"ROADBOOK_DATA=" + filepath.Join(filepath.Dir(data), "second"), "ROADBOOK_ADDR=127.0.0.1:0"}
	two := launch(t, second, "standby", "--of", data)
	two.says(regexp.MustCompile("it follows the primary"))
	two.stop()

	out, code := run(t, second, "serve")
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "this database is a standby and takes no changes")
	out, code = run(t, nil, "standby", "--of", data, "--forget")
	require.Equal(t, exitOK, code, out)
	p.stop()
}
