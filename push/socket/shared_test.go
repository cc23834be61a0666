package socket_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync/wire"
)

// Whatever happens, each frame is what a pull from the same place answers, and
// whoever got none had nothing to get.
func TestSocket_framesArePulls(t *testing.T) {
	t.Parallel()

	s := newServer(t)
	o := s.newOrg("acme")
	rng := rand.New(rand.NewPCG(7, 7))
	people := []string{"lin", "zhou", "chen", "lin", "chen", "lin"}
	records := []record.ID{newID()}
	o.commit(record.Edit{Op: record.OpCreate, Kind: "account", ID: records[0], Set: values("name", "first", "owner", o.person("lin"))})
	var lines []*line
	for i, login := range people {
		var want *wire.Want
		if i == len(people)-1 {
			want = &wire.Want{Kinds: []string{"account", "product"}}
		}
		d := o.wanting(login, want)
		lines = append(lines, d.listen().says(d.cursor).settled())
	}
	stats := s.hub.Stats()
	woken := stats.Wakes.Load() // by what was committed before, and heard of late
	for range 90 {
		o.something(rng, &records)

		for _, l := range lines {
			head := o.head()
			if wire.Quiet(l.d.page(l.d.cursor)) {
				continue
			}
			f := l.next()
			requirePage(t, l.d, l.d.cursor, f)
			require.Equal(t, head, o.head())
			l.d.cursor = f.Cursor
		}
	}
	for _, l := range lines {
		l.quiet()
		require.Empty(t, l.frames)
	}
	require.Positive(t, stats.Shared.Load())
	require.Equal(t, woken, stats.Wakes.Load())
	t.Logf("%d frames, %d of them from what was read for all", stats.Frames.Load(), stats.Shared.Load())
}

// something happens to the org.
func (o *org) something(rng *rand.Rand, records *[]record.ID) {
	o.s.t.Helper()
	whose := o.person([]string{"lin", "zhou"}[rng.IntN(2)])
	rec := (*records)[rng.IntN(len(*records))] // nothing hangs below it, so nothing is to be moved after the commit
	switch rng.IntN(9) {
	case 7:
		id := newID()
		o.products = append(o.products, id)
		o.commit(record.Edit{Op: record.OpCreate, Kind: "product", ID: id, Set: values("name", "酱油", "code", id.String())})
	case 8:
		if len(o.products) > 0 {
			o.commit(record.Edit{Op: record.OpEdit, Kind: "product", ID: o.products[rng.IntN(len(o.products))], Set: values("name", newID().String())})
		}
	case 0, 1:
		id := newID()
		*records = append(*records, id)
		o.commit(record.Edit{Op: record.OpCreate, Kind: "account", ID: id, Set: values("name", "new", "owner", whose)})
	case 2:
		o.commit(record.Edit{Op: record.OpEdit, Kind: "account", ID: rec, Set: values("owner", whose)})
	case 3:
		o.commit(record.Edit{Op: record.OpEdit, Kind: "account", ID: rec, Add: []record.Value{values("collaborators", []record.ID{whose})[0]}})
	case 4:
		o.commit(record.Edit{Op: record.OpCreate, Kind: "contact", ID: newID(), Set: values("account", o.customer, "name", "王芳")})
	default:
		o.commit(record.Edit{Op: record.OpEdit, Kind: "account", ID: rec, Set: values("remark", newID().String())})
	}
}

// head is how far the log goes.
func (o *org) head() (seq record.Seq) {
	o.s.t.Helper()
	require.NoError(o.s.t, o.s.pool.QueryRow(o.s.t.Context(), `SELECT seq FROM heads WHERE org = $1`, o.id).Scan(&seq))
	return seq
}
