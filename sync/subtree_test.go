package sync_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync"
)

// reads counts the rows that statements of one pool have read, and how many
// statements there were.
type reads struct{ rows, runs atomic.Int64 }

func (r *reads) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

func (r *reads) TraceQueryEnd(_ context.Context, _ *pgx.Conn, q pgx.TraceQueryEndData) {
	r.runs.Add(1)
	if q.CommandTag.Select() {
		r.rows.Add(q.CommandTag.RowsAffected())
	}
}

// counting is one more server, of which it is counted what it reads.
func (w *world) counting(atOnce int) (*sync.Engine, *reads) {
	w.t.Helper()
	r := &reads{}
	e := w.server(w.poolLike(func(c *pgxpool.Config) { c.ConnConfig.Tracer = r }))
	e.Still(atOnce)
	return e, r
}

// bush is a customer of somebody's with so many visits, each with two follow-up
// notes: three levels.
func (w *world) bush(owner string, visits int) (shop record.ID) {
	w.t.Helper()
	shop = w.shops(owner, 1)[0]
	for range visits {
		visit := w.id()
		edits := []record.Edit{{Op: record.OpCreate, Kind: "visit", ID: visit, Set: values("account", shop, "summary", "好")}}
		for range 2 {
			edits = append(edits, record.Edit{
				Op: record.OpCreate, Kind: "conflict", ID: w.id(), Set: values("record", visit, "state", "resolved", "field", "summary"),
			})
		}
		w.propose(w.org, edits...)
	}
	return shop
}

// A chunk reads its own page and no more, however much hangs below what has
// moved and whether it moves or not; and each is few statements.
func TestRescope_readsItsOwnPage(t *testing.T) {
	t.Parallel()

	const atOnce, few = 20, 12
	for _, visits := range []int{10, 80} {
		t.Run(fmt.Sprint(visits), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.engine.Still(atOnce)
			shop := w.bush("lin", visits)
			w.gives(shop, "gao")
			for _, what := range []string{"all of it moves", "nothing does"} {
				e, r := w.counting(atOnce)
				chunks, most, runs := 0, 0, 0
				for more := true; more; chunks++ {
					r.rows.Store(0)
					r.runs.Store(0)
					var err error
					more, err = e.RescopeChunk(t.Context(), w.org)
					require.NoError(t, err)
					most, runs = max(most, int(r.rows.Load())), max(runs, int(r.runs.Load()))
				}

				// its page, which of it are parents, what it hangs under, and what every transaction reads
				require.LessOrEqual(t, most, 2*atOnce+atOnce/4+few, what)
				require.LessOrEqual(t, runs, 2*few, what)
				require.LessOrEqual(t, chunks, 3*visits*4/atOnce+visits/(atOnce/4)+4, what)
				require.Empty(t, w.inspect(false), what)
				w.asksAnew(shop)
			}
		})
	}
}

// asksAnew has the subtree of a record follow again.
func (w *world) asksAnew(top record.ID) {
	w.t.Helper()
	_, err := w.pool.Exec(w.t.Context(), `INSERT INTO rescopes (org, rec, seq) VALUES ($1, $2, 1)`, w.org, top)
	require.NoError(w.t, err)
}

// A page that ends with the last child is looked behind once; one child more is
// on the next page.
func TestRescope_atThePage(t *testing.T) {
	t.Parallel()

	for visits, want := range map[int]int{3: 1, 4: 2, 5: 2} {
		w := newWorld(t)
		w.engine.Still(4)
		shop := w.shops("lin", 1)[0]
		for range visits {
			w.propose(w.org, record.Edit{Op: record.OpCreate, Kind: "visit", ID: w.id(), Set: values("account", shop)})
		}
		w.gives(shop, "gao")

		chunks := 0
		for more := true; more; chunks++ {
			var err error
			more, err = w.engine.RescopeChunk(t.Context(), w.org)
			require.NoError(t, err)
		}

		require.Equal(t, want, chunks-1, "%d visits, and one look that finds nothing", visits)
		require.Empty(t, w.inspect(false))
	}
}

