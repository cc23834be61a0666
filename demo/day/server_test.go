package day_test

import (
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/api"
	"roadbook/demo"
	"roadbook/modules/approvals"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/sync/online"
	"roadbook/telemetry"
)

// server is the real one, in this process, on a database of its own. Its clock
// can be put forward.
type server struct {
	url    string
	ahead  atomic.Int64
	pool   *pgxpool.Pool
	engine *sync.Engine
	people *people.Service

	metrics *telemetry.Metrics
	log     logged
}

func (s *server) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

func (s *server) later(d time.Duration) { s.ahead.Add(int64(d)) }

func newID() record.ID { return record.ID(uuid.Must(uuid.NewV7())) }

func draw() int32 { return rand.Int32N(1<<31-2) + 1 }

// emptyServer has no org.
func emptyServer(t *testing.T) *server {
	t.Helper()

	s := &server{pool: pgtest.DB(t), metrics: telemetry.NewMetrics(telemetry.MetricsOptions{Kinds: []string{"account"}})}
	log := telemetry.New(&s.log, telemetry.Options{Format: "json", Level: slog.LevelDebug})
	key := []byte("the key of these tests, 32 bytes")
	s.engine = sync.New(sync.Config{
		Store: store.New(s.pool), Rules: []sync.Rule{people.Rule{}}, Processes: []sync.Process{approvals.NewProcess()}, Key: key, Now: s.now, Draw: draw,
		Fault: func(err error) { t.Log("fault:", err) }, Log: log, Metrics: s.metrics,
	})
	t.Cleanup(s.engine.Close)
	s.people = people.New(people.Config{
		Pool: s.pool, Key: key, Now: s.now, Draw: draw, NewID: newID, NewToken: uuid.NewString,
	})
	records := online.New(s.engine, key, s.now)
	asked := &approvals.Service{Engine: s.engine, Records: records, Now: s.now}
	handler := api.New(api.Config{
		Line: s.engine, SignIn: s.people, Ready: s.pool.Ping, Log: log,
		Online: func() (api.Records, error) { return records, nil }, Approvals: func() (api.Approvals, error) { return asked, nil },
		Now: s.now, NewID: uuid.NewString, Metrics: s.metrics,
	}).Handler()
	served := httptest.NewServer(handler)
	t.Cleanup(served.Close)
	s.url = served.URL
	return s
}

// newServer has a small demo org, in which lin has 14 customers.
func newServer(t *testing.T) *server {
	t.Helper()

	s := emptyServer(t)
	org, err := s.people.CreateOrg(t.Context(), demo.Name)
	require.NoError(t, err)
	require.NoError(t, s.engine.Publish(t.Context(), org, shipped.Schema()))
	plan := demo.New(demo.Options{Midnight: demo.Midnight(s.now()), Accounts: 100, Visits: 300, FollowUps: 100})
	var batch []sync.Proposal
	for item := range plan.Proposals() {
		batch = append(batch, proposal(item))
	}
	outcomes, err := s.engine.Commit(t.Context(), org, batch)
	require.NoError(t, err)
	for _, o := range outcomes {
		require.NotEqual(t, record.Refused, o.Result, "%+v", o.Refusal)
	}
	for _, login := range []string{"lin", "zhou", "he", "chen", "admin"} {
		require.NoError(t, s.people.SetPassword(t.Context(), org, demo.PersonID(login), login, demo.Password))
	}
	return s
}

// proposal leaves the founding to the server itself, for nobody is there yet.
func proposal(item demo.Item) sync.Proposal {
	p := sync.Proposal{Person: item.Person, Mutation: item.Mutation}
	if e := p.Mutation.Edits[0]; e.Kind == "unit" || e.Kind == "user" {
		p.Person = record.NoID
	}
	p.Mutation.Schema = shipped.Schema().Version
	return p
}
