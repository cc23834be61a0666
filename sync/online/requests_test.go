package online_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/sync/online"
)

// What somebody asks for waits in the day of those who answer for the field, of
// nobody else, and until it is answered. No inbox has it.
func TestToday_requests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := w.create("lin", "account", "name", "兴旺")
	out := w.write("lin", edit("account", shop, w.get("lin", "account", shop).Seq, "credit_limit", 50000))
	require.Len(t, out.Clashes, 1)
	asked := *out.Clashes[0].Conflict
	today := func(login string) online.Today {
		t.Helper()
		got, err := w.online.Today(t.Context(), w.who(login), w.now())
		require.NoError(t, err)
		require.Len(t, got.Requests, got.Counts.Requests)
		return got
	}

	got := today("fin")
	require.Len(t, got.Requests, 1)
	require.Equal(t, asked, got.Requests[0].ID)
	require.Equal(t, "credit_limit", got.Requests[0].Values.Text("field"))
	require.Contains(t, got.Requests[0].Values.Text("asked"), "50000")
	for _, login := range []string{"lin", "chen", "he", "zhou", "admin"} {
		require.Empty(t, today(login).Requests, login)
	}
	for _, login := range []string{"lin", "chen"} { // conflicts are not for finance
		inbox, err := w.online.Inbox(t.Context(), w.who(login), online.InboxQuery{})
		require.NoError(t, err)
		require.Empty(t, inbox.Groups, login)
	}

	w.write("fin", edit("request", asked, got.Requests[0].Seq, "state", "declined"))
	require.Empty(t, today("fin").Requests)
}
