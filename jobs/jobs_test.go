package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/jobs"
	"roadbook/store/pg/pgtest"
)

type greet struct {
	Name string `json:"name"`
}

func (greet) Kind() string { return "greet" }

// office is a queue whose worker does as a test says.
type office struct {
	*jobs.Queue
	t    *testing.T
	pool *pgxpool.Pool
	done chan jobs.Job[greet]
}

func newOffice(t *testing.T, does func(jobs.Job[greet]) error) *office {
	t.Helper()
	o := &office{t: t, pool: pgtest.DB(t), done: make(chan jobs.Job[greet], 64)}
	w := jobs.NewWorkers()
	jobs.Handle(w, func(_ context.Context, j jobs.Job[greet]) error {
		err := does(j)
		o.done <- j
		return err
	})
	var err error
	o.Queue, err = jobs.New(jobs.Config{Pool: o.pool, Workers: w, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	return o
}

// open works until the test ends.
func (o *office) open() {
	ctx, cancel := context.WithCancel(context.Background())
	closed := make(chan error)
	go func() { closed <- o.Run(ctx) }()
	o.t.Cleanup(func() {
		cancel()
		require.NoError(o.t, <-closed)
	})
}

func (o *office) insert(err error, all ...jobs.Due) {
	o.t.Helper()
	got := pgx.BeginFunc(o.t.Context(), o.pool, func(tx pgx.Tx) error {
		require.NoError(o.t, o.Insert(o.t.Context(), tx, all...))
		return err
	})
	require.ErrorIs(o.t, got, err)
}

func (o *office) await() jobs.Job[greet] {
	o.t.Helper()
	select {
	case j := <-o.done:
		return j
	case <-time.After(20 * time.Second):
		require.Fail(o.t, "nobody has done it")
		return jobs.Job[greet]{}
	}
}

func due(name string) jobs.Due { return jobs.Due{Args: greet{name}} }

// A job is there if the transaction that has asked for it commits, and only then.
func TestQueue_isThereWithTheCommit(t *testing.T) {
	t.Parallel()

	o := newOffice(t, func(jobs.Job[greet]) error { return nil })
	o.insert(errors.New("no"), due("nobody"))
	o.insert(nil, due("lin"), jobs.Due{Args: greet{"tomorrow"}, At: time.Now().Add(24 * time.Hour)})
	o.insert(nil)
	s, err := o.Stats(t.Context())
	require.NoError(t, err)
	require.Positive(t, s.Late)
	s.Late = 0
	require.Equal(t, jobs.Stats{Due: 1, Waiting: 1}, s)

	o.open()

	require.Equal(t, jobs.Job[greet]{Args: greet{"lin"}, Try: 1}, o.await())
	require.Empty(t, o.done)
}

// What fails is tried again; what says so is done later or never.
func TestQueue_triesAgain(t *testing.T) {
	t.Parallel()

	o := newOffice(t, func(j jobs.Job[greet]) error {
		switch {
		case j.Args.Name == "later" && j.Try == 1:
			return jobs.Later(time.Millisecond)
		case j.Args.Name == "never":
			return jobs.GiveUp(errors.New("no such person"))
		case j.Args.Name == "flaky" && j.Try == 1:
			return errors.New("not today")
		}
		return nil
	})
	o.insert(nil, due("never"), due("flaky"))
	o.open()

	tries := map[string]int{}
	for range 3 {
		j := o.await()
		tries[j.Args.Name] = j.Try
	}

	require.Equal(t, map[string]int{"never": 1, "flaky": 2}, tries)
	require.Eventually(t, func() bool {
		s, err := o.Stats(context.Background())
		return err == nil && s == jobs.Stats{Failed: 1}
	}, 10*time.Second, 10*time.Millisecond)
}

// A job is tried so often and not once more: the last time it is told so, and
// then it waits for a person.
func TestQueue_theLastTry(t *testing.T) {
	t.Parallel()

	o := newOffice(t, func(jobs.Job[greet]) error { return errors.New("never") })
	o.insert(nil, due("lin"))
	_, err := o.pool.Exec(t.Context(), "UPDATE river_job SET attempt = $1", jobs.MaxTries-2)
	require.NoError(t, err)
	o.open()
	require.Equal(t, jobs.Job[greet]{Args: greet{"lin"}, Try: jobs.MaxTries - 1}, o.await())

	require.Equal(t, jobs.Job[greet]{Args: greet{"lin"}, Try: jobs.MaxTries, Last: true}, o.await())
	require.Eventually(t, func() bool {
		s, err := o.Stats(context.Background())
		return err == nil && s == jobs.Stats{Failed: 1}
	}, 10*time.Second, 10*time.Millisecond)
}

// What is put off is no try: it may be so as often as it likes.
func TestQueue_laterIsNoTry(t *testing.T) {
	t.Parallel()

	times := 0
	o := newOffice(t, func(jobs.Job[greet]) error {
		if times++; times <= jobs.MaxTries+1 {
			return jobs.Later(0)
		}
		return nil
	})
	o.insert(nil, due("lin"))
	o.open()

	for range jobs.MaxTries + 2 {
		require.False(t, o.await().Last)
	}
	require.True(t, jobs.IsLater(jobs.Later(time.Second)))
	require.False(t, jobs.IsLater(errors.New("no")))
}
