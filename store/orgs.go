package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store/pg"
)

// Beginning is how an org came to be.
type Beginning struct {
	At    time.Time // when it was made
	Whole bool      // its first data is complete
}

var orgsBeginning = pg.Statement("orgs_beginning", `
	SELECT o.created_at, o.whole_at IS NOT NULL
	  FROM orgs o
	 WHERE o.id = $1`)

// BeginningOf reads when an org was made and whether its first data is
// complete: whoever was interrupted at filling it goes on from there.
func BeginningOf(ctx context.Context, q Querier, org record.OrgID) (Beginning, error) {
	var b Beginning
	err := q.QueryRow(ctx, orgsBeginning, org).Scan(&b.At, &b.Whole)
	if errors.Is(err, pgx.ErrNoRows) {
		return Beginning{}, errs.New("store.BeginningOf", errs.Missing, "there is no such organisation").Coded("org")
	}
	if err != nil {
		return Beginning{}, pg.Classify(fmt.Errorf("beginning of org %d: %w", org, err))
	}
	return b, nil
}

var orgsWhole = pg.Statement("orgs_whole", `
	UPDATE orgs
	   SET whole_at = coalesce(whole_at, now())
	 WHERE id = $1
	RETURNING id`)

// MarkWhole says that an org's first data is complete. Saying it again changes
// nothing.
func MarkWhole(ctx context.Context, q Querier, org record.OrgID) error {
	var id record.OrgID
	err := q.QueryRow(ctx, orgsWhole, org).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return errs.New("store.MarkWhole", errs.Missing, "there is no such organisation").Coded("org")
	}
	if err != nil {
		return pg.Classify(fmt.Errorf("marking org %d as whole: %w", org, err))
	}
	return nil
}

var mutationsAccepted = pg.Statement("mutations_accepted", `
	SELECT count(*)
	  FROM unnest($2::uuid[]) u(id)
	 CROSS JOIN LATERAL (SELECT m.result FROM mutations m WHERE m.org = $1 AND m.id = u.id AND m.twin IS NULL OFFSET 0) m
	 WHERE m.result IN (0, 1)`)

// Accepted counts which of these mutations are in the log, applied or merged.
func Accepted(ctx context.Context, q Querier, org record.OrgID, ids []record.ID) (int, error) {
	var n int
	if err := q.QueryRow(ctx, mutationsAccepted, org, raw(ids)).Scan(&n); err != nil {
		return 0, pg.Classify(fmt.Errorf("counting mutations of org %d: %w", org, err))
	}
	return n, nil
}
