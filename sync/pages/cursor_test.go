package pages_test

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/record"
	"roadbook/store"
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

// A server of v0.1.0 goes on from what it is given here: it reads version 3, and
// behind the epoch the log's hash at the place that the pages have come to.
// What it gives itself is taken here, and proves no more than that.
func TestCursor_besideAnOlderServer(t *testing.T) {
	t.Parallel()

	m := pages.New(pages.Config{Key: []byte("a key of these tests, 32 bytes..")})
	who := access.Caller{Org: 7, Person: record.ID{1}, Device: record.ID{2}}
	text := m.Incomplete(who, 55, 77)
	body, err := base64.RawURLEncoding.DecodeString(text)
	require.NoError(t, err)
	require.Equal(t, []byte{3, 2, 'e', '1', 55, 0, 0, 0, 0, 0, 0, 0, 3, 2, 4}, body[:15])
	const proof, mac = 8, 12
	body = body[:len(body)-mac]

	ours, err := m.Cursor(who, text)
	require.NoError(t, err)
	at, hash := ours.Proof()
	require.Equal(t, record.Seq(7), at)
	require.Equal(t, byte(77), hash)
	its, err := m.Cursor(who, m.Sign(who, body[:len(body)-proof]))
	require.NoError(t, err)
	at, hash = its.Proof()
	require.Equal(t, record.Seq(5), at)
	require.Equal(t, byte(55), hash)
}

// A log is the past of what a device has seen, is ahead of it, or has parted from
// it nobody knows where. The log here ends at 90; at each place its hash begins
// with 1, beyond its end with nothing.
func TestCursor_IsApart(t *testing.T) {
	t.Parallel()

	told := store.Epoch{Epoch: "e2", Was: "e1", From: 20, Began: 50}
	proved := store.Epoch{Epoch: "e3", Was: "e2", From: 70, Began: 80, Proved: true}
	tests := []struct {
		name        string
		at          pages.Cursor
		lost, apart bool
	}{
		{"nothing seen", pages.At("e1", 0, 0), false, false},
		{"in the common part", pages.At("e1", 20, 1), false, false},
		{"in this life", pages.At("e3", 90, 1), false, false},
		{"ahead of where a life ended that somebody ended", pages.At("e1", 30, 2), true, false},
		{"in it, and not as it was", pages.At("e1", 20, 2), true, true},
		{"ahead of where a device proved a loss", pages.At("e2", 75, 2), true, true},
		{"of a life that nobody knows", pages.At("e9", 30, 2), true, true},
		{"of this life, and not as it was", pages.At("e3", 85, 2), true, true},
		{"beyond its end", pages.At("e3", 91, 1), true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			var chain []byte
			if tt.at.Proven() <= 90 {
				chain = []byte{1, 0, 0, 0, 0, 0, 0, 0}
			}
			epochs := []store.Epoch{told, proved}
			require.Equal(t, tt.lost, tt.at.IsLost(90, chain))
			require.Equal(t, tt.apart, tt.at.IsApart(90, chain, epochs))
			require.False(t, pages.Knows(epochs, "e9"))
			require.True(t, pages.Knows(epochs, "e1"))
		})
	}
}
