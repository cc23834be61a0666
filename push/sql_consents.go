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

var consentsGive = pg.Statement("consents_give", `
	INSERT INTO push_consents (tap, template, address, given_at)
	SELECT $1, u.template, $3, $4
	  FROM unnest($2::text[]) u(template)
	ON CONFLICT ON CONSTRAINT push_consents_key DO NOTHING`)

func (t tables) giveConsent(ctx context.Context, tap record.ID, templates []string, address string, now time.Time) error {
	return t.exec(ctx, "keeping what somebody allows", consentsGive, [16]byte(tap), templates, address, now)
}

var consentsLeft = pg.Statement("consents_left", `
	SELECT count(*)
	  FROM push_consents c
	 WHERE c.address = $1 AND c.template = $2 AND c.spent_at IS NULL`)

func (t tables) consentsLeft(ctx context.Context, address, template string) (n int, err error) {
	err = t.pool.QueryRow(ctx, consentsLeft, address, template).Scan(&n)
	return n, pg.Classify(err)
}

// One is spent, unless no more are left than are to be kept.
var consentsSpend = pg.Statement("consents_spend", `
	UPDATE push_consents
	   SET spent_at = $3
	 WHERE (tap, template) = (SELECT c.tap, c.template
	                            FROM push_consents c
	                           WHERE c.address = $1 AND c.template = $2 AND c.spent_at IS NULL
	                           ORDER BY c.given_at DESC
	                          OFFSET $4 LIMIT 1
	                             FOR UPDATE SKIP LOCKED)
	RETURNING tap`)

func (t tables) spendConsent(ctx context.Context, address, template string, keep int, now time.Time) (tap record.ID, found bool, err error) {
	err = t.pool.QueryRow(ctx, consentsSpend, address, template, now, keep).Scan((*[16]byte)(&tap))
	if errors.Is(err, pgx.ErrNoRows) {
		return tap, false, nil
	}
	if err != nil {
		return tap, false, pg.Classify(fmt.Errorf("spending what somebody allows: %w", err))
	}
	return tap, true, nil
}

var consentsBack = pg.Statement("consents_back", `
	UPDATE push_consents
	   SET spent_at = NULL
	 WHERE tap = $1 AND template = $2`)

func (t tables) consentBack(ctx context.Context, tap record.ID, template string) error {
	return t.exec(ctx, "giving back what somebody allows", consentsBack, [16]byte(tap), template)
}

var consentsVoid = pg.Statement("consents_void", `
	UPDATE push_consents
	   SET spent_at = $3
	 WHERE address = $1 AND template = $2 AND spent_at IS NULL`)

func (t tables) voidConsents(ctx context.Context, address, template string, now time.Time) error {
	return t.exec(ctx, "ending what somebody allowed", consentsVoid, address, template, now)
}

var consentsPurge = pg.Statement("consents_purge", `DELETE FROM push_consents c WHERE c.spent_at < $1`)

func (t tables) purgeConsents(ctx context.Context, before time.Time) error {
	return t.exec(ctx, "forgetting what was spent", consentsPurge, before)
}
