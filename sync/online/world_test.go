package online_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
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
	"roadbook/sync/online"
	"roadbook/version"
)

// world is an org on a database of its own: a manager, chen, over a team of
// lin and zhou; he at the service desk, fin in finance, admin.
type world struct {
	t      testing.TB
	pool   *pgxpool.Pool
	engine *sync.Engine
	online *online.Service
	org    record.OrgID
	schema *record.Schema

	mu    stdsync.Mutex
	clock time.Time
	rng   *rand.Rand
	made  int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		t: t, pool: pgtest.DB(t), clock: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC), rng: rand.New(rand.NewPCG(1, 2)),
		schema: shipped.Schema(),
	}
	w.engine = w.server()
	w.online = online.New(w.engine, key, w.now)
	w.org = w.newOrg("acme")
	return w
}

// key signs cursors and places.
var key = []byte("a key of these tests, 32 bytes..")

// server is one more server on the same database, which does little at a time.
func (w *world) server() *sync.Engine {
	e := sync.New(sync.Config{
		Store: store.New(w.pool), Rules: []sync.Rule{people.Rule{}}, Key: key, Now: w.now, Draw: w.draw, AtOnce: 7,
		Fault: func(err error) { w.t.Log("fault:", err) },
	})
	w.t.Cleanup(e.Close)
	return e
}

func (w *world) newOrg(name string) (org record.OrgID) {
	w.t.Helper()
	ctx := context.Background()
	require.NoError(w.t, pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) (err error) {
		org, err = store.CreateOrg(ctx, tx, store.NewOrg{Name: name, UID: w.id(), Epoch: "e1", Draw: w.draw})
		return err
	}))
	require.NoError(w.t, w.engine.Publish(ctx, org, w.schema))
	team := person(org, "team")
	edits := []record.Edit{{Op: record.OpCreate, Kind: "unit", ID: team, Set: values("name", "team", "kind", "team", "status", "active")}}
	for _, p := range []struct{ login, role string }{
		{"admin", "admin"}, {"chen", "manager"}, {"lin", "rep"}, {"zhou", "rep"}, {"gao", "rep"}, {"he", "service"}, {"fin", "finance"},
	} {
		set := values("login", p.login, "name", p.login, "roles", []string{p.role}, "status", "active", "owner", person(org, p.login))
		if p.login == "lin" || p.login == "zhou" {
			set = append(set, record.Value{Field: "unit", Raw: js(team)})
		}
		edits = append(edits, record.Edit{Op: record.OpCreate, Kind: "user", ID: person(org, p.login), Set: set})
	}
	w.propose(org, edits...)
	w.propose(org, record.Edit{Op: record.OpEdit, Kind: "unit", ID: team, Set: values("manager", person(org, "chen"))})
	return org
}

// propose commits edits of the server itself.
func (w *world) propose(org record.OrgID, edits ...record.Edit) {
	w.t.Helper()
	out, err := w.engine.Commit(context.Background(), org, []sync.Proposal{{Mutation: record.Mutation{
		ID: w.id(), Stamp: version.StampAt(w.now()), Edits: edits,
	}}})
	require.NoError(w.t, err)
	require.NotEqual(w.t, record.Refused, out[0].Result, "%+v", out[0].Refusal)
}

// person is the id that a login has in these tests.
func person(org record.OrgID, login string) record.ID {
	return record.MustID("0190aaaa-0000-7000-8000-000000000001").Derive(fmt.Sprint(org, login))
}

// who is somebody at a browser of his own.
func (w *world) who(login string) access.Caller { return w.at(w.org, login) }

func (w *world) at(org record.OrgID, login string) access.Caller {
	id := person(org, login)
	return access.Caller{Org: org, Person: id, Device: id.Derive("browser")}
}

// write is a change that must not be refused.
func (w *world) write(login string, edits ...record.Edit) record.Outcome {
	w.t.Helper()
	out, err := w.online.Write(context.Background(), w.who(login), record.Mutation{ID: w.id(), Edits: edits})
	require.NoError(w.t, err)
	require.NotEqual(w.t, record.Refused, out.Result, "%+v", out.Refusal)
	return out
}

// create makes a record that belongs to whoever makes it.
func (w *world) create(login, kind string, pairs ...any) record.ID {
	w.t.Helper()
	id := w.id()
	w.write(login, record.Edit{Op: record.OpCreate, Kind: kind, ID: id, Set: values(pairs...)})
	return id
}

func edit(kind string, id record.ID, seen record.Seq, pairs ...any) record.Edit {
	return record.Edit{Op: record.OpEdit, Kind: kind, ID: id, Seen: version.Vector{version.Log: uint64(seen)}, Set: values(pairs...)}
}

func (w *world) get(login, kind string, id record.ID) online.Record {
	w.t.Helper()
	rec, err := w.online.Get(context.Background(), w.who(login), kind, id)
	require.NoError(w.t, err)
	return rec
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

// id grows, as ids made on devices do.
func (w *world) id() record.ID {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.made++
	return record.MustID(fmt.Sprintf("0190bbbb-%04x-7000-8%03x-%012x", w.made, w.rng.IntN(1<<12), w.made))
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
