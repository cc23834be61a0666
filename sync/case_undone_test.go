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

// One create is like two others, so two merges are in one row of the log. Whichever
// of them is undone, what came from the other stays.
func TestDuplicate_undoneOneOfTwo(t *testing.T) {
	t.Parallel()

	for undone, want := range map[int]map[string]string{
		1: {"short_name": "", "grade": "A", "points": "5", "tags": "丙"},
		2: {"short_name": "旺", "grade": "", "points": "2", "tags": "乙"},
	} {
		w := newWorld(t)
		phones := []*phone{w.phone("lin"), w.phone("gao"), w.phone("zhou")}
		ids := w.ids(3)
		for i, set := range []record.Values{
			values("name", "旺旺一店", "tax_no", "91310000MA1K4XYZ01"),
			values("name", "旺旺", "phones", []string{"13800138000"}, "short_name", "旺", "points", 2, "tags", []string{"乙"}),
			values("name", "旺旺", "phones", []string{"13800138000"}, "tax_no", "91310000MA1K4XYZ01", "grade", "A", "points", 5, "tags", []string{"丙"}),
		} {
			phones[i].pull()
			phones[i].makes(ids[i], "account", set)
			w.pass(time.Minute)
		}
		for _, p := range phones {
			p.sync()
		}
		w.settles()
		lin, his := phones[0], phones[undone]
		lin.pull()
		require.Equal(t, "7", lin.raw(ids[0], "points"), "all three are one")

		his.pull()
		no := his.edit(ids[undone].Derive("merge_redirect"), values("state", "split"))
		his.sync()
		w.settles()
		lin.pull()
		his.pull()

		require.Equal(t, record.Applied, his.outs[no].Result, "%+v", his.outs[no].Refusal)
		require.True(t, his.has(ids[undone]), undone)
		for field, value := range want {
			switch field {
			case "points":
				require.Equal(t, value, lin.raw(ids[0], field), undone)
			case "tags":
				require.JSONEq(t, `["`+value+`"]`, lin.base[ids[0]].set[field], undone)
			default:
				require.Equal(t, value, lin.text(ids[0], field), "%s of %d", field, undone)
			}
		}
		require.Empty(t, w.inspect(false))
	}
}

// Two merges in one row: a repeat says of each what lost there.
func TestDuplicate_repeatOfTwoMerges(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	phones := []*phone{w.phone("chen"), w.phone("chen"), w.phone("chen")}
	ids := w.ids(3)
	for i, set := range []record.Values{
		values("name", "一店", "tax_no", "91310000MA1K4XYZ01", "short_name", "一"),
		values("name", "旺旺", "phones", []string{"13800138000"}, "short_name", "二"),
		values("name", "旺旺", "phones", []string{"13800138000"}, "tax_no", "91310000MA1K4XYZ01", "short_name", "三"),
	} {
		phones[i].makes(ids[i], "account", set)
		w.pass(time.Minute)
	}
	phones[0].push()
	phones[1].push()
	frame := phones[2].bytes(phones[2].ready())
	first := phones[2].push()[0]

	again, err := phones[2].send(frame)
	require.NoError(t, err)
	require.True(t, again[0].Repeated)
	require.Equal(t, clashesOf(first), clashesOf(again[0]))
	lost := map[string]bool{}
	for _, c := range first.Clashes {
		lost[string(c.Lost)] = true
	}
	require.True(t, lost[`"一"`] && lost[`"二"`], "%v", clashesOf(first))
}
