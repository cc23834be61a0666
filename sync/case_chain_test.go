package sync_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// More shops become one in one commit than a chain of parents may be long, each
// going on as the next. What is typed for the first of them arrives, before the
// redirects are led on and after that; then each leads straight to who is there.
func TestDuplicate_longChain(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	lin.pull()
	ids := w.ids(20)
	for _, id := range slices.Backward(ids) {
		lin.makes(id, "account", shopValues(0))
	}
	lin.push()
	late := func(field string) {
		no := lin.typed(record.Edit{Op: record.OpEdit, Kind: "account", ID: ids[19], Set: values(field, "晚")})
		visit := w.id()
		lin.makes(visit, "visit", values("account", ids[19], "summary", "晚"))
		lin.push()
		require.Equal(t, record.Applied, lin.outs[no].Result, "%+v", lin.outs[no].Refusal)
		lin.pull()
		require.Equal(t, "晚", lin.text(ids[0], field))
		require.Equal(t, ids[0].String(), lin.text(visit, "account"))
	}
	late("short_name")
	w.settles()
	late("remark")

	require.Equal(t, 1, lin.count("account"))
	for _, id := range ids[1:] {
		require.Equal(t, ids[0].String(), lin.text(id.Derive("merge_redirect"), "survivor"))
	}
	require.Empty(t, w.inspect(false))
}