// Between any two chunks the customer changes hands again, or goes below
// another: what is right in the end is so three levels down, on whichever of two
// servers a chunk was worked.
func TestRescope_overtakenBetweenLevels(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.engine.Still(3)
	other := w.server(w.pool)
	other.Still(3)
	shop := w.bush("lin", 7)
	chunk := func(i int) bool {
		more, err := []*sync.Engine{w.engine, other}[i%2].RescopeChunk(t.Context(), w.org)
		require.NoError(t, err)
		return more
	}
	for _, owner := range []string{"gao", "zhou", "lin", "gao"} {
		w.gives(shop, owner)
		for i := range 4 {
			require.True(t, chunk(i))
			require.Empty(t, w.inspect(false), "what has still to follow is known to")
		}
	}

	for i, more := 0, true; more; i++ {
		more = chunk(i)
	}

	require.Empty(t, w.inspect(false))
	require.Zero(t, w.rows(`SELECT count(*) FROM rescopes`))
	gao := w.phone("gao")
	gao.pull()
	require.Equal(t, 7, gao.count("visit"))
	require.Equal(t, 14, gao.count("conflict"))
}

// A chain of parents without an end, which only damage makes, is not followed
// for ever.
func TestRescope_inACircle(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.engine.Still(10)
	shop := w.bush("lin", 1)
	_, err := w.pool.Exec(t.Context(), `UPDATE records r SET parent = (SELECT v.id FROM records v WHERE v.org = $1 AND v.parent = $2)
		WHERE r.org = $1 AND r.id = $2`, w.org, shop)
	require.NoError(t, err)
	w.asksAnew(shop)

	chunks := 0
	for more := true; more; chunks++ {
		more, err = w.engine.RescopeChunk(t.Context(), w.org)
		require.NoError(t, err)
		require.Less(t, chunks, 100)
	}
}

// What refers to a customer that was merged away goes on to refer to what that
// has become, and back when the merge is undone, however much it is.
func TestDuplicate_manyBranches(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct{ branches, atOnce int }{{3, 4}, {4, 4}, {5, 4}, {1001, 1000}} {
		t.Run(fmt.Sprint(tt.branches), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.engine.Still(tt.atOnce)
			phones := []*phone{w.phone("lin"), w.phone("zhou")}
			var shops [2]record.ID
			for i := range phones {
				shops[i] = w.id()
			}
			survivor, dead := shops[0], shops[1]
			if survivor.String() > dead.String() {
				survivor, dead = dead, survivor
			}
			for i, id := range []record.ID{survivor, dead} {
				phones[i].makes(id, "account", values("name", "兴旺超市", "phones", []string{fmt.Sprintf("1390013900%d", i)}))
				phones[i].push()
			}
			for left := tt.branches; left > 0; left -= 50 {
				var edits []record.Edit
				for range min(left, 50) {
					edits = append(edits, record.Edit{Op: record.OpCreate, Kind: "account", ID: w.id(), Set: values("name", "分店", "parent", dead)})
				}
				w.propose(w.org, edits...)
			}
			under := func(id record.ID) int {
				return w.rows(`SELECT count(*) FROM records r WHERE r.org = $1 AND r.fields->>'parent' = $2`, w.org, id.String())
			}
			require.Equal(t, tt.branches, under(dead))

			w.office("account", dead, values("tax_no", "91310000MA1FL0AA1X"))
			w.office("account", survivor, values("tax_no", "91310000MA1FL0AA1X"))
			w.settles()
			require.Equal(t, tt.branches, under(survivor))
			require.Zero(t, under(dead))
			require.Empty(t, w.inspect(false))

			w.office("merge_redirect", dead.Derive("merge_redirect"), values("state", "split"))
			w.settles()
			require.Equal(t, tt.branches, under(dead), "as it was typed")
			require.Empty(t, w.inspect(false))
		})
	}
}
