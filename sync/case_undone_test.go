package sync_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/store/pg/pgtest"
)

// A push that is sent again gets the verdict of the first time, of a merge too:
// which value lost, whether it had been there or came in with the other.
func TestDuplicate_repeatTellsTheSame(t *testing.T) {
	t.Parallel()

	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		for _, later := range []int{0, 1} { // whose values are the later ones
			w := newWorld(t)
			phones := []*phone{w.phone("lin"), w.phone("zhou")}
			phones[later].skew = time.Hour
			var frames [2][]byte
			var first [2][]record.Outcome
			for i, p := range phones {
				p.create("account", shopValues(i))
				frames[i] = p.bytes(p.ready())
			}
			for _, i := range order {
				first[i] = phones[i].push()
			}
			second := first[order[1]][0]
			lost := map[string]string{}
			for _, c := range second.Clashes {
				lost[c.Field] = string(c.Lost)
			}
			require.Equal(t, string(shopValues(1-later).Get("name")), lost["name"], "%v %d %+v", order, later, second)

			for _, i := range order {
				again, err := phones[i].send(frames[i])
				require.NoError(t, err)
				require.True(t, again[0].Repeated)
				require.Equal(t, clashesOf(first[i][0]), clashesOf(again[0]), "phone %d of %v, %d is later", i, order, later)
			}
		}
	}
}

func clashesOf(o record.Outcome) (out []string) {
	for _, c := range o.Clashes {
		out = append(out, fmt.Sprint(c.Kind, " ", c.ID, " ", c.Field, " ", c.Code, " kept ", string(c.Kept), " lost ", string(c.Lost)))
	}
	return out
}

// A merge was undone, and the server is restored to a moment before both, or
// between them, or after. Once everybody has given back what he had typed, there
// are two again, each with its own, in whatever order the phones come.
func TestDuplicate_undoneAndRestored(t *testing.T) {
	t.Parallel()

	for _, to := range []string{"before both", "after the merge", "after the undo"} {
		for _, order := range [][2]int{{0, 1}, {1, 0}} {
			t.Run(fmt.Sprint(to, order), func(t *testing.T) {
				t.Parallel()
				undoneAndRestored(t, to, order)
			})
		}
	}
}

func undoneAndRestored(t *testing.T, to string, order [2]int) {
	t.Helper()
	w := newWorld(t)
	backups := map[string]*pgtest.Backup{}
	phones := []*phone{w.phone("lin"), w.phone("zhou")}
	var all [2][]record.Mutation
	var shops, visits [2]record.ID
	sync := func() {
		for range 2 {
			for i, p := range phones {
				all[i] = append(all[i], p.outbox...)
				p.sync()
				w.settles()
			}
		}
	}
	shops = [2]record.ID(record.SortedIDs([]record.ID{w.id(), w.id()})) // the lesser goes on
	for i, p := range phones {
		p.pull()
		p.typed(record.Edit{Op: record.OpCreate, Kind: "account", ID: shops[i], Set: shopValues(i)})
		visits[i] = p.create("visit", values("account", shops[i], "summary", "好"))
		w.pass(time.Minute)
	}
	backups["before both"] = w.backup()
	sync()
	require.False(t, phones[1].has(shops[1]))
	backups["after the merge"] = w.backup()
	phones[1].edit(shops[1].Derive("merge_redirect"), values("state", "split"))
	sync()
	require.True(t, phones[1].has(shops[1]) && phones[0].has(shops[0]))
	backups["after the undo"] = w.backup()
	phones[0].edit(shops[0], values("remark", "later"))
	phones[1].edit(shops[1], values("remark", "later"))
	sync()
	epoch := phones[0].epoch

	w.restored(backups[to])
	for range 2 { // and once more, because the answer was lost
		for _, i := range order {
			for _, out := range phones[i].give(phones[i].journal(all[i], epoch, 1)) {
				require.NotEqual(t, record.Refused, out.Result, "%+v", out.Refusal)
			}
		}
	}
	w.settles()

	for i, p := range phones {
		p.restart()
		p.pull()
		require.Equal(t, []bool{i == 0, i == 1}, []bool{p.has(shops[0]), p.has(shops[1])}, "each has his own: %d", i)
		require.Equal(t, shops[i].String(), p.text(visits[i], "account"))
		require.Equal(t, 1, p.count("visit"))
		require.Equal(t, shopValues(i).Text("name"), p.text(shops[i], "name"))
		require.JSONEq(t, string(shopValues(i).Get("points")), p.base[shops[i]].set["points"])
		require.JSONEq(t, string(shopValues(i).Get("tags")), p.base[shops[i]].set["tags"])
		require.Equal(t, "later", p.text(shops[i], "remark"))
		require.Equal(t, "dismissed", p.text(apartOf(shops[0], shops[1]), "state"), "and they are not found to be one again")
	}
	require.Empty(t, w.inspect(false))
}
