package sync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// What is created is taken for new until something speaks against it. A create
// of a record that is there, and that as a new one would be refused, is looked
// up before that is said: it is an edit.
func TestPush_takenForNew(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	lin.sync()
	shop := lin.create("account", values("name", "兴旺"))
	lin.sync()
	w.engine.Close()
	w.engine = w.server(w.pool) // which remembers nothing
	again := w.phone("lin")
	again.typed(record.Edit{Op: record.OpCreate, Kind: "account", ID: shop, Set: values("short_name", "旺")})
	missing := again.create("account", values("short_name", "无名"))

	out := again.push()

	require.NotEqual(t, record.Refused, out[0].Result, "%v", out[0].Refusal)
	require.Equal(t, record.Refused, out[1].Result, "a new one needs a name")
	again.pull()
	require.Equal(t, "旺", again.text(shop, "short_name"))
	require.Equal(t, "兴旺", again.text(shop, "name"))
	require.False(t, again.has(missing))
}
