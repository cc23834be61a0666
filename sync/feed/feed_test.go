package feed_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/sync/feed"
)

const patience = 10 * time.Second

// server is one of several on a database: it commits, and follows what is
// committed.
type server struct {
	t      *testing.T
	pool   *pgxpool.Pool
	engine *sync.Engine
	feed   *feed.Feed
	ticks  chan time.Time
	faults chan error
}

func newServer(t *testing.T, pool *pgxpool.Pool) *server {
	t.Helper()
	s := &server{t: t, pool: pool, ticks: make(chan time.Time), faults: make(chan error, 16)}
	s.engine = sync.New(sync.Config{
		Store: store.New(pool), Key: []byte("a key of these tests, 32 bytes.."), Now: time.Now, Draw: draw,
		Fault: func(err error) { t.Log("fault:", err) },
	})
	t.Cleanup(s.engine.Close)
	s.feed = feed.New(func(err error) { s.faults <- err })
	return s
}

// run lets the feed run until the test ends, and returns once it hears.
func (s *server) run(source feed.Source) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	listening := &ready{Source: source, heard: make(chan struct{}, 16)}
	go s.feed.Run(ctx, listening, s.ticks)
	s.t.Cleanup(func() {
		cancel()
		<-s.feed.Done()
	})
	s.await(listening.heard)
}

// ready tells when a source has begun to hear.
type ready struct {
	feed.Source
	heard chan struct{}
}

func (r *ready) Listen(ctx context.Context, hears func(), moved func(record.OrgID, record.Seq)) error {
	return r.Source.Listen(ctx, func() { hears(); r.heard <- struct{}{} }, moved)
}

func draw() int32 { return rand.Int32N(1<<31-2) + 1 }

func (s *server) newOrg(name string) record.OrgID {
	s.t.Helper()
	id := record.MustID("0190aaaa-0000-7000-8000-000000000001").Derive(name)
	org, err := store.CreateOrg(s.t.Context(), s.pool, store.NewOrg{Name: name, UID: id, Epoch: "e1", Draw: draw})
	require.NoError(s.t, err)
	return org
}

// commit moves an org's log on by one.
func (s *server) commit(org record.OrgID) {
	s.t.Helper()
	require.NoError(s.t, s.engine.Publish(s.t.Context(), org, shipped.Schema()))
}

func (s *server) await(c <-chan struct{}) {
	s.t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		require.Fail(s.t, "nothing came")
	}
}

func (s *server) tick() {
	s.t.Helper()
	select {
	case s.ticks <- time.Time{}:
	case <-time.After(patience):
		require.Fail(s.t, "nobody takes a tick")
	}
}

func silent(t *testing.T, subs ...*feed.Subscription) {
	t.Helper()
	for _, sub := range subs {
		require.Empty(t, sub.Woken())
	}
}

func TestFeed_wakesFollowersOfTheOrgOnEveryServer(t *testing.T) {
	t.Parallel()

	pool := pgtest.DB(t)
	one, other := newServer(t, pool), newServer(t, pool)
	one.run(store.NewTail(pool))
	other.run(store.NewTail(pool))
	acme, rival := one.newOrg("acme"), one.newOrg("rival")
	here, also, there := one.feed.Follow(acme), one.feed.Follow(acme), other.feed.Follow(acme)
	stranger := other.feed.Follow(rival)

	one.commit(acme)

	for _, sub := range []*feed.Subscription{here, also, there} {
		one.await(sub.Woken())
		require.Equal(t, record.Seq(1), sub.Head())
	}
	other.commit(acme)
	other.commit(rival)
	one.await(here.Woken())
	other.await(stranger.Woken())
	require.Equal(t, record.Seq(1), stranger.Head(), "it hears of its own org only")
}

// The server that commits need not hear it from PostgreSQL, and is woken once.
func TestFeed_isToldAtOnceWhatItsOwnServerCommits(t *testing.T) {
	t.Parallel()

	s := newServer(t, pgtest.DB(t))
	s.engine.Moved = s.feed.Moved
	s.run(deaf{store.NewTail(s.pool), nil})
	org := s.newOrg("acme")
	sub := s.feed.Follow(org)

	s.commit(org)

	require.Len(t, sub.Woken(), 1, "before whoever has pushed is answered")
	require.Equal(t, record.Seq(1), sub.Head())
	<-sub.Woken()
	s.feed.Moved(org, 1) // the NOTIFY comes after it
	s.tick()
	silent(t, sub)
}

func TestFeed_manyMovesAreOneWake(t *testing.T) {
	t.Parallel()

	f := feed.New(nil)
	sub := f.Follow(1)

	f.Moved(1, 5)
	f.Moved(1, 7)
	f.Moved(1, 6)

	require.Len(t, sub.Woken(), 1)
	require.Equal(t, record.Seq(7), sub.Head())
	<-sub.Woken()
	f.Moved(1, 7)
	silent(t, sub)
	sub.Close()
	f.Moved(1, 8)
	silent(t, sub)
	require.Zero(t, sub.Head(), "nobody follows the org any more")
}

// deaf is a source that never hears, like one behind a pooler, or whose
// connection breaks.
type deaf struct {
	*store.Tail
	broken chan error
}

func (d deaf) Listen(ctx context.Context, ready func(), _ func(record.OrgID, record.Seq)) error {
	ready()
	select {
	case err := <-d.broken:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestFeed_readsHeadsAtEveryTick(t *testing.T) {
	t.Parallel()

	s := newServer(t, pgtest.DB(t))
	s.run(deaf{store.NewTail(s.pool), nil})
	org := s.newOrg("acme")
	sub := s.feed.Follow(org)
	s.commit(org)
	silent(t, sub)

	s.tick()

	s.await(sub.Woken())
	require.Equal(t, record.Seq(1), sub.Head())
}

func TestFeed_listensAnewWhenItsConnectionIsLost(t *testing.T) {
	t.Parallel()

	s := newServer(t, pgtest.DB(t))
	listens := &ready{Source: store.NewTail(s.pool), heard: make(chan struct{}, 16)}
	s.run(listens)
	<-listens.heard
	org := s.newOrg("acme")
	sub := s.feed.Follow(org)

	_, err := s.pool.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND query LIKE 'LISTEN%'`)
	require.NoError(t, err)
	require.ErrorContains(t, <-s.faults, "lost its connection")
	s.commit(org)
	s.tick()
	s.await(listens.heard)
	s.await(sub.Woken())

	s.commit(org)
	s.await(sub.Woken())
	require.Equal(t, record.Seq(2), sub.Head())
}

func TestFeed_endsForItsFollowers(t *testing.T) {
	t.Parallel()

	s := newServer(t, pgtest.DB(t))
	ctx, cancel := context.WithCancel(t.Context())
	sub := s.feed.Follow(1)
	source := deaf{store.NewTail(s.pool), make(chan error, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.feed.Run(ctx, source, s.ticks)
	}()
	source.broken <- errors.New("cut")
	require.ErrorContains(t, <-s.faults, "cut")

	cancel()

	s.await(sub.Done())
	s.await(ended)
}
