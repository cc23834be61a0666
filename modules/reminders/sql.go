package reminders

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"roadbook/record"
	"roadbook/store/pg"
)

// Pool is where the table is.
type Pool = pgxpool.Pool

// tables is that of migration 00017.
type tables struct{ pool *Pool }

// row is a reminder that the server must look at.
type row struct {
	Reminder record.ID
	At       time.Time
	Tries    int
	Reason   string
}

func scanRow(r pgx.CollectableRow) (out row, err error) {
	err = r.Scan((*[16]byte)(&out.Reminder), &out.At, &out.Tries, &out.Reason)
	return out, err
}

var remindersPut = pg.Statement("reminders_put", `
	INSERT INTO reminders_due AS d (org, reminder, at)
	SELECT $1, p.reminder, p.at
	  FROM unnest($2::uuid[], $3::timestamptz[]) p(reminder, at)
	ON CONFLICT ON CONSTRAINT reminders_due_key DO UPDATE
	   SET at = excluded.at, tries = 0, reason = ''
	RETURNING d.at, NOT EXISTS (SELECT FROM reminders_due o WHERE o.org = d.org AND o.at = d.at AND o.reminder <> d.reminder)`)

var remindersDrop = pg.Statement("reminders_drop", `
	DELETE FROM reminders_due d
	 WHERE d.org = $1 AND d.reminder = ANY ($2::uuid[])`)

// put keeps when some reminders are to be looked at next, and lists the times at
// which nothing was to be looked at before: for these nobody has asked for a job.
func put(ctx context.Context, tx pg.Tx, org record.OrgID, all []row) (fresh []time.Time, err error) {
	if len(all) == 0 {
		return nil, nil
	}
	ids, at := make([][16]byte, len(all)), make([]time.Time, len(all))
	for i, r := range all {
		ids[i], at[i] = r.Reminder, r.At
	}
	rows, err := tx.Query(ctx, remindersPut, org, ids, at)
	if err != nil {
		return nil, fmt.Errorf("keeping when %d reminders are due: %w", len(all), err)
	}
	var when time.Time
	var first bool
	_, err = pgx.ForEachRow(rows, []any{&when, &first}, func() error {
		if first && !slices.ContainsFunc(fresh, when.Equal) {
			fresh = append(fresh, when)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("keeping when %d reminders are due: %w", len(all), err)
	}
	return fresh, nil
}

// drop forgets reminders that need not be looked at.
func drop(ctx context.Context, tx pg.Tx, org record.OrgID, gone []record.ID) error {
	if len(gone) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, remindersDrop, org, raw(gone)); err != nil {
		return fmt.Errorf("forgetting %d reminders: %w", len(gone), err)
	}
	return nil
}

func raw(ids []record.ID) [][16]byte {
	out := make([][16]byte, len(ids))
	for i, id := range ids {
		out[i] = id
	}
	return out
}

var remindersDue = pg.Statement("reminders_due", `
	SELECT d.reminder, d.at, d.tries, d.reason
	  FROM reminders_due d
	 WHERE d.org = $1 AND d.at <= $2
	 ORDER BY d.at
	 LIMIT $3
	   FOR UPDATE SKIP LOCKED`)

// due takes reminders in hand that must be looked at; those that another server
// has in hand are passed over.
func due(ctx context.Context, tx pg.Tx, org record.OrgID, now time.Time) ([]row, error) {
	rows, err := tx.Query(ctx, remindersDue, org, now, atOnce)
	if err != nil {
		return nil, fmt.Errorf("finding what is due: %w", err)
	}
	return pgx.CollectRows(rows, scanRow)
}

var remindersLater = pg.Statement("reminders_later", `
	UPDATE reminders_due
	   SET at = p.at, tries = p.tries, reason = p.reason
	  FROM unnest($2::uuid[], $3::timestamptz[], $4::int[], $5::text[]) p(reminder, at, tries, reason)
	 WHERE org = $1 AND reminders_due.reminder = ANY ($2::uuid[]) AND reminders_due.reminder = p.reminder`)

// later moves what is in hand on.
func later(ctx context.Context, tx pg.Tx, org record.OrgID, all []row) error {
	if len(all) == 0 {
		return nil
	}
	ids, at := make([][16]byte, len(all)), make([]time.Time, len(all))
	tries, reasons := make([]int, len(all)), make([]string, len(all))
	for i, r := range all {
		ids[i], at[i], tries[i], reasons[i] = r.Reminder, r.At, r.Tries, r.Reason
	}
	if _, err := tx.Exec(ctx, remindersLater, org, ids, at, tries, reasons); err != nil {
		return fmt.Errorf("moving %d reminders on: %w", len(all), err)
	}
	return nil
}

var remindersLate = pg.Statement("reminders_late", `
	SELECT h.org
	  FROM heads h
	 CROSS JOIN LATERAL (SELECT d.at FROM reminders_due d WHERE d.org = h.org AND d.at <= $1 LIMIT 1) d
	 ORDER BY h.org`)

// late lists the orgs in which something has been due for a while.
func (t tables) late(ctx context.Context, since time.Time) ([]record.OrgID, error) {
	rows, err := t.pool.Query(ctx, remindersLate, since)
	if err != nil {
		return nil, pg.Classify(fmt.Errorf("finding late reminders: %w", err))
	}
	orgs, err := pgx.CollectRows(rows, pgx.RowTo[record.OrgID])
	if err != nil {
		return nil, pg.Classify(fmt.Errorf("finding late reminders: %w", err))
	}
	return orgs, nil
}

func (t tables) inTx(ctx context.Context, fn func(tx pg.Tx) error) error {
	return pg.InTx(ctx, t.pool, pgx.TxOptions{}, fn)
}
