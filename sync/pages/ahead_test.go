package pages_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/record"
	"roadbook/sync/pages"
	"roadbook/sync/wire"
)

// Few pages wait at once, and none for long.
func TestAhead_limits(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		var a pages.Ahead
		for i := range pages.AheadAtOnce {
			require.True(t, a.Put(access.Caller{Device: record.ID{byte(i + 1)}}, wire.PullRequest{Cursor: "c"}))
		}
		more := access.Caller{Device: record.ID{0xff}}

		require.False(t, a.Put(more, wire.PullRequest{}), "there is no room")
		require.True(t, a.Take(access.Caller{Device: record.ID{1}}, wire.PullRequest{Cursor: "c"}))
		require.False(t, a.Take(access.Caller{Device: record.ID{1}}, wire.PullRequest{Cursor: "c"}), "it has been taken")
		require.True(t, a.Put(more, wire.PullRequest{}))
		require.False(t, a.Take(more, wire.PullRequest{Cursor: "c"}), "it is another page")
		require.False(t, a.Take(access.Caller{Org: 2, Device: record.ID{2}}, wire.PullRequest{Cursor: "c"}), "it is somebody else")

		time.Sleep(pages.AheadFor)
		synctest.Wait()
		require.False(t, a.Take(access.Caller{Device: record.ID{3}}, wire.PullRequest{Cursor: "c"}), "it has been too long")
		require.True(t, a.Put(more, wire.PullRequest{}), "there is room again")
		require.True(t, a.Take(more, wire.PullRequest{}))
	})
}
