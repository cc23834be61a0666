package sync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/record/shipped"
)

// decided is a world whose customers have terms, which people decide.
func decided(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	next, err := record.ParseSchema(shipped.Stored())
	require.NoError(t, err)
	next.Version = "2"
	account := next.Kind("account")
	account.Fields = append(account.Fields, &record.Field{Name: "terms", Type: "text", Policy: record.Manual})
	require.NoError(t, w.engine.Publish(t.Context(), w.org, next))
	w.schema, err = record.ParseSchema(shipped.Stored())
	require.NoError(t, err)
	w.schema.Kind("account").Fields = append(w.schema.Kind("account").Fields, account.Fields[len(account.Fields)-1])
	require.NoError(t, w.schema.Check())
	return w
}

// Two phones have each agreed on other terms: what was agreed before stays in
// force on every phone, whoever came first, the conflict has both, and the next
// edit that knows of both decides and closes it.
func TestManual_twoPhones(t *testing.T) {
	t.Parallel()

	for _, linFirst := range []bool{true, false} {
		w := decided(t)
		lin, chen, shop := twoOn(w)
		lin.edit(shop, values("terms", "30天"))
		lin.sync()
		chen.pull()
		lin.edit(shop, values("terms", "60天"))
		lin.edit(shop, values("terms", "90天")) // what he typed on the way was never in force
		chen.edit(shop, values("terms", "现结"))
		order := []*phone{lin, chen}
		if !linFirst {
			order = []*phone{chen, lin}
		}
		order[0].push()
		outcomes := order[1].push()
		last := outcomes[len(outcomes)-1]
		lin.pull()
		chen.pull()

		require.Equal(t, record.Merged, last.Result)
		require.Equal(t, "manual", last.Clashes[0].Code)
		asked := *last.Clashes[0].Conflict
		for _, p := range order {
			require.Equal(t, "30天", p.text(shop, "terms"))
			require.Equal(t, "open", p.text(asked, "state"))
			require.Contains(t, p.raw(asked, "values"), "90天")
			require.Contains(t, p.raw(asked, "values"), "现结")
			require.NotContains(t, p.raw(asked, "values"), "60天", "he has given that up himself")
		}

		chen.edit(shop, values("terms", "90天"))
		require.Equal(t, record.Applied, chen.push()[0].Result)
		lin.pull()

		require.Equal(t, "90天", lin.text(shop, "terms"))
		require.Equal(t, "resolved", lin.text(asked, "state"))
		require.Equal(t, "90天", lin.text(asked, "chosen"))
		for id, h := range lin.base {
			require.False(t, h.kind == "conflict" && h.set["state"] == `"open"`, "%s is still asked", id)
		}
	}
}
