package push_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/push"
	"roadbook/record"
)

// prover is a channel that knows one code.
type prover struct{ mailman }

func (*prover) Resolve(_ context.Context, code string) (string, error) {
	if code != "code" {
		return "", errors.New("40029")
	}
	return "o-lin", nil
}

// One tap is one message of each template, however often it is said. The last two
// are for approvals, to the very one; what was not taken comes back.
func TestConsents(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	registry := push.NewRegistry(w.pool, []push.Channel{&prover{mailman{name: "wechat"}}}, w.courier.Now)
	ledger := push.NewConsents(w.pool, []string{"T1", "T2"}, w.courier.Now)
	lin := access.Caller{Org: w.org, Person: person("lin"), Device: seedID.Derive("mini")}
	tap := func(n int) record.ID { return seedID.Derive("tap " + strconv.Itoa(n)) }
	_, err := ledger.Give(t.Context(), lin, tap(0), []string{"T1"})
	require.Equal(t, errs.Missing, errs.KindOf(err), "who is he?")
	require.Equal(t, errs.Invalid, errs.KindOf(registry.Register(t.Context(), lin, "wechat", "o-zhou")))
	require.Equal(t, errs.Invalid, errs.KindOf(w.registry.Register(t.Context(), lin, "wechat", "code")), "nobody to ask")
	require.NoError(t, registry.Register(t.Context(), lin, "wechat", "code"))
	for _, bad := range [][]string{nil, {"T1", "T1", "T1", "T1"}, {"T3"}} {
		_, err := ledger.Give(t.Context(), lin, tap(0), bad)
		require.Equal(t, "consent", errs.CodeOf(err))
	}
	_, err = ledger.Give(t.Context(), lin, record.NoID, []string{"T1"})
	require.Equal(t, "consent", errs.CodeOf(err))

	var left []push.Left
	for n := range 3 {
		for range 2 {
			left, err = ledger.Give(t.Context(), lin, tap(n), []string{"T1"})
			require.NoError(t, err)
		}
	}
	require.Equal(t, []push.Left{{Template: "T1", Left: 3}, {Template: "T2"}}, left)

	spend := func(category string) (record.ID, bool) {
		tap, found, err := ledger.Spend(t.Context(), "o-lin", "T1", category)
		require.NoError(t, err)
		return tap, found
	}
	_, found := spend("task")
	require.True(t, found)
	_, found = spend("task")
	require.False(t, found, "two are left, for approvals")
	spent, found := spend("approval")
	require.True(t, found)
	require.NoError(t, ledger.Back(t.Context(), spent, "T1"))
	for range 2 {
		_, found = spend("approval")
		require.True(t, found)
	}
	_, found = spend("approval")
	require.False(t, found)

	_, err = ledger.Give(t.Context(), lin, tap(9), []string{"T1", "T2"})
	require.NoError(t, err)
	require.NoError(t, ledger.Void(t.Context(), "o-lin", "T1"))
	_, found = spend("approval")
	require.False(t, found)
	left, err = ledger.Give(t.Context(), lin, tap(9), []string{"T2"})
	require.NoError(t, err)
	require.Equal(t, []push.Left{{Template: "T1"}, {Template: "T2", Left: 1}}, left)
	w.clock = w.clock.Add(push.KeepDeliveries + time.Second)
	require.NoError(t, w.courier.Purge(t.Context()))
	var kept int
	require.NoError(t, w.pool.QueryRow(t.Context(), "SELECT count(*) FROM push_consents").Scan(&kept))
	require.Equal(t, 1, kept, "what was spent is forgotten")
}
