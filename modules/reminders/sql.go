package reminders

import (
	"context"
	"errors"
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

// tables are those of migrations 00017 and 00019.
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

var passesAsk = pg.Statement("reminder_passes_ask", `
	INSERT INTO reminder_passes (org, next_at, after)
	VALUES ($1, $2, '00000000-0000-0000-0000-000000000000')
	ON CONFLICT ON CONSTRAINT reminder_passes_key DO UPDATE
	   SET next_at = excluded.next_at, after = excluded.after`)

// askPass has an org's records looked through from the beginning.
func askPass(ctx context.Context, tx pg.Tx, org record.OrgID, at time.Time) error {
	if _, err := tx.Exec(ctx, passesAsk, org, at); err != nil {
		return fmt.Errorf("asking for a look through the records: %w", err)
	}
	return nil
}

var passesThere = pg.Statement("reminder_passes_there", `
	SELECT EXISTS (SELECT FROM reminder_passes p WHERE p.org = $1)`)

// watched reports whether an org has, or had, rules.
func watched(ctx context.Context, tx pg.Tx, org record.OrgID) (is bool, err error) {
	if err := tx.QueryRow(ctx, passesThere, org).Scan(&is); err != nil {
		return false, fmt.Errorf("finding out whether there are rules: %w", err)
	}
	return is, nil
}

// pass is how far a look through an org's records has come.
type pass struct {
	Org    record.OrgID
	After  record.ID
	Primed bool
}

var passesNext = pg.Statement("reminder_passes_next", `
	SELECT p.org
	  FROM reminder_passes p
	 WHERE p.next_at <= $1
	 ORDER BY p.org`)

// passes lists the orgs whose records are to be looked through.
func (t tables) passes(ctx context.Context, now time.Time) ([]record.OrgID, error) {
	rows, err := t.pool.Query(ctx, passesNext, now)
	if err != nil {
		return nil, pg.Classify(fmt.Errorf("finding what is to be looked through: %w", err))
	}
	orgs, err := pgx.CollectRows(rows, pgx.RowTo[record.OrgID])
	if err != nil {
		return nil, pg.Classify(fmt.Errorf("finding what is to be looked through: %w", err))
	}
	return orgs, nil
}

var passesLock = pg.Statement("reminder_passes_lock", `
	SELECT p.after, p.primed
	  FROM reminder_passes p
	 WHERE p.org = $1 AND p.next_at <= $2
	   FOR UPDATE SKIP LOCKED`)

// lockPass takes a look in hand, unless another server has it or it is done.
func lockPass(ctx context.Context, tx pg.Tx, org record.OrgID, now time.Time) (p pass, free bool, err error) {
	p.Org = org
	err = tx.QueryRow(ctx, passesLock, org, now).Scan((*[16]byte)(&p.After), &p.Primed)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return p, false, nil
	case err != nil:
		return p, false, fmt.Errorf("taking a look in hand: %w", err)
	}
	return p, true, nil
}

var passesMove = pg.Statement("reminder_passes_move", `
	UPDATE reminder_passes
	   SET after = $2, primed = $3, next_at = $4, failed = $5, reason = $6
	 WHERE org = $1`)

func movePass(ctx context.Context, tx pg.Tx, p pass, next time.Time, failed int, reason string) error {
	if _, err := tx.Exec(ctx, passesMove, p.Org, [16]byte(p.After), p.Primed, next, failed, reason); err != nil {
		return fmt.Errorf("moving a look on: %w", err)
	}
	return nil
}

// effect is something that a rule has made about a subject.
type effect struct {
	Subject, Rule, Effect record.ID
}

var effectsKeep = pg.Statement("reminder_effects_keep", `
	INSERT INTO reminder_effects (org, subject, rule, effect)
	SELECT $1, e.*
	  FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) e
	ON CONFLICT DO NOTHING`)

var effectsDrop = pg.Statement("reminder_effects_drop", `
	DELETE FROM reminder_effects e
	 USING unnest($2::uuid[], $3::uuid[], $4::uuid[]) u(subject, rule, effect)
	 WHERE e.org = $1 AND e.subject = ANY ($2::uuid[]) AND e.subject = u.subject AND e.rule = u.rule AND e.effect = u.effect`)

var effectsOf = pg.Statement("reminder_effects_of", `
	SELECT e.subject, e.rule, e.effect
	  FROM reminder_effects e
	 WHERE e.org = $1 AND e.subject = ANY ($2::uuid[])`)

// effectsOn lists what rules have made about some records.
func effectsOn(ctx context.Context, tx pg.Tx, org record.OrgID, subjects []record.ID) ([]effect, error) {
	rows, err := tx.Query(ctx, effectsOf, org, raw(subjects))
	if err != nil {
		return nil, fmt.Errorf("what rules have made: %w", err)
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (e effect, err error) {
		err = r.Scan((*[16]byte)(&e.Subject), (*[16]byte)(&e.Rule), (*[16]byte)(&e.Effect))
		return e, err
	})
}

// keepEffects remembers what rules have made, or forgets it.
func keepEffects(ctx context.Context, tx pg.Tx, org record.OrgID, sql pg.SQL, all []effect) error {
	if len(all) == 0 {
		return nil
	}
	var subjects, rules, effects [][16]byte
	for _, e := range all {
		subjects, rules, effects = append(subjects, e.Subject), append(rules, e.Rule), append(effects, e.Effect)
	}
	if _, err := tx.Exec(ctx, sql, org, subjects, rules, effects); err != nil {
		return fmt.Errorf("keeping what rules have made: %w", err)
	}
	return nil
}
