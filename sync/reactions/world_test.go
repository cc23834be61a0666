package reactions_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/store/pg"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/sync/history"
	"roadbook/sync/reactions"
	"roadbook/version"
)

var seedID = record.MustID("0190aaaa-0000-7000-8000-000000000001")

// world is an org without people, written by the server.
type world struct {
	t      testing.TB
	pool   *pgxpool.Pool
	engine *sync.Engine
	org    record.OrgID
	made   int
	faults []error
}

func draw() int32 { return rand.Int32N(1<<31-2) + 1 }

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, pool: pgtest.DB(t)}
	w.engine = sync.New(sync.Config{Store: store.New(w.pool), Key: []byte("a key of these tests, 32 bytes.."), Now: time.Now, Draw: draw})
	t.Cleanup(w.engine.Close)
	var err error
	w.org, err = store.CreateOrg(t.Context(), w.pool, store.NewOrg{Name: "acme", UID: seedID, Epoch: "e1", Draw: draw})
	require.NoError(t, err)
	require.NoError(t, w.engine.Publish(t.Context(), w.org, shipped.Schema()))
	_, err = w.pool.Exec(t.Context(), "CREATE TABLE told (shop uuid NOT NULL)")
	require.NoError(t, err)
	return w
}

func values(pairs ...string) (vs record.Values) {
	for i := 0; i < len(pairs); i += 2 {
		raw, _ := json.Marshal(pairs[i+1])
		vs = append(vs, record.Value{Field: pairs[i], Raw: raw})
	}
	return vs
}

func (w *world) propose(edits ...record.Edit) record.Outcome {
	w.t.Helper()
	w.made++
	id := seedID.Derive("proposal " + time.Duration(w.made).String())
	out, err := w.engine.Commit(context.Background(), w.org, []sync.Proposal{
		{Mutation: record.Mutation{ID: id, Stamp: version.StampAt(time.Now()), Edits: edits}},
	})
	require.NoError(w.t, err)
	return out[0]
}

// shop makes a customer.
func (w *world) shop(name string) record.ID {
	w.t.Helper()
	id := seedID.Derive("shop " + name)
	require.Equal(w.t, record.Applied, w.propose(record.Edit{Op: record.OpCreate, Kind: "account", ID: id, Set: values("name", name)}).Result)
	return id
}

// task is the one that follows from a shop.
func task(shop record.ID) record.ID { return shop.Derive("welcome") }

// welcomes makes a task for each new customer, and says so in a table.
type welcomes struct {
	fails func(c *reactions.Change) error // before the changes are read
	later func() error                    // in the transaction in which the reaction moves on
	seen  []record.Seq
}

func (r *welcomes) Name() string    { return "welcomes" }
func (r *welcomes) Kinds() []string { return []string{"account"} }

func (r *welcomes) React(ctx context.Context, view reactions.View, c *reactions.Change) (out reactions.Effects, err error) {
	if !slices.ContainsFunc(c.Edits, func(e history.Logged) bool { return e.Kind == "account" && e.New }) {
		return out, nil // a task has touched its customer
	}
	r.seen = append(r.seen, c.Seq)
	if r.fails != nil {
		if err := r.fails(c); err != nil {
			return out, err
		}
	}
	for _, e := range c.Edits {
		shop, err := view.Record(ctx, e.ID)
		if err != nil {
			return out, err
		}
		out.Edits = append(out.Edits, []record.Edit{{
			Op: record.OpCreate, Kind: "task", ID: task(e.ID), Set: values("title", "welcome "+shop.Text("name"), "account", e.ID.String()),
		}})
		out.Later = append(out.Later, func(ctx context.Context, tx pg.Tx) error {
			if _, err := tx.Exec(ctx, "INSERT INTO told VALUES ($1)", [16]byte(e.ID)); err != nil {
				return err
			}
			if r.later != nil {
				return r.later()
			}
			return nil
		})
	}
	return out, nil
}

func (w *world) runner(all ...reactions.Reaction) *reactions.Runner {
	return &reactions.Runner{
		Engine: w.engine, Reactions: all, Now: time.Now, Fault: func(err error) { w.faults = append(w.faults, err) },
	}
}

// count counts rows.
func (w *world) count(sql string, args ...any) (n int) {
	w.t.Helper()
	require.NoError(w.t, w.pool.QueryRow(context.Background(), sql, args...).Scan(&n))
	return n
}

// followed makes sure that of each shop one task and one row have come.
func (w *world) followed(shops ...record.ID) {
	w.t.Helper()
	for _, s := range shops {
		require.Equal(w.t, 1, w.count("SELECT count(*) FROM records WHERE org = $1 AND id = $2", w.org, [16]byte(task(s))))
		require.Equal(w.t, 1, w.count("SELECT count(*) FROM told WHERE shop = $1", [16]byte(s)))
	}
	require.Equal(w.t, len(shops), w.count("SELECT count(*) FROM told"))
}

// to lets a reaction come to the end of the log, and returns the first error. The
// connection of a server that has just died may hold its place for a moment.
func (w *world) to(r *reactions.Runner, re reactions.Reaction) error {
	w.t.Helper()
	for {
		more, err := r.Step(context.Background(), w.org, re)
		if err != nil {
			return err
		}
		behind, err := w.engine.Store.Behind(context.Background(), []string{re.Name()})
		if err != nil || !more && len(behind) == 0 {
			return err
		}
	}
}
