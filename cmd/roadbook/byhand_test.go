package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
)

// What docs/operations.md says of a restore by hand is done here by a shell, word
// by word: the newest backup, and what the archive has since. The server that
// starts on it has everything, and knows that it is another life.
func TestRestore_byHand(t *testing.T) {
	t.Parallel()

	if _, err := exec.LookPath("zstd"); err != nil {
		t.Skip("the page uses zstd, which is not installed")
	}
	data := founded(t)
	here := filepath.Dir(data)
	environ := []string{"ROADBOOK_DATA=" + data, "ROADBOOK_BACKUP_DIR=" + filepath.Join(here, "backups")}
	p := serve(t, environ...).ready()
	whole := regexp.MustCompile(`the backup (\S+) is whole`)
	backup := whole.FindStringSubmatch(p.says(whole))[1]
	lin := p.phone()
	p.sync(lin)
	id, err := lin.Create("account", device.Values{"name": "after the backup"})
	require.NoError(t, err)
	p.sync(lin)
	before := lin.Status().Epoch
	p.stop()

	other := filepath.Join(here, "other")
	require.NoError(t, os.Mkdir(other, 0o711)) // PostgreSQL runs as somebody else there
	steps := byHand(t)
	steps = strings.ReplaceAll(steps, "20261122T010000Z", backup)
	steps += "\nfor f in pgdata/pg_wal/*.partial; do if [ -e \"$f\" ]; then mv \"$f\" \"${f%.partial}\"; fi; done\n" +
		"echo \"restore_command = 'exit 1'\" >> pgdata/postgresql.conf\n" +
		"chown -R --reference=" + filepath.Join(data, "pg") + " pgdata; mv pgdata ../other/pg; cp " + filepath.Join(data, keyFile) + " ../other/\n"
	sh := exec.Command("sh", "-ec", steps)
	sh.Dir = filepath.Join(here, "backups")
	out, err := sh.CombinedOutput()
	require.NoError(t, err, string(out))

	again := serve(t, "ROADBOOK_DATA="+other).ready()
	require.NotContains(t, again.out.String(), "making the org")
	fresh := again.phone()
	again.sync(fresh)
	view, there := fresh.Get(id)
	require.True(t, there, "what came after the backup is in the archive")
	require.Equal(t, "after the backup", view.Text("name"))
	require.NotEqual(t, before, fresh.Status().Epoch)
	again.stop()
}

// byHand are the commands of the page.
func byHand(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/operations.md")
	require.NoError(t, err)
	_, tail, found := strings.Cut(string(page), "### A PostgreSQL of yours\n")
	require.True(t, found)
	_, tail, found = strings.Cut(tail, "```sh\n")
	require.True(t, found)
	steps, _, found := strings.Cut(tail, "```")
	require.True(t, found)
	return steps
}
