package sync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// notes makes so many conflicts about a record, fifty in one change.
func (w *world) notes(n int, about, owner record.ID, state string) {
	w.t.Helper()
	for made := 0; made < n; {
		var edits []record.Edit
		for ; made < n && len(edits) < 50; made++ {
			edits = append(edits, record.Edit{
				Op: record.OpCreate, Kind: "conflict", ID: w.id(), Set: values("record", about, "state", state, "field", "name", "owner", owner),
			})
		}
		w.propose(w.org, edits...)
	}
}

// A thousand conflicts that are closed hide no visit from whoever deletes its
// customer.
func TestDelete_behindNotes(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	lin.pull()
	shop := lin.create("account", values("name", "兴旺超市"))
	lin.sync()
	w.notes(1050, shop, lin.who.Person, "resolved")
	lin.create("visit", values("account", shop, "summary", "拜访"))
	lin.sync()
	lin.pull()

	d := lin.remove(shop)
	lin.sync()

	require.Equal(t, "children", refusalCode(lin.outs[d]))
	require.Empty(t, w.inspect(false))
}

// Whoever deletes a customer has answered what is open about it, however much
// that is.
func TestDelete_closesAllThatIsOpen(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	lin.pull()
	shop := lin.create("account", values("name", "兴旺超市"))
	lin.sync()
	w.notes(1050, shop, lin.who.Person, "open")
	lin.pull()

	d := lin.remove(shop)
	lin.sync()

	require.Equal(t, record.Applied, lin.outs[d].Result)
	require.Zero(t, w.rows(`SELECT count(*) FROM records r WHERE r.org = $1 AND r.kind = $2 AND r.fields->>'state' = 'open'`,
		w.org, w.schema.Kind("conflict").No))
}
