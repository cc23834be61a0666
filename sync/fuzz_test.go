package sync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/record"
	"roadbook/sync"
)

// FuzzCursor makes cursors out of anything: what is not signed is foreign, and
// what is, whatever it says, is read without a panic and written as it was
// read.
func FuzzCursor(f *testing.F) {
	e := sync.New(sync.Config{Key: []byte("a key of these tests, 32 bytes..")})
	f.Cleanup(e.Close)
	who := access.Caller{Org: 7, Person: record.ID{1}, Device: record.ID{2}}
	for _, c := range sync.SomeCursors() {
		f.Add(c)
	}
	f.Add([]byte{})
	f.Add([]byte{2})
	f.Add([]byte{2, 255})
	f.Fuzz(func(t *testing.T, body []byte) {
		_, err := e.PlaceOf(who, string(body))
		require.Error(t, err, "nobody has signed it")

		text := e.SignCursor(who, body)
		place, err := e.PlaceOf(who, text)
		if err != nil {
			return
		}
		again := e.CursorOf(who, place)
		if len(again) > sync.MaxCursor {
			return // such a one is never made: no log is as long
		}
		same, err := e.PlaceOf(who, again)
		require.NoError(t, err)
		require.Equal(t, place, same)
		other := who
		other.Device = record.ID{3}
		_, err = e.PlaceOf(other, again)
		require.Error(t, err, "another device's")
	})
}
