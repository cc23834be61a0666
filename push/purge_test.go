package push_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/push"
	"roadbook/record"
)

// state is that of a notification.
func (w *world) state(id record.ID) (s record.State) {
	w.t.Helper()
	require.NoError(w.t, w.pool.QueryRow(w.t.Context(), "SELECT state FROM records WHERE org = $1 AND id = $2", w.org, [16]byte(id)).Scan(&s))
	return s
}

// What was read goes after a month, what nobody has read after a season, each to
// the very moment, as records go; what became of deliveries goes in between.
// Nobody is told to take away what is long gone.
func TestPurge(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.device("phone")
	begun := w.clock
	read := w.task()
	require.NoError(t, w.deliver(read))
	w.commit(person("lin"), record.Edit{
		Op: record.OpEdit, Kind: "notification", ID: read.ID, Set: values("read_at", begun.Format(time.RFC3339)),
	})
	w.clock = begun.Add(time.Second)
	unread := w.task()
	require.NoError(t, w.deliver(unread))
	at := func(since time.Duration) {
		w.clock = begun.Add(since)
		require.NoError(t, w.courier.Purge(t.Context()))
		require.NoError(t, w.courier.Purge(t.Context()))
	}

	at(push.KeepRead)
	require.Equal(t, record.Live, w.state(read.ID))
	at(push.KeepRead + time.Second)
	require.Equal(t, record.Deleted, w.state(read.ID))
	require.Equal(t, record.Live, w.state(unread.ID))
	at(push.KeepDeliveries)
	require.Equal(t, map[string]int{"sent": 2}, w.states())
	at(push.KeepDeliveries + 2*time.Second)
	require.Empty(t, w.states())
	at(push.KeepUnread + time.Second)
	require.Equal(t, record.Live, w.state(unread.ID))
	at(push.KeepUnread + 2*time.Second)
	require.Equal(t, record.Deleted, w.state(unread.ID))
	require.Len(t, w.mail.sent, 2)
}

// More than a mutation takes are several.
func TestPurge_ofMany(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	for range record.MaxEdits + 1 {
		w.task()
	}
	w.clock = w.clock.Add(push.KeepUnread + time.Hour)

	require.NoError(t, w.courier.Purge(t.Context()))

	var left int
	require.NoError(t, w.pool.QueryRow(t.Context(),
		"SELECT count(*) FROM records r WHERE r.org = $1 AND r.owner = $2 AND r.state = 0 AND r.kind = 22", w.org, [16]byte(person("lin"))).Scan(&left))
	require.Zero(t, left)
}
