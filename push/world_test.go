package push_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/jobs"
	"roadbook/modules/people"
	"roadbook/push"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/sync/reactions"
	"roadbook/version"
)

var seedID = record.MustID("0190aaaa-0000-7000-8000-000000000001")

// world is an org with lin and zhou, two reps, chen, who administers it, and a courier.
type world struct {
	t        *testing.T
	pool     *pgxpool.Pool
	engine   *sync.Engine
	org      record.OrgID
	clock    time.Time
	made     int
	mail     *mailman
	other    *mailman // the next channel
	ended    []record.ID
	courier  *push.Courier
	registry *push.Registry
	queue    *jobs.Queue
}

func draw() int32 { return rand.Int32N(1<<31-2) + 1 }

func person(login string) record.ID { return seedID.Derive(login) }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, pool: pgtest.DB(t), clock: time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC), mail: &mailman{name: "fcm"}, other: &mailman{name: "pigeon"}}
	now := func() time.Time { return w.clock }
	w.engine = sync.New(sync.Config{
		Store: store.New(w.pool), Rules: []sync.Rule{people.Rule{}, push.Rule{}}, Key: []byte("a key of these tests, 32 bytes.."), Now: now, Draw: draw,
	})
	t.Cleanup(w.engine.Close)
	var err error
	w.org, err = store.CreateOrg(t.Context(), w.pool, store.NewOrg{Name: "acme", UID: seedID, Epoch: "e1", Draw: draw})
	require.NoError(t, err)
	require.NoError(t, w.engine.Publish(t.Context(), w.org, shipped.Schema()))
	for login, more := range map[string][]string{"lin": nil, "zhou": {"locale", "en"}, "chen": nil, "gone": {"status", "left"}} {
		set := values(append([]string{"login", login, "name", login, "owner", person(login).String()}, more...)...)
		roles := `["rep"]`
		if login == "chen" {
			roles = `["admin"]`
		}
		set = append(set, record.Value{Field: "roles", Raw: json.RawMessage(roles)})
		w.commit(record.NoID, record.Edit{Op: record.OpCreate, Kind: "user", ID: person(login), Set: set})
	}
	w.registry = push.NewRegistry(w.pool, []push.Channel{w.mail}, now)
	w.courier = push.New(push.Config{
		Pool: w.pool, Engine: w.engine, Jobs: func() *jobs.Queue { return w.queue }, Channels: []push.Channel{w.mail, w.other}, Devices: w, Now: now,
	})
	w.queue, err = jobs.New(jobs.Config{Pool: w.pool, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	w.react()
	return w
}

// Ended implements push.Devices.
func (w *world) Ended(context.Context, record.OrgID, []record.ID) ([]record.ID, error) {
	return w.ended, nil
}

func values(pairs ...string) (vs record.Values) {
	for i := 0; i < len(pairs); i += 2 {
		raw, _ := json.Marshal(pairs[i+1])
		vs = append(vs, record.Value{Field: pairs[i], Raw: raw})
	}
	return vs
}

// commit writes as somebody, or as the server.
func (w *world) commit(who record.ID, edits ...record.Edit) record.Outcome {
	w.t.Helper()
	w.made++
	m := record.Mutation{ID: seedID.Derive("mutation " + strconv.Itoa(w.made)), Stamp: version.StampAt(w.clock), Edits: edits}
	out, err := w.engine.Commit(w.t.Context(), w.org, []sync.Proposal{{Person: who, Mutation: m}})
	require.NoError(w.t, err)
	require.NotEqual(w.t, record.Refused, out[0].Result, "%+v", out[0].Refusal)
	return out[0]
}

// react lets what follows follow.
func (w *world) react() {
	w.t.Helper()
	news, outbox := push.News{}, &push.Outbox{Jobs: w.queue}
	r := &reactions.Runner{Engine: w.engine, Reactions: []reactions.Reaction{news, outbox}, Now: func() time.Time { return w.clock }}
	for _, re := range r.Reactions {
		for more := true; more; {
			var err error
			more, err = r.Step(w.t.Context(), w.org, re)
			require.NoError(w.t, err)
		}
	}
}

// told are somebody's notifications, by code.
func (w *world) told(login string) map[string]*record.Record {
	w.t.Helper()
	all := map[string]*record.Record{}
	err := w.engine.Look(w.t.Context(), access.Caller{Org: w.org}, func(s sync.Sight) error {
		rows, err := w.pool.Query(w.t.Context(), "SELECT id FROM records WHERE org = $1 AND kind = $2 AND owner = $3",
			w.org, s.Schema.Kind("notification").No, [16]byte(person(login)))
		require.NoError(w.t, err)
		defer rows.Close()
		var ids []record.ID
		for rows.Next() {
			var id [16]byte
			require.NoError(w.t, rows.Scan(&id))
			ids = append(ids, id)
		}
		found, err := s.Tx.Records(w.t.Context(), ids)
		require.NoError(w.t, err)
		for i := range found {
			rec, err := found[i].Record(s.Schema)
			require.NoError(w.t, err)
			all[rec.Text("code")] = rec
		}
		return nil
	})
	require.NoError(w.t, err)
	return all
}

// device is one of lin's, which can be reached.
func (w *world) device(token string) access.Caller {
	w.t.Helper()
	who := access.Caller{Org: w.org, Person: person("lin"), Device: seedID.Derive("device " + token)}
	require.NoError(w.t, w.registry.Register(w.t.Context(), who, "fcm", token))
	return who
}

// task gives lin a task and returns the notification of it.
func (w *world) task() *record.Record {
	w.t.Helper()
	w.commit(person("chen"), record.Edit{
		Op: record.OpCreate, Kind: "task", ID: seedID.Derive("task " + strconv.Itoa(w.made)),
		Set: values("title", "call them", "owner", person("lin").String()),
	})
	w.react()
	return w.told("lin")["task_assigned"]
}

// states counts deliveries by what became of them.
func (w *world) states() map[string]int {
	w.t.Helper()
	rows, err := w.pool.Query(w.t.Context(), "SELECT state, count(*) FROM push_deliveries GROUP BY state")
	require.NoError(w.t, err)
	defer rows.Close()
	all := map[string]int{}
	for rows.Next() {
		var state string
		var n int
		require.NoError(w.t, rows.Scan(&state, &n))
		all[state] = n
	}
	return all
}
