package sync_test

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync/wire"
)

// Case 13. A refused mutation with dependants and an unrelated one, and the
// app is killed before it reads the answer.
func TestCase13_refusedWithDependants(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	lin.pull()
	bad := lin.create("account", values("name", "坏的", "no_such_field", 1))
	byRecord := lin.typed(record.Edit{Op: record.OpEdit, Kind: "account", ID: bad, Set: values("short_name", "x")})
	byParent := lin.typed(record.Edit{Op: record.OpCreate, Kind: "visit", ID: w.id(), Set: values("account", bad.String())})
	good := lin.create("account", values("name", "好的"))
	lin.outbox[3].After = nil
	tied := lin.edit(good, values("short_name", "好"))
	lin.outbox[4].After = []json.RawMessage{json.RawMessage("1")}

	first, err := w.engine.Push(t.Context(), lin.who, lin.frame())
	require.NoError(t, err)
	again := lin.push() // the app was killed, and sends the same

	codes := map[record.ID]string{}
	for i, o := range again {
		require.True(t, o.Repeated)
		require.Equal(t, first.Outcomes[i].Result, o.Result)
		require.Equal(t, first.Outcomes[i].Seq, o.Seq)
		require.Equal(t, first.Outcomes[i].Refusal, o.Refusal)
		require.Equal(t, first.Outcomes[i].Receipt, o.Receipt)
		if o.Refusal != nil {
			codes[o.ID] = refusalCode(o)
		}
	}
	require.Equal(t, "unknown_field", refusalCode(again[0]))
	require.Equal(t, "depends_on", codes[byRecord])
	require.Equal(t, "depends_on", codes[byParent])
	require.Equal(t, "depends_on", codes[tied])
	require.Equal(t, record.Applied, again[3].Result, "the unrelated one stands")

	later := lin.typed(record.Edit{Op: record.OpEdit, Kind: "account", ID: bad, Set: values("short_name", "y")})
	lin.push()
	require.Equal(t, "depends_on", refusalCode(lin.outs[later]), "also in a later push")
	lin.pull()
	require.Equal(t, "好的", lin.text(good, "name"))
	require.False(t, lin.has(bad))
}

// A mutation stands or falls as one: a bad second edit takes the first along.
func TestCommit_aMutationIsAtomic(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, shop := twoOn(w)
	other := lin.create("account", values("name", "另一家"))
	lin.sync()
	lin.typed(
		record.Edit{Op: record.OpEdit, Kind: "account", ID: shop, Seen: lin.seen(shop), Set: values("short_name", "半个")},
		record.Edit{Op: record.OpEdit, Kind: "account", ID: other, Seen: lin.seen(other), Set: values("grade", "Z")},
	)

	out := lin.push()
	lin.pull()

	require.Equal(t, record.Refused, out[0].Result)
	require.Equal(t, "旺", lin.text(shop, "short_name"))
}

// A hole is refused as a whole, and says which number is expected.
func TestPush_aHole(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	lin.n = 4
	lin.create("account", values("name", "太早"))

	_, err := w.engine.Push(t.Context(), lin.who, lin.frame())

	more := problemOf(t, err)
	require.Equal(t, uint64(1), more.NextN)
}

// Another id under a judged number means that there are two phones. The one
// that comes second gets a fresh name for what differs, and goes on as the
// same author.
func TestPush_aFork(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	twin := *lin
	twin.base, twin.names = maps.Clone(lin.base), maps.Clone(lin.names)
	lin.edit(shop, values("short_name", "这一台"))
	lin.push()
	twin.edit(shop, values("tax_no", "那一台"))

	_, err := w.engine.Push(t.Context(), twin.who, twin.frame())
	more := problemOf(t, err)

	require.Equal(t, uint64(2), more.FromN)
	require.Equal(t, uint64(1), more.NextN)
	require.Len(t, more.IDs, 2)
	twin.replica, twin.outbox[0].N = more.Replica, 1
	require.Equal(t, record.Applied, twin.push()[0].Result, "%+v", twin.outs)
	chen.pull()
	require.Equal(t, "这一台", chen.text(shop, "short_name"))
	require.Equal(t, "那一台", chen.text(shop, "tax_no"))
}

func problemOf(t *testing.T, err error) wire.Problem {
	t.Helper()
	var extra interface {
		error
		Extra() any
	}
	require.ErrorAs(t, err, &extra)
	more, ok := extra.Extra().(wire.Problem)
	require.True(t, ok)
	return more
}
