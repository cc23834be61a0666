package sync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// A reference names a record of the right kind that is there for its author.
// What stands in the field already may stay, whoever may see it.
func TestReference(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, gao := w.phone("lin"), w.phone("gao")
	shop := lin.create("account", values("name", "兴旺超市"))
	contact := lin.create("contact", values("name", "马兴旺", "account", shop.String()))
	lin.sync()
	hidden := gao.create("account", values("name", "别人的"))
	gao.push()
	foreign := w.phoneIn(w.newOrg("other"), "lin")
	theirs := foreign.create("account", values("name", "别家公司的"))
	foreign.push()

	tests := []struct {
		name string
		set  record.Values
		add  record.Values
		code string
	}{
		{"one of another kind", values("parent", contact), nil, "kind_mismatch"},
		{"one that never was", values("parent", w.id()), nil, "reference"},
		{"one of another org", values("parent", theirs), nil, "reference"},
		{"one that is not for him to see", values("parent", hidden), nil, "reference"},
		{"somebody who is nobody", nil, values("collaborators", []record.ID{shop}), "reference"},
		{"somebody of another org", nil, values("collaborators", []record.ID{foreign.who.Person}), "reference"},
		{"a colleague", nil, values("collaborators", []record.ID{person(w.org, "zhou")}), ""},
		{"itself, for a group company", values("parent", shop), nil, ""},
	}
	for _, tt := range tests {
		id := lin.typed(record.Edit{Op: record.OpEdit, Kind: "account", ID: shop, Seen: lin.seen(shop), Set: tt.set, Add: tt.add})
		lin.push()
		if out := lin.outs[id]; tt.code == "" {
			require.NotEqual(t, record.Refused, out.Result, "%s: %+v", tt.name, out.Refusal)
		} else {
			require.NotNil(t, out.Refusal, tt.name)
			require.Equal(t, tt.code, out.Refusal.Code, tt.name)
		}
	}
}

// A conflict is the server's to open.
func TestCreate_nobodyForgesAConflict(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, shop := twoOn(w)
	lin.create("conflict", values("record", shop, "field", "name", "state", "open"))

	require.Equal(t, "server_kind", lin.push()[0].Refusal.Code)
}

// A delete that has pulled somebody else's visit has seen it, and is refused
// as long as it is there.
func TestDelete_hasSeenWhatItPulled(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	visit := chen.create("visit", values("account", shop, "owner", person(w.org, "lin")))
	chen.push()
	lin.pull()
	require.True(t, lin.has(visit))
	lin.remove(shop)

	require.Equal(t, "children", lin.push()[0].Refusal.Code)
}
