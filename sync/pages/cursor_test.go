package pages_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/record"
	"roadbook/sync/pages"
)

// FuzzCursor makes cursors out of anything: what is not signed is foreign, and
// what is, whatever it says, is read without a panic and written as it was
// read.
func FuzzCursor(f *testing.F) {
	m := pages.New(pages.Config{Key: []byte("a key of these tests, 32 bytes..")})
	who := access.Caller{Org: 7, Person: record.ID{1}, Device: record.ID{2}}
	for _, c := range pages.SomeCursors() {
		f.Add(c)
	}
	f.Add([]byte{})
	f.Add([]byte{2})
	f.Add([]byte{2, 255})
	f.Fuzz(func(t *testing.T, body []byte) {
		_, err := m.Cursor(who, string(body))
		require.Error(t, err, "nobody has signed it")

		text := m.Sign(who, body)
		place, err := m.Cursor(who, text)
		if err != nil {
			return
		}
		again := m.Write(who, place)
		if len(again) > pages.MaxCursor {
			return // such a one is never made: no log is as long
		}
		same, err := m.Cursor(who, again)
		require.NoError(t, err)
		require.Equal(t, place, same)
		other := who
		other.Device = record.ID{3}
		_, err = m.Cursor(other, again)
		require.Error(t, err, "another device's")
	})
}

// A cursor fits whatever the log has come to: a restored server's begins
// beyond two to the fortieth.
func TestCursor_length(t *testing.T) {
	t.Parallel()

	m := pages.New(pages.Config{Key: []byte("a key of these tests, 32 bytes..")})
	who := access.Caller{Org: 7, Person: record.ID{1}, Device: record.ID{2}}

	cursor := m.LongestCursor(who, "a1b2c3d4e5f60718", 1<<42)

	require.LessOrEqual(t, len(cursor), pages.MaxCursor)
	_, err := m.Cursor(who, cursor)
	require.NoError(t, err)
}
