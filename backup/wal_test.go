package backup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/backup"
	"roadbook/store/pg"
)

// The way through the archive, on paper: segments of 16 MB, 256 to the third
// part of a name.
func TestFollow(t *testing.T) {
	t.Parallel()

	const size = 16 << 20
	at := func(segment, more uint64) pg.LSN { return pg.LSN(segment*size + more) }
	first := backup.WAL{Timeline: 1, From: at(254, 40), To: at(255, 100)}
	one := func(last ...string) []string {
		return append([]string{"t1/0000000100000000000000FE", "t1/0000000100000000000000FF"}, last...)
	}
	tests := []struct {
		name   string
		files  []string // with their text behind a colon
		from   backup.WAL
		want   string
		target uint32
		gap    string
	}{
		{"nothing", nil, first, "", 1, ""},
		{"up to one that grows", one("t1/000000010000000100000000.partial"), first, "FE FF 00.partial", 1, ""},
		{"a whole one is better", one("t1/000000010000000100000000.partial", "t2/000000010000000100000000"), first, "FE FF 00", 1, ""},
		{"encrypted", one("t1/000000010000000100000000.age"), first, "FE FF 00.age", 1, ""},
		{"a gap", one("t1/000000010000000100000001"), first, "FE FF", 1, "000000010000000100000000"},
		{"what the backup brought", []string{"t1/000000010000000100000000"}, first, "00", 1, ""},
		{"later than it", []string{"t1/000000010000000100000001"}, first, "", 1, "000000010000000100000000"},
		{
			"another timeline", one("t1/000000010000000100000000", "t1/000000010000000100000001",
				"t2/00000002.history:1\t1/500\tno recovery target\n", "t2/000000020000000100000000"),
			first, "FE FF 00", 2, "",
		},
		{
			"one that left before", one("t2/00000002.history:1\t0/FF000010\tearlier\n", "t2/0000000200000000000000FF"),
			first, "FE FF", 1, "",
		},
		{
			"two on", one("t2/00000002.history:1\t1/500\ta\n", "t3/00000003.history:1\t1/500\ta\n\n2\t1/1000010\tb\n",
				"t2/000000020000000100000000", "t3/000000030000000100000001"),
			first, "FE FF 00 01", 3, "",
		},
		{"other files", one("t1/note.txt", "t1/0000000100000000000001FF", "t1/0000000100000000000000ff"), first, "FE FF", 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			dir := t.TempDir()
			for _, file := range tt.files {
				name, text, _ := strings.Cut(file, ":")
				path := filepath.Join(dir, name)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			}

			names, target, gap, err := backup.Follow(dir, size, tt.from)

			require.NoError(t, err)
			short := make([]string, len(names))
			for i, n := range names {
				short[i] = n[22:]
			}
			require.Equal(t, tt.want, strings.Join(short, " "))
			require.Equal(t, tt.target, target)
			require.Equal(t, tt.gap, gap)
		})
	}
}
