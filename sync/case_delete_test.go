package sync_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// permutations are all orders of n things.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var out [][]int
	for _, p := range permutations(n - 1) {
		for at := 0; at <= len(p); at++ {
			q := append(append(append([]int(nil), p[:at]...), n-1), p[at:]...)
			out = append(out, q)
		}
	}
	return out
}

// Case 9. A deletes, B edits offline, C creates a child, in every order of
// arrival: the same end state everywhere, no half record.
func TestCase09_deleteAgainstEditAndChild(t *testing.T) {
	t.Parallel()

	for _, order := range permutations(3) {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			lin, chen, shop := twoOn(w)
			second := w.phone("lin")
			second.pull()
			lin.remove(shop)
			chen.edit(shop, values("short_name", "改过"))
			visit := second.create("visit", values("account", shop.String(), "summary", "拜访"))
			three := []*phone{lin, chen, second}

			for _, i := range order {
				for _, o := range three[i].push() {
					require.NotEqual(t, record.Refused, o.Result, "%+v", o.Refusal)
				}
			}

			for _, p := range append(three, w.phone("chen")) {
				p.pull()
				require.Equal(t, "兴旺超市", p.text(shop, "name"), "the edit and the visit keep the customer")
				require.Equal(t, "改过", p.text(shop, "short_name"))
				require.Equal(t, "拜访", p.text(visit, "summary"))
				require.Equal(t, 1, p.count("conflict"), "one person is asked once whether it should go")
			}
		})
	}
}

// A delete that has seen the visits is refused as long as they are there.
func TestDelete_withChildrenItHasSeen(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, shop := twoOn(w)
	visit := lin.create("visit", values("account", shop.String()))
	lin.sync()
	lin.remove(shop)
	require.Equal(t, "children", refusalCode(lin.push()[0]))

	lin.remove(visit)
	lin.sync()
	lin.remove(shop)
	require.Equal(t, record.Applied, lin.push()[0].Result)
	lin.pull()

	require.False(t, lin.has(shop))
	require.False(t, lin.has(visit))
}

// A restore brings a record back into all its scopes, in full.
func TestRestore_entersAllScopes(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	lin.remove(shop)
	lin.sync()
	chen.pull()
	require.False(t, chen.has(shop))

	lin.typed(record.Edit{Op: record.OpRestore, Kind: "account", ID: shop})
	require.Equal(t, record.Applied, lin.push()[0].Result)
	lin.pull()
	chen.pull()

	require.Equal(t, "兴旺超市", chen.text(shop, "name"))
	require.Equal(t, "兴旺超市", lin.text(shop, "name"))
}

func (p *phone) count(kind string) int {
	n := 0
	for _, h := range p.base {
		if h.kind == kind {
			n++
		}
	}
	return n
}
