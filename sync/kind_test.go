package sync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/record/shipped"
)

// A new kind and a new field are a change of data: published, they arrive on
// phones, are filled in and travel on, while everything runs.
func TestPublish_aNewKind(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	next, err := record.ParseSchema(shipped.Stored())
	require.NoError(t, err)
	next.Version = "2"
	next.Kind("account").Fields = append(next.Kind("account").Fields, &record.Field{Name: "fridges", Type: "number", Policy: record.LWW})
	next.Kinds = append(next.Kinds, &record.Kind{
		Name: "inspection", No: 100, Parent: "account", OnDelete: record.Revive, Rank: 95,
		Fields: []*record.Field{
			{Name: "account", Type: "reference", To: "account", Policy: record.Once, Required: true},
			{Name: "answers", Type: "map", Policy: record.LWW},
		},
	})
	require.NoError(t, w.engine.Publish(t.Context(), w.org, next))

	lin.edit(shop, values("fridges", 3))
	inspection := lin.create("inspection", values("account", shop, "answers.q1", "冷柜正常", "answers.q2", 4))
	lin.sync()
	chen.pull()
	for p, set := range map[*phone]record.Values{chen: values("answers.q1", "冷柜有霜"), lin: values("answers.q2", 5)} {
		p.typed(record.Edit{Op: record.OpEdit, Kind: "inspection", ID: inspection, Seen: p.seen(inspection), Set: set})
	}
	lin.sync()
	chen.sync()
	lin.pull()

	require.Equal(t, "3", chen.text(shop, "fridges"))
	for _, p := range []*phone{lin, chen} {
		require.Equal(t, "冷柜有霜", p.text(inspection, "answers.q1"), "each question is a field of its own")
		require.Equal(t, "5", p.text(inspection, "answers.q2"))
	}
}
