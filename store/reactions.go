package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
)

// Reached is how far a reaction has come in an org's log.
type Reached struct {
	Seq   record.Seq
	Tries int // at the row after that
}

// Reacting is a reaction at work: a transaction in which its place is locked.
type Reacting struct {
	Tx

	Jobs pg.Tx // for what is to be done later, if this commits
	Head Head
	At   Reached
}

var reactionsBegin = pg.Statement("reactions_begin", `
	INSERT INTO reactions (org, name, seq)
	SELECT h.org, $2, h.seq FROM heads h WHERE h.org = $1
	ON CONFLICT DO NOTHING`)

var reactionsLock = pg.Statement("reactions_lock", `
	SELECT r.seq, r.tries
	  FROM reactions r
	 WHERE r.org = $1 AND r.name = $2
	   FOR UPDATE SKIP LOCKED`)

var reactionsMove = pg.Statement("reactions_move", `
	UPDATE reactions
	   SET seq = $3, tries = $4
	 WHERE org = $1 AND name = $2`)

// React runs fn with a reaction's place locked, and moves it to where fn has
// come. A reaction that is new begins where the log ends. free is false if
// another server has it in hand.
func (s *Store) React(ctx context.Context, org record.OrgID, name string, fn func(*Reacting) (Reached, error)) (free bool, err error) {
	err = pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(ptx pgx.Tx) error {
		r := &Reacting{Tx: Tx{Reader: ptx, Org: org, batch: ptx}, Jobs: ptx}
		var err error
		if r.At, free, err = lockPlace(ctx, ptx, org, name); err != nil || !free {
			return err
		}
		if r.Head, err = scanHead(ptx.QueryRow(ctx, headRead, org), org); err != nil {
			return err
		}
		to, err := fn(r)
		if err != nil || to == r.At {
			return err
		}
		if _, err := ptx.Exec(ctx, reactionsMove, org, name, to.Seq, to.Tries); err != nil {
			return fmt.Errorf("moving the reaction %s: %w", name, err)
		}
		return nil
	})
	return free, err
}

func lockPlace(ctx context.Context, tx pgx.Tx, org record.OrgID, name string) (at Reached, free bool, err error) {
	for begun := false; ; begun = true {
		err := tx.QueryRow(ctx, reactionsLock, org, name).Scan(&at.Seq, &at.Tries)
		switch {
		case err == nil:
			return at, true, nil
		case !errors.Is(err, pgx.ErrNoRows):
			return at, false, fmt.Errorf("finding the place of the reaction %s: %w", name, err)
		case begun:
			return at, false, nil // it is there, and locked
		}
		if _, err := tx.Exec(ctx, reactionsBegin, org, name); err != nil {
			return at, false, fmt.Errorf("beginning the reaction %s: %w", name, err)
		}
	}
}

// The texts of edits name their kinds, which is what a reaction goes by; to look
// for that here saves reading and sending the others.
var logAbout = pg.Statement("log_about", `
	SELECT`+entryColumns+`
	  FROM mutations m
	 WHERE m.org = $1 AND m.seq > $2 AND m.seq <= $3
	   AND m.result < 2
	   AND m.body LIKE ANY ($4::text[])
	 ORDER BY m.seq
	 LIMIT $5`)

// EntriesAbout reads accepted rows with edits of some kinds from after a place up
// to another.
func (tx Tx) EntriesAbout(ctx context.Context, kinds []string, after, upTo record.Seq, limit int) ([]Entry, error) {
	like := make([]string, len(kinds))
	for i, k := range kinds {
		like[i] = `%"kind":"` + k + `"%`
	}
	return collect(ctx, tx, "rows to react to", logAbout, scanEntry, tx.Org, after, upTo, like, limit)
}

var reactionsFail = pg.Statement("reactions_fail", `
	INSERT INTO reactions_failed (org, name, seq, reason, failed_at)
	VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (org, name, seq) DO UPDATE SET reason = excluded.reason, failed_at = excluded.failed_at`)

// Fail keeps what a reaction has given up.
func (r *Reacting) Fail(ctx context.Context, name string, seq record.Seq, reason string, now time.Time) error {
	if _, err := r.Jobs.Exec(ctx, reactionsFail, r.Org, name, seq, reason, now); err != nil {
		return fmt.Errorf("keeping what the reaction %s has given up: %w", name, err)
	}
	return nil
}

var reactionsBehind = pg.Statement("reactions_behind", `
	SELECT h.org
	  FROM heads h
	 WHERE EXISTS (SELECT FROM unnest($1::text[]) n(name)
	                 LEFT JOIN LATERAL (SELECT r.seq FROM reactions r WHERE r.org = h.org AND r.name = n.name OFFSET 0) r ON true
	                WHERE coalesce(r.seq, -1) < h.seq)
	 ORDER BY h.org`)

// Behind lists the orgs in whose logs some of these reactions have not come to
// the end.
func (s *Store) Behind(ctx context.Context, names []string) ([]record.OrgID, error) {
	rows, err := s.pool.Query(ctx, reactionsBehind, names)
	if err != nil {
		return nil, pg.Classify(fmt.Errorf("finding what reactions have to do: %w", err))
	}
	orgs, err := pgx.CollectRows(rows, pgx.RowTo[record.OrgID])
	if err != nil {
		return nil, pg.Classify(fmt.Errorf("finding what reactions have to do: %w", err))
	}
	return orgs, nil
}

var reactionsGivenUp = pg.Statement("reactions_given_up", `
	SELECT count(*)
	  FROM reactions_failed f`)

// GivenUp counts the changes that reactions have passed over.
func GivenUp(ctx context.Context, q Querier) (n int, err error) {
	if err := q.QueryRow(ctx, reactionsGivenUp).Scan(&n); err != nil {
		return 0, pg.Classify(fmt.Errorf("counting what reactions have given up: %w", err))
	}
	return n, nil
}
