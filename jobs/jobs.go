// Package jobs is work that is due later, or may have to be tried again. It is in
// the database with whatever has asked for it, so that both are there or neither
// is. It stands on River and is the only door to it.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"roadbook/store/pg"
)

const (
	// workersAtOnce is how many jobs one server has in hand.
	workersAtOnce = 32
	// fetchEvery bounds how fast jobs are taken: workersAtOnce each time.
	fetchEvery = 20 * time.Millisecond
	// Timeout is what one try may take. Whoever waits for somebody outside has to
	// give up before.
	Timeout = 15 * time.Second
	// rescueAfter is when a job that a server has died with is taken up by another.
	rescueAfter = Timeout + 5*time.Second
	// MaxTries is how often a job is tried that fails, over some two days; then it
	// stays and waits for a person.
	MaxTries = 16
)

// Args are what a job is told. Its kind never changes once released.
type Args = river.JobArgs

// Job is one try of a job.
type Job[A Args] struct {
	Args A
	Try  int  // from 1
	Last bool // there will be no other
}

// Workers know what to do with each kind of job.
type Workers struct{ all *river.Workers }

// NewWorkers know nothing yet.
func NewWorkers() *Workers { return &Workers{all: river.NewWorkers()} }

// Handle says what to do with a kind of job. What do returns is nil, a reason to
// try again after a growing pause, Later, or GiveUp.
func Handle[A Args](w *Workers, do func(context.Context, Job[A]) error) {
	river.AddWorker(w.all, river.WorkFunc(func(ctx context.Context, j *river.Job[A]) error {
		return do(ctx, Job[A]{Args: j.Args, Try: j.Attempt, Last: j.Attempt >= j.MaxAttempts})
	}))
}

// Later has a job done after a while, which is no failure.
func Later(after time.Duration) error { return river.JobSnooze(after) }

// IsLater reports whether an error is Later's.
func IsLater(err error) bool {
	var later *river.JobSnoozeError
	return errors.As(err, &later)
}

// GiveUp has a job tried no more: it waits for a person.
func GiveUp(why error) error { return river.JobCancel(why) }

// Config is what a queue is made of.
type Config struct {
	Pool    *pgxpool.Pool
	Workers *Workers // nil for whoever only asks for jobs
	Log     *slog.Logger
	// PollOnly is for a database behind a pooler that cannot LISTEN.
	PollOnly bool
}

// Queue takes jobs, and works on them.
type Queue struct {
	pool   *pgxpool.Pool
	client *river.Client[pgx.Tx]
	works  bool
}

// New is a queue over a migrated database.
func New(c Config) (*Queue, error) {
	rc := &river.Config{
		Logger: slog.New(loud{c.Log.Handler()}), FetchCooldown: fetchEvery, JobTimeout: Timeout, RescueStuckJobsAfter: rescueAfter,
		MaxAttempts: MaxTries, PollOnly: c.PollOnly,
	}
	if c.Workers != nil {
		rc.Workers = c.Workers.all
		rc.Queues = map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workersAtOnce}}
	}
	client, err := river.NewClient(riverpgxv5.New(c.Pool), rc)
	if err != nil {
		return nil, fmt.Errorf("the queue of jobs: %w", err)
	}
	return &Queue{pool: c.Pool, client: client, works: c.Workers != nil}, nil
}

// loud leaves out what River says of its coming and going.
type loud struct{ slog.Handler }

// Enabled implements slog.Handler.
func (h loud) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

// Due is a job and when it is to be done; no time is now.
type Due struct {
	Args Args
	At   time.Time
}

// Insert asks for jobs in a transaction: they are there if it commits.
func (q *Queue) Insert(ctx context.Context, tx pg.Tx, all ...Due) error {
	if len(all) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(all))
	for i, d := range all {
		params[i] = river.InsertManyParams{Args: d.Args, InsertOpts: &river.InsertOpts{ScheduledAt: d.At}}
	}
	if _, err := q.client.InsertManyFastTx(ctx, tx, params); err != nil {
		return fmt.Errorf("asking for %d jobs: %w", len(all), err)
	}
	return nil
}

// Run works until ctx ends, and then finishes what is in hand, or leaves it to
// others.
func (q *Queue) Run(ctx context.Context) error {
	if err := q.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("starting to work on jobs: %w", err)
	}
	<-ctx.Done()
	soft, cancel := context.WithTimeout(context.WithoutCancel(ctx), Timeout)
	defer cancel()
	if err := q.client.Stop(soft); err == nil {
		return nil
	}
	return q.client.StopAndCancel(context.WithoutCancel(ctx))
}

// Stats are how much there is to do.
type Stats struct {
	Due     int           // now, and not taken yet
	Late    time.Duration // how long the first of them has been due
	Waiting int           // for their time, or for another try
	Failed  int           // given up: they wait for a person
}

var jobsStats = pg.Statement("jobs_stats", `
	SELECT count(*) FILTER (WHERE j.state = 'available'),
	       coalesce(extract(epoch FROM now() - min(j.scheduled_at) FILTER (WHERE j.state = 'available')), 0)::float8,
	       count(*) FILTER (WHERE j.state IN ('scheduled', 'retryable')),
	       count(*) FILTER (WHERE j.state IN ('discarded', 'cancelled'))
	  FROM river_job j
	 WHERE j.state IN ('available', 'scheduled', 'retryable', 'discarded', 'cancelled')`)

// ReadStats counts jobs.
func ReadStats(ctx context.Context, pool *pgxpool.Pool) (s Stats, err error) {
	var late float64
	err = pool.QueryRow(ctx, jobsStats).Scan(&s.Due, &late, &s.Waiting, &s.Failed)
	s.Late = max(time.Duration(late*float64(time.Second)), 0)
	return s, pg.Classify(err)
}

// Stats counts its jobs.
func (q *Queue) Stats(ctx context.Context) (Stats, error) { return ReadStats(ctx, q.pool) }
