package push_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/push"
	"roadbook/record"
	"roadbook/record/notice"
)

// letters is a channel that finds people by itself, and knows what it has shown by
// a receipt.
type letters struct{ mailman }

func (*letters) Find(user *record.Record) string { return user.Text("email") }

// Who has no device is reached by what is known of him, once; what was shown there
// is taken away by the receipt.
func TestDeliver_byWhatIsKnownOfHim(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	post := &letters{mailman{name: "mail", answer: func(push.Address) push.Answer { return push.Answer{Receipt: "r1"} }}}
	w.courier.Channels = append(w.courier.Channels, post)
	n := w.says(notice.Task, func(n *notice.Notice) { n.Title = strings.Repeat("长", push.MaxTitle+1) })
	require.NoError(t, w.tell(n))
	require.Equal(t, "nowhere", w.undelivered()[n].State)

	w.commit(record.NoID, record.Edit{Op: record.OpEdit, Kind: "user", ID: person("lin"), Set: values("email", "lin@example.com")})
	_, err := w.courier.Replay(t.Context(), w.admin(), []record.ID{n})
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, w.tell(n))
	}

	require.Len(t, post.sent, 1)
	require.Equal(t, "lin@example.com", post.sent[0].token)
	require.Equal(t, strings.Repeat("长", push.MaxTitle-1)+"…", post.sent[0].Title)
	require.Empty(t, w.undelivered())
	require.NoError(t, w.courier.Silence(t.Context(), push.Silence{Org: w.org, Notification: n}))
	require.Len(t, post.sent, 2)
	require.True(t, post.sent[1].Read)
	require.Equal(t, "r1", post.sent[1].receipt)
}
