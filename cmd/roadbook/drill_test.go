package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// A drill beside a server that runs: everything comes back. The same with a
// device that loses its journal: what only it had is missing, and is named.
func TestDrill(t *testing.T) {
	t.Parallel()

	data := founded(t)
	kept := filepath.Join(filepath.Dir(data), "backups")
	environ := []string{"ROADBOOK_DATA=" + data, "ROADBOOK_BACKUP_DIR=" + kept}
	p := serve(t, environ...).ready()
	p.says(regexp.MustCompile(`the backup \S+ is whole`))
	room := filepath.Join(filepath.Dir(data), "room")
	require.NoError(t, os.Mkdir(room, 0o711))
	require.NoError(t, os.Chmod(room, 0o711))

	report, code := run(t, environ, "drill", "--in", room, "--rounds", "3")
	require.Equal(t, exitOK, code, report)
	require.Regexp(t, `restored +the backup \d{8}T\d{6}Z, taken \S+, with what the archive has: \d+ MB in \d+\.\d s`, report)
	require.Regexp(t, `org 1 up to seq \d+ of the epoch \S+, written \d{4}-`, report)
	require.Regexp(t, `hash by hash`, report)
	require.Regexp(t, `inspected the restored server: [0-9,]+ rows of the logs, [0-9,]+ records: none wrong`, report)
	require.Regexp(t, `worked +3 devices have 29 changes acknowledged`, report)
	require.Regexp(t, `healed +3 devices have sent 35 acknowledged changes again`, report)
	require.Regexp(t, `compared +[0-9,]+ records of 2 orgs, one by one: none differ`, report)
	require.Regexp(t, `inspected the healed server: .*: none wrong`, report)
	require.Regexp(t, `well +a loss would keep you away for about`, report)
	left, err := os.ReadDir(room)
	require.NoError(t, err)
	require.Empty(t, left, "it cleans up")

	require.NotContains(t, p.out.String(), "behind the requests")
	p.stop()

	report, code = run(t, environ, "drill", "--in", room, "--rounds", "2", "--lose", "2")
	require.Contains(t, report, "the server does not answer")
	require.Equal(t, exitFailed, code, report)
	require.Regexp(t, `differs +org \d+: account \S+ was acknowledged, and is missing`, report)
	require.Regexp(t, `differs +org \d+: account \S+: points lacks 4`, report)
	require.Regexp(t, `differs +org \d+: account \S+: of tags are missing: \["1 of device 2" "2 of device 2"\]`, report)
	require.NotContains(t, report, "are back")
	require.NotContains(t, report, "well  ")
	left, err = os.ReadDir(room)
	require.NoError(t, err)
	require.Empty(t, left, "then, too")
}
