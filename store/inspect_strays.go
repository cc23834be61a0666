package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
)

// Stray is a row of a small table that nothing else bears out, or one that is
// not there and must be.
type Stray struct {
	Table   string
	What    string // which one
	Why     string
	Curable bool
}

// strays are the ways in which the small tables can be wrong. find answers with
// what is named in a report; cure, if there is one, puts all of it right at once.
var strays = []struct{ table, why, find, cure string }{
	{
		"parked_waits", "waits for something, and nothing is parked there",
		pg.Statement("stray_waits", `
			SELECT DISTINCT w.seq::text
			  FROM parked_waits w
			 WHERE w.org = $1
			   AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.org = $1 AND p.seq = w.seq AND p.settled IS NULL)
			 LIMIT $2`),
		pg.Statement("stray_waits_cure", `
			DELETE FROM parked_waits w
			 WHERE w.org = $1
			   AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.org = $1 AND p.seq = w.seq AND p.settled IS NULL)`),
	},
	{
		"parked", "is parked, and the log has nothing there that is",
		pg.Statement("stray_parked", `
			SELECT DISTINCT p.seq::text
			  FROM parked p
			  LEFT JOIN LATERAL (SELECT m.result FROM mutations m WHERE m.org = $1 AND m.seq = p.seq OFFSET 0) m ON true
			 WHERE p.org = $1 AND m.result IS DISTINCT FROM 3
			 LIMIT $2`),
		"",
	},
	{
		"parked", "is parked no more, and the log does not say what became of it",
		pg.Statement("stray_settled", `
			SELECT DISTINCT p.seq::text
			  FROM parked p
			  LEFT JOIN LATERAL (SELECT m.seq FROM mutations m WHERE m.org = $1 AND m.seq = p.settled OFFSET 0) m ON true
			 WHERE p.org = $1 AND p.settled IS NOT NULL AND m.seq IS NULL
			 LIMIT $2`),
		"",
	},
	{
		"orphans", "is said to have been refused, and the log has no refusal there",
		pg.Statement("stray_orphans", `
			SELECT o.rec::text
			  FROM orphans o
			  LEFT JOIN LATERAL (SELECT m.result FROM mutations m WHERE m.org = $1 AND m.seq = o.seq OFFSET 0) m ON true
			 WHERE o.org = $1 AND m.result IS DISTINCT FROM 2
			 LIMIT $2`),
		pg.Statement("stray_orphans_cure", `
			DELETE FROM orphans o
			 WHERE o.org = $1
			   AND (SELECT m.result FROM mutations m WHERE m.org = $1 AND m.seq = o.seq) IS DISTINCT FROM 2`),
	},
	{
		"rescopes", "has a subtree to follow it, and is not there",
		pg.Statement("stray_rescopes", `
			SELECT q.rec::text
			  FROM rescopes q
			 WHERE q.org = $1 AND (SELECT r.id FROM records r WHERE r.org = $1 AND r.id = q.rec) IS NULL
			 LIMIT $2`),
		pg.Statement("stray_rescopes_cure", `
			DELETE FROM rescopes q
			 WHERE q.org = $1 AND (SELECT r.id FROM records r WHERE r.org = $1 AND r.id = q.rec) IS NULL`),
	},
	{
		"views", "is shown something from a place on that the log has not reached",
		pg.Statement("stray_views", `
			SELECT DISTINCT v.device::text
			  FROM views v, heads h
			 WHERE v.org = $1 AND h.org = $1 AND v.seq > h.seq
			 LIMIT $2`),
		pg.Statement("stray_views_cure", `
			DELETE FROM views v USING heads h WHERE v.org = $1 AND h.org = $1 AND v.seq > h.seq`),
	},
}

// straysTold is how many of each sort are told of; all are put right.
const straysTold = 100

// Strays finds rows of the small tables that are not borne out.
func (tx Tx) Strays(ctx context.Context) (all []Stray, err error) {
	for _, s := range strays {
		found, err := collect(ctx, tx, s.table, s.find, pgx.RowTo[string], tx.Org, straysTold)
		if err != nil {
			return nil, err
		}
		for _, what := range found {
			all = append(all, Stray{Table: s.table, What: what, Why: s.why, Curable: s.cure != ""})
		}
	}
	return all, nil
}

// Waits is what something parked waits for.
type Waits struct {
	Seq record.Seq
	For []record.ID
}

// Orphan is a record that a refused mutation would have created.
type Orphan struct {
	Rec record.ID
	Seq record.Seq
}

// MendStrays puts right what can be, and adds what was missing.
func (s *Store) MendStrays(ctx context.Context, org record.OrgID, waits []Waits, lost []Orphan) error {
	return pg.Classify(pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := scanHead(tx.QueryRow(ctx, headLock, org), org); err != nil {
			return err
		}
		for _, s := range strays {
			if s.cure == "" {
				continue
			}
			if _, err := tx.Exec(ctx, s.cure, org); err != nil {
				return fmt.Errorf("%s: %w", s.table, err)
			}
		}
		for _, w := range waits {
			if _, err := tx.Exec(ctx, waitsInsert, org, raw(w.For), w.Seq); err != nil {
				return fmt.Errorf("what row %d waits for: %w", w.Seq, err)
			}
		}
		for _, o := range lost {
			if _, err := tx.Exec(ctx, orphansInsert, org, raw([]record.ID{o.Rec}), []int64{int64(o.Seq)}); err != nil {
				return fmt.Errorf("what row %d would have created: %w", o.Seq, err)
			}
		}
		return nil
	}))
}

var parkedWaitless = pg.Statement("parked_waitless", `
	SELECT DISTINCT p.seq
	  FROM parked p
	  CROSS JOIN LATERAL (SELECT m.result FROM mutations m WHERE m.org = $1 AND m.seq = p.seq OFFSET 0) m
	 WHERE p.org = $1 AND p.settled IS NULL AND m.result = 3
	   AND NOT EXISTS (SELECT 1 FROM parked_waits w WHERE w.org = $1 AND w.seq = p.seq)
	 ORDER BY p.seq`)

// Waitless finds what is parked and waits for nothing: it would never be tried.
func (tx Tx) Waitless(ctx context.Context) ([]record.Seq, error) {
	return collect(ctx, tx, "what is parked", parkedWaitless, pgx.RowTo[record.Seq], tx.Org)
}
