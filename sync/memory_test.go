package sync_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync"
)

// Nothing is forgotten up to half of the limit; past it, what was not asked for
// since the last time goes.
func TestRecent_limit(t *testing.T) {
	t.Parallel()

	r := sync.NewRecent(200)
	r.Put("a", 60)
	r.Put("b", 40)
	r.Turn()
	require.Equal(t, []int{60, 40}, []int{r.Get("a"), r.Get("b")}, "at half of the limit")
	r.Put("c", 1)
	r.Turn() // one past it: all of these are old now
	require.Equal(t, 60, r.Get("a"), "asked for, and young again")
	r.Put("d", 40)
	r.Turn()
	require.Equal(t, 40, r.Get("b"), "100 are young: still at half")
	r.Turn()
	require.Zero(t, r.Get("c"), "nobody has asked")
	require.Equal(t, []int{60, 40, 40}, []int{r.Get("a"), r.Get("b"), r.Get("d")})
}

func TestRecent_putAgain(t *testing.T) {
	t.Parallel()

	r := sync.NewRecent(200)
	for range 100 {
		r.Put("a", 60)
		r.Put("b", 40)
		r.Turn()
	}

	require.Equal(t, []int{60, 40}, []int{r.Get("a"), r.Get("b")}, "the same again weighs no more")
}

// What a server remembers is of no use when another has committed since: it
// neither writes over it nor answers from it.
func TestMemory_anotherServer(t *testing.T) {
	t.Parallel()

	for _, remember := range []int{1, sync.MaxRemembered} {
		t.Run(fmt.Sprint(remember), func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			lin, chen, shop := twoOn(w)
			one, other := w.server(w.pool), w.server(w.pool)
			one.Remember(remember)
			other.Remember(remember)
			inc := func(p *phone) {
				edit := p.change(shop)
				edit.Inc = values("points", 1)
				p.typed(edit)
			}
			for range 5 {
				for _, server := range []*sync.Engine{one, one, other} {
					w.engine = server
					inc(lin)
					lin.push()
					inc(chen)
					chen.push()
				}
			}

			lin.sync()
			require.Equal(t, "30", lin.raw(shop, "points"))
			w.engine = one
			visit := lin.create("visit", values("account", shop, "summary", "一"))
			lin.push()
			w.engine = other
			chen.sync()
			chen.remove(visit)
			chen.push()
			w.engine = one
			lin.edit(visit, values("summary", "二"))
			require.Equal(t, record.Merged, lin.push()[0].Result, "it was deleted elsewhere and comes back")
			w.entries()
		})
	}
}

// A sign-in adds a replica without moving the log.
func TestMemory_newReplica(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, _ := twoOn(w)
	lin.create("account", values("name", "一"))
	lin.push()
	late := w.phone("lin")
	late.replica = "0000002"
	late.create("account", values("name", "二"))
	_, err := late.send(late.bytes(1))
	require.Equal(t, "replica", errs.CodeOf(err), "nobody has claimed it yet")
	_, err = w.pool.Exec(t.Context(), `INSERT INTO replicas (org, id, device, person) VALUES ($1, 2, $2, $3)`,
		w.org, late.who.Device, late.who.Person)
	require.NoError(t, err)

	out := late.push()

	require.Equal(t, record.Applied, out[0].Result)
}

// A server that has something in hand and remembers little takes what is created
// for new. When it is not, the verdict is all the same that of one who looked.
func TestMemory_takenForNew(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	zhou := w.phone("zhou")
	theirs := zhou.create("account", values("name", "周的"))
	zhou.push()
	forgetful := w.server(w.pool)
	w.engine = forgetful
	chen.create("account", values("name", "先"))
	chen.push()

	again := lin.create("account", values("name", "同一家")) // under an id that is there
	lin.outbox[0].Edits[0].ID = shop
	same := lin.push()
	lin.create("account", values("name", "别人的"))
	lin.outbox[0].Edits[0].ID = theirs
	hidden := lin.push()
	lin.create("account", values("name", 7))
	lin.outbox[0].Edits[0].ID = theirs
	refused := lin.push()

	require.NotEqual(t, again, shop)
	require.Equal(t, record.Applied, same[0].Result)
	lin.sync()
	require.Equal(t, []string{"同一家", "旺"}, []string{lin.text(shop, "name"), lin.text(shop, "short_name")}, "an edit of what is there")
	require.Equal(t, "missing", refusalCode(hidden[0]))
	require.Equal(t, "missing", refusalCode(refused[0]), "and not what is wrong with it: it is not there for lin")
	w.entries()
}

// The same mutation under two names is one, also for a server that does not
// look.
func TestMemory_twin(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, shop := twoOn(w)
	edit := lin.change(shop)
	edit.Inc = values("points", 1)
	lin.typed(edit)
	first := lin.outbox[0]
	lin.push()
	w.engine = w.server(w.pool)
	lin.create("account", values("name", "先"))
	lin.push()
	lin.replica, lin.n = w.claim(lin.who), 1
	first.N = 1
	lin.outbox = []record.Mutation{first}
	lin.names = map[uint64]record.ID{1: first.ID}

	out := lin.push()

	require.True(t, out[0].Repeated)
	lin.sync()
	require.Equal(t, "1", lin.raw(shop, "points"))
}

// Many phones count the same thing through two servers at once, one of which
// loses its connections now and then, while gathers are worked out on others
// that are on their way. Every tap that was answered, or sent again until it
// was, counts once.
func TestMemory_overlap(t *testing.T) {
	t.Parallel()

	const phones, pushes = 12, 15
	w := newWorld(t)
	lin, _, shop := twoOn(w)
	frail := &unsteady{rng: rand.New(rand.NewPCG(5, 5))}
	servers := []*sync.Engine{
		w.server(w.poolLike(func(c *pgxpool.Config) { through(c, func(conn net.Conn) net.Conn { return hesitant{conn} }) })),
		w.server(w.poolLike(func(c *pgxpool.Config) {
			c.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
			through(c, func(conn net.Conn) net.Conn { return frail.over(hesitant{conn}) })
		})),
	}
	var g errgroup.Group
	for i := range phones {
		p := w.phone([]string{"lin", "chen"}[i%2])
		g.Go(func() error {
			for n := range pushes {
				edit := record.Edit{Op: record.OpEdit, Kind: "account", ID: shop, Inc: values("points", 1)}
				p.typed(edit)
				p.create("account", values("name", fmt.Sprintf("%d of %d", n, i)))
				body := p.bytes(len(p.outbox))
				for tries := 0; ; tries++ {
					answer, err := servers[(i+n+tries)%2].Push(context.Background(), p.who, p.w.read(body))
					if err == nil {
						p.settle(answer.Outcomes)
						break
					}
					if errs.KindOf(err) != errs.Busy {
						return err
					}
				}
			}
			return nil
		})
	}

	require.NoError(t, g.Wait())

	require.Positive(t, frail.cuts(), "some must have been lost")
	lin.sync()
	require.Equal(t, fmt.Sprint(phones*pushes), lin.raw(shop, "points"))
	w.entries() // the log is whole
}
