package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"roadbook/record"
	"roadbook/store/pg"
)

const (
	// StandbyEvery is how often it should be looked at how a standby stands.
	StandbyEvery = time.Second

	// standbyBehind is how old what a standby has may be: whoever has not asked
	// for long, and so waits for nothing, must not be told of yesterday.
	standbyBehind = 5 * time.Second

	// standbyWithin is what a read waits for a standby to come as far as it must
	// be. One that follows is some milliseconds behind.
	standbyWithin = 100 * time.Millisecond
	standbyPoll   = 5 * time.Millisecond

	// standbyAnswers is what a read gets on a standby in all, and a look at how
	// it stands: behind that it is asked of the primary, as if there were no standby.
	standbyAnswers = 3 * time.Second
)

// NotAsked is why a read was not answered by the standby.
type NotAsked string

// The reasons.
const (
	StandbyLags  NotAsked = "behind"     // it has not come as far as it must be
	StandbyAway  NotAsked = "away"       // it does not answer
	StandbyOther NotAsked = "other_life" // it was promoted, or follows another life than the one that is served
)

// Error implements error.
func (r NotAsked) Error() string { return "the standby is not asked: " + string(r) }

// Standby is a second database that follows ours and is only read. What it says
// is never wrong, but may be a moment old.
type Standby struct {
	pool, primary *pgxpool.Pool
	life          func() string // that is served

	mu     sync.Mutex
	marks  []mark   // of the last standbyBehind, oldest first
	reason NotAsked // "" if it may be asked
}

// mark is where the primary's WAL ended.
type mark struct {
	at  time.Time
	end pg.LSN
}

// NewStandby is a standby that is not asked before Look has found it fit.
func NewStandby(pool, primary *pgxpool.Pool, life func() string) *Standby {
	return &Standby{pool: pool, primary: primary, life: life, reason: StandbyAway}
}

// Run looks at each tick until ctx ends. tell is told when it has begun not to
// answer.
func (s *Standby) Run(ctx context.Context, ticks <-chan time.Time, now func() time.Time, tell func(error)) {
	for failing := false; ; {
		err := s.Look(ctx, now())
		if err != nil && !failing && ctx.Err() == nil {
			tell(err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
	}
}

// Look finds out how the standby stands.
func (s *Standby) Look(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, standbyAnswers)
	defer cancel()
	end, err := pg.WALEnd(ctx, s.primary)
	if err != nil {
		s.say(StandbyAway) // of which life it is, only the primary tells
		return err
	}
	follower, err := pg.FollowerOf(ctx, s.pool)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks = append(s.marks, mark{now, end})
	for len(s.marks) > 1 && now.Sub(s.marks[0].at) > standbyBehind {
		s.marks = s.marks[1:]
	}
	switch {
	case err != nil:
		s.reason = StandbyAway
	case !follower.Standby:
		s.reason = StandbyOther
	case follower.Applied < s.marks[0].end:
		s.reason = StandbyLags
	default:
		s.reason = ""
	}
	return err
}

func (s *Standby) say(r NotAsked) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reason = r
}

// fit is nil if it may be asked.
func (s *Standby) fit() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reason != "" {
		return s.reason
	}
	return nil
}

// Snapshot runs fn as Store.Snapshot does, on the standby, once that has come as
// far as a place in the org's log. An error of type NotAsked says why it has not;
// whatever the error is, the primary may know better.
func (s *Standby) Snapshot(ctx context.Context, org record.OrgID, from record.Seq, fn func(tx Tx, head Head) error) error {
	if err := s.fit(); err != nil {
		return err
	}
	whole := ctx
	ctx, cancel := context.WithTimeout(ctx, standbyAnswers)
	defer cancel()
	waited := time.NewTimer(standbyWithin)
	defer waited.Stop()
	for {
		err := s.attempt(ctx, org, from, fn)
		switch {
		case ctx.Err() != nil && whole.Err() == nil:
			s.say(StandbyAway) // until somebody has looked
			return StandbyAway
		case !errors.Is(err, StandbyLags):
			return err
		}
		select {
		case <-waited.C:
			return StandbyLags
		case <-time.After(standbyPoll):
		}
	}
}

var standbyRead = pg.Statement("standby_read", `
	SELECT coalesce((SELECT l.life FROM lives l), ''), pg_is_in_recovery()`)

// attempt is one snapshot. Which life it is of, it says itself: a server notes
// that before it serves anybody from it, so that whoever follows another does
// not have it.
func (s *Standby) attempt(ctx context.Context, org record.OrgID, from record.Seq, fn func(tx Tx, head Head) error) error {
	opts := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return pg.InTx(ctx, s.pool, opts, func(ptx pgx.Tx) error {
		var life string
		var follows bool
		if err := ptx.QueryRow(ctx, standbyRead).Scan(&life, &follows); err != nil {
			return err
		}
		if !follows || life == "" || life != s.life() {
			return StandbyOther
		}
		tx := Tx{Reader: ptx, Org: org, batch: ptx}
		head, err := scanHead(tx.QueryRow(ctx, headRead, org), org)
		if err != nil {
			return err
		}
		if head.Seq < from {
			return StandbyLags
		}
		return fn(tx, head)
	})
}
