package api_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/api"
	device "roadbook/clients/go"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/version"
)

// whole is the real thing on a loopback address: sign-in, engine and database.
// It has one org, demo, in which lin is a rep.
type whole struct {
	t      testing.TB
	pool   *pgxpool.Pool
	engine *sync.Engine
	people *people.Service
	server *httptest.Server
	org    record.OrgID
	now    func() time.Time
}

func newID() record.ID { return record.ID(uuid.Must(uuid.NewV7())) }

const wholePassword = "correct horse"

// newWhole serves; change may set what it likes.
func newWhole(t testing.TB, pool *pgxpool.Pool, now func() time.Time, change func(*api.Config)) *whole {
	t.Helper()
	key := []byte(strings.Repeat("k", 32))
	draw := func() int32 { return rand.Int32N(1<<31-2) + 1 }
	w := &whole{t: t, pool: pool, now: now}
	w.engine = sync.New(sync.Config{
		Store: store.New(pool), Rules: []sync.Rule{people.Rule{}}, Key: key, Now: now, Draw: draw,
		Fault: func(err error) { t.Log("fault:", err) },
	})
	t.Cleanup(w.engine.Close)
	w.people = people.New(people.Config{Pool: pool, Key: key, Now: now, Draw: draw, NewID: newID, NewToken: uuid.NewString})
	w.found()
	c := api.Config{
		Line: w.engine, SignIn: w.people, Ready: pool.Ping, Log: slog.New(slog.DiscardHandler),
		Now: now, NewID: uuid.NewString,
	}
	if change != nil {
		change(&c)
	}
	w.server = httptest.NewUnstartedServer(nil)
	w.server.Config = api.NewHTTPServer(api.New(c).Handler())
	w.server.Start()
	t.Cleanup(w.server.Close)
	return w
}

// found makes the org with its only rep. A password costs as much as one does;
// cheap makes it cost nothing.
func (w *whole) found() {
	w.t.Helper()
	ctx := context.Background()
	var err error
	w.org, err = w.people.CreateOrg(ctx, "demo")
	require.NoError(w.t, err)
	require.NoError(w.t, w.engine.Publish(ctx, w.org, shipped.Schema()))
	lin := newID()
	set, err := record.ParseValues([]byte(`{"login":"lin","name":"lin","roles":["rep"],"status":"active","owner":"` + lin.String() + `"}`))
	require.NoError(w.t, err)
	out, err := w.engine.Commit(ctx, w.org, []sync.Proposal{{Mutation: record.Mutation{
		ID: newID(), Stamp: version.StampAt(w.now()),
		Edits: []record.Edit{{Op: record.OpCreate, Kind: "user", ID: lin, Set: set}},
	}}})
	require.NoError(w.t, err)
	require.Nil(w.t, out[0].Refusal)
	require.NoError(w.t, w.people.SetPassword(ctx, w.org, lin, "lin", wholePassword))
}

// phone is a device in memory; http may be nil.
func (w *whole) phone(client *http.Client, change func(*device.Config)) *device.Device {
	w.t.Helper()
	if client == nil {
		client = w.server.Client()
	}
	cfg := device.Config{BaseURL: w.server.URL, HTTP: client, Now: w.now, NewID: newID, Kind: "phone"}
	if change != nil {
		change(&cfg)
	}
	d, err := device.Open(cfg)
	require.NoError(w.t, err)
	return d
}

func testPool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return pgtest.DB(t)
}
