package sync_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	stdsync "sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/sync/wire"
	"roadbook/version"
)

// world is an org on a database of its own: a manager, chen, over a team of
// lin and zhou; he at the service desk, fin in finance, admin.
type world struct {
	t      testing.TB
	pool   *pgxpool.Pool
	engine *sync.Engine
	org    record.OrgID
	schema *record.Schema
	person func(org record.OrgID, login string) record.ID // the id that a login has

	mu    stdsync.Mutex
	clock time.Time
	rng   *rand.Rand
	made  int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return worldOn(t, pgtest.DB(t))
}

// worldOn is newWorld on a given database.
func worldOn(t testing.TB, pool *pgxpool.Pool) *world {
	t.Helper()
	w := newEarth(t, pool, 1)
	w.org = w.newOrg("acme")
	return w
}

// newEarth is a world without an org, with its own engine and clock, on a
// database that it may share with others.
func newEarth(t testing.TB, pool *pgxpool.Pool, seed uint64) *world {
	t.Helper()
	w := &world{
		t: t, pool: pool, schema: shipped.Schema(), person: person,
		clock: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC), rng: rand.New(rand.NewPCG(seed, 2)),
	}
	w.engine = w.server(pool)
	return w
}

// server is one more server on the same database.
func (w *world) server(pool *pgxpool.Pool) *sync.Engine {
	w.t.Helper()
	e := sync.New(sync.Config{
		Store: store.New(pool), Rules: []sync.Rule{people.Rule{}}, Key: []byte("a key of these tests, 32 bytes.."),
		Now: w.now, Draw: w.draw, Fault: func(err error) { w.t.Log("fault:", err) },
	})
	w.t.Cleanup(e.Close)
	return e
}

// newOrg makes an org with its people.
func (w *world) newOrg(name string) record.OrgID {
	w.t.Helper()
	ctx := context.Background()
	var org record.OrgID
	require.NoError(w.t, pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) (err error) {
		org, err = store.CreateOrg(ctx, tx, store.NewOrg{Name: name, UID: w.id(), Epoch: "e1", Draw: w.draw})
		return err
	}))
	require.NoError(w.t, w.engine.Publish(ctx, org, w.schema))
	team := w.person(org, "team")
	edits := []record.Edit{{Op: record.OpCreate, Kind: "unit", ID: team, Set: values("name", "team", "kind", "team", "status", "active")}}
	for _, p := range []struct{ login, role string }{
		{"admin", "admin"}, {"chen", "manager"}, {"lin", "rep"}, {"zhou", "rep"}, {"gao", "rep"}, {"he", "service"}, {"fin", "finance"},
	} {
		set := values("login", p.login, "name", p.login, "roles", []string{p.role}, "status", "active", "owner", w.person(org, p.login))
		if p.login == "lin" || p.login == "zhou" {
			set = append(set, record.Value{Field: "unit", Raw: js(team)})
		}
		edits = append(edits, record.Edit{Op: record.OpCreate, Kind: "user", ID: w.person(org, p.login), Set: set})
	}
	w.propose(org, edits...)
	w.propose(org, record.Edit{Op: record.OpEdit, Kind: "unit", ID: team, Set: values("manager", w.person(org, "chen"))})
	return org
}

// person is the id that a login has in these tests.
func person(org record.OrgID, login string) record.ID {
	return record.MustID("0190aaaa-0000-7000-8000-000000000001").Derive(strconv.Itoa(int(org)) + login)
}

func (w *world) propose(org record.OrgID, edits ...record.Edit) record.Outcome {
	w.t.Helper()
	out, err := w.engine.Commit(context.Background(), org, []sync.Proposal{{Mutation: record.Mutation{
		ID: w.id(), Stamp: version.StampAt(w.now()), Edits: edits,
	}}})
	require.NoError(w.t, err)
	require.Len(w.t, out, 1)
	require.NotEqual(w.t, record.Refused, out[0].Result, "%+v", out[0].Refusal)
	return out[0]
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

func (w *world) draw() int32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.Int32N(1<<31-2) + 1
}

func (w *world) id() record.ID {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.made++
	return record.MustID(fmt.Sprintf("0190bbbb-%04x-7000-8000-%012x", w.rng.IntN(1<<16), w.made))
}

func js(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func values(pairs ...any) record.Values {
	var vs record.Values
	for i := 0; i < len(pairs); i += 2 {
		vs = append(vs, record.Value{Field: pairs[i].(string), Raw: js(pairs[i+1])})
	}
	return vs
}

// claim gives a device a new replica, as signing in with an empty store does.
func (w *world) claim(who access.Caller) version.Replica {
	w.t.Helper()
	var r store.Replica
	require.NoError(w.t, pgx.BeginFunc(context.Background(), w.pool, func(tx pgx.Tx) (err error) {
		r, err = store.ClaimReplica(context.Background(), tx, who.Org, who.Device, who.Person, true, w.draw)
		return err
	}))
	return r.Name
}

// refusalCode is why a mutation was refused, "" if it was not.
func refusalCode(o record.Outcome) string {
	if o.Refusal == nil {
		return ""
	}
	return o.Refusal.Code
}

// read is a push as a server gets it.
func (w *world) read(body []byte) *wire.Push {
	w.t.Helper()
	frame, err := wire.ReadPush(slices.Clone(body))
	require.NoError(w.t, err)
	return frame
}

// entries are all rows of the log. That they follow each other without a gap,
// and that the chain holds from the first on, is made sure of on the way.
func (w *world) entries() (rows []store.Entry) {
	w.t.Helper()
	ctx := context.Background()
	require.NoError(w.t, store.New(w.pool).Snapshot(ctx, w.org, func(tx store.Tx, head store.Head) error {
		chain := make([]byte, 32)
		for seq := record.Seq(1); seq <= head.Seq; seq++ {
			e, err := tx.Entry(ctx, seq)
			require.NoError(w.t, err, "the log has a gap")
			next, err := tx.Chain(ctx, seq)
			require.NoError(w.t, err)
			chain = e.Link(chain)
			require.Equal(w.t, chain, next, "the chain at %d", seq)
			rows = append(rows, e)
		}
		require.Equal(w.t, head.Chain, chain)
		return nil
	}))
	return rows
}
