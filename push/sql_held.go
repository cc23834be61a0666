package push

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
)

// The states of what is not sent at once. Held for all of somebody's devices it
// stands in a row without a device, under the name of digestChannel.
const (
	stateHeld     = "held"     // until the moment that it bears
	stateGathered = "gathered" // it was told together with others

	digestChannel = "digest"
)

// Who holds something and who gathers what is held do not meet: so each either
// finds the other's work done or does it after him.
var pushTurn = pg.Statement("push_turn", `SELECT pg_advisory_xact_lock($1)`)

func turn(ctx context.Context, tx Tx, org record.OrgID, person record.ID) error {
	key := int64(org)
	for _, b := range person {
		key = key*31 + int64(b)
	}
	_, err := tx.Exec(ctx, pushTurn, key)
	return err
}

var pushHold = pg.Statement("push_hold", `
	INSERT INTO push_deliveries AS d (org, notification, device, channel, state, tries, at, begun_at, person)
	VALUES ($1, $2, $3, $4, 'held', 0, $5, $6, $7)
	ON CONFLICT ON CONSTRAINT push_deliveries_key DO UPDATE
	   SET state = 'held', tries = 0, at = excluded.at, person = excluded.person`)

var pushHolding = pg.Statement("push_holding", `
	SELECT d.notification
	  FROM push_deliveries d
	 WHERE d.org = $1 AND d.person = $2 AND d.state = 'held' AND d.at = $3
	 LIMIT 1`)

// hold puts a delivery off until a moment, and reports whether it is the first
// for it: then somebody has to gather them.
func (t tables) hold(ctx context.Context, tx Tx, org record.OrgID, n, person record.ID, r route, until, now time.Time) (first bool, err error) {
	if err := turn(ctx, tx, org, person); err != nil {
		return false, err
	}
	var other [16]byte
	err = tx.QueryRow(ctx, pushHolding, org, [16]byte(person), until).Scan(&other)
	if first = errors.Is(err, pgx.ErrNoRows); first {
		err = nil
	}
	if err == nil {
		_, err = tx.Exec(ctx, pushHold, org, [16]byte(n), [16]byte(r.Device), r.Channel, until, now, [16]byte(person))
	}
	if err != nil {
		return false, fmt.Errorf("putting a delivery off: %w", err)
	}
	return first, nil
}

// held is a delivery that was put off.
type held struct {
	notification, device record.ID
	channel              string
}

var pushHeld = pg.Statement("push_held", `
	SELECT d.notification, d.device, d.channel
	  FROM push_deliveries d
	 WHERE d.org = $1 AND d.person = $2 AND d.state = 'held' AND d.at <= $3
	 ORDER BY d.at, d.notification
	 LIMIT $4`)

// held are those of somebody's whose moment has come.
func (t tables) held(ctx context.Context, tx Tx, org record.OrgID, person record.ID, now time.Time, limit int) ([]held, error) {
	rows, err := tx.Query(ctx, pushHeld, org, [16]byte(person), now, limit)
	if err != nil {
		return nil, fmt.Errorf("reading what was put off: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (h held, err error) {
		err = row.Scan((*[16]byte)(&h.notification), (*[16]byte)(&h.device), &h.channel)
		return h, err
	})
}

var pushGather = pg.Statement("push_gather", `
	UPDATE push_deliveries
	   SET state = 'gathered', digest = $5, at = $6
	 WHERE org = $1 AND notification = $2 AND device = $3 AND channel = $4 AND state = 'held'`)

var pushLet = pg.Statement("push_let", `
	DELETE FROM push_deliveries
	 WHERE org = $1 AND notification = $2 AND device = $3 AND channel = $4 AND state = 'held'`)

// gather keeps that what was held is told together with others; into no digest it
// is let go.
func (t tables) gather(ctx context.Context, tx Tx, org record.OrgID, all []held, digest record.ID, now time.Time) error {
	for _, h := range all {
		var err error
		if digest.IsZero() {
			_, err = tx.Exec(ctx, pushLet, org, [16]byte(h.notification), [16]byte(h.device), h.channel)
		} else {
			_, err = tx.Exec(ctx, pushGather, org, [16]byte(h.notification), [16]byte(h.device), h.channel, [16]byte(digest), now)
		}
		if err != nil {
			return fmt.Errorf("gathering what was put off: %w", err)
		}
	}
	return nil
}

var pushDigestsOf = pg.Statement("push_digests_of", `
	SELECT DISTINCT d.digest
	  FROM push_deliveries d
	 WHERE d.org = $1 AND d.notification = $2 AND d.digest IS NOT NULL`)

var pushGathered = pg.Statement("push_gathered", `
	SELECT DISTINCT d.notification
	  FROM push_deliveries d
	 WHERE d.org = $1 AND d.digest = $2`)

// digestsOf are the messages that have told of a notification among others.
func (t tables) digestsOf(ctx context.Context, org record.OrgID, n record.ID) ([]record.ID, error) {
	return t.ids(ctx, pushDigestsOf, org, n)
}

// gathered are the notifications of which one message has told.
func (t tables) gathered(ctx context.Context, org record.OrgID, digest record.ID) ([]record.ID, error) {
	return t.ids(ctx, pushGathered, org, digest)
}

func (t tables) ids(ctx context.Context, sql pg.SQL, org record.OrgID, id record.ID) ([]record.ID, error) {
	rows, err := t.pool.Query(ctx, sql, org, [16]byte(id))
	if err != nil {
		return nil, pg.Classify(fmt.Errorf("reading what was gathered: %w", err))
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (id record.ID, err error) {
		err = row.Scan((*[16]byte)(&id))
		return id, err
	})
	return all, pg.Classify(err)
}

var pushSpend = pg.Statement("push_spend", `
	INSERT INTO push_rates AS r (org, device, category, since, n)
	VALUES ($1, $2, $3, $4, 1)
	ON CONFLICT ON CONSTRAINT push_rates_key DO UPDATE
	   SET since = CASE WHEN r.since <= $5 THEN excluded.since ELSE r.since END,
	       n = CASE WHEN r.since <= $5 THEN 1 ELSE r.n + 1 END
	RETURNING r.since, r.n`)

// spend counts that a device is told of something, and reports how often it was
// in this stretch of time, and when that has begun.
func (t tables) spend(ctx context.Context, org record.OrgID, device record.ID, category string, now time.Time) (since time.Time, n int, err error) {
	err = t.pool.QueryRow(ctx, pushSpend, org, [16]byte(device), category, now, now.Add(-rateOver)).Scan(&since, &n)
	if err != nil {
		return since, 0, pg.Classify(fmt.Errorf("counting what a device is told: %w", err))
	}
	return since, n, nil
}

var pushRatesPurge = pg.Statement("push_rates_purge", `DELETE FROM push_rates r WHERE r.since < $1`)

// forgetRates forgets how much devices were told before a moment.
func (t tables) forgetRates(ctx context.Context, before time.Time) error {
	return t.exec(ctx, "forgetting how much devices were told", pushRatesPurge, before)
}
