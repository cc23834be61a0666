package push

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"roadbook/jobs"
	"roadbook/record"
	"roadbook/store/pg"
)

// The states of a delivery. Those of the notification as a whole stand in the row
// without a device.
const (
	stateSending  = "sending"  // the channel has been asked, or is about to be
	stateAsked    = "asked"    // it gave no answer, and is asked again
	stateWaiting  = "waiting"  // it did not take it, and may later
	stateSent     = "sent"     // it took it
	stateSilenced = "silenced" // it was read elsewhere, and the device was told so
	stateFailed   = "failed"   // it will not take it
	stateUnknown  = "unknown"  // it never answered

	stateNowhere = "nowhere" // as a whole: there was no device to send it to
	stateLost    = "lost"    // as a whole: no channel has taken it
)

// abandoned is when whoever has begun to send something is certainly no longer at
// it: its job's time is over, and another may have the job.
const abandoned = jobs.Timeout + 5*time.Second

// maxReason is how much of what a channel says is kept.
const maxReason = 500

// clipped is the beginning of what somebody outside has said.
func clipped(reason string) string {
	return strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
}

// Of two servers with the same job one claims, the other sees that it is taken.
var pushClaim = pg.Statement("push_claim", `
	INSERT INTO push_deliveries AS d (org, notification, device, channel, state, tries, at, begun_at)
	VALUES ($1, $2, $3, $4, 'sending', 1, $5, $5)
	ON CONFLICT ON CONSTRAINT push_deliveries_key DO UPDATE
	   SET state = CASE WHEN d.state <> 'waiting' AND d.tries >= $6 THEN 'unknown' ELSE 'sending' END,
	       tries = CASE WHEN d.state = 'waiting' THEN 1 WHEN d.tries < $6 THEN d.tries + 1 ELSE d.tries END,
	       at = excluded.at
	 WHERE d.state IN ('asked', 'waiting') OR d.state = 'sending' AND d.at <= $7
	RETURNING d.state, d.put_off, d.begun_at, xmax = 0`)

var pushState = pg.Statement("push_state", `
	SELECT d.state, d.put_off, d.begun_at
	  FROM push_deliveries d
	 WHERE d.org = $1 AND d.notification = $2 AND d.device = $3 AND d.channel = $4`)

// claimed is what is to be done about a device.
type claimed struct {
	ours   bool // it is to be sent to, by whoever asks
	fresh  bool // for the first time
	state  string
	putOff int
	begun  time.Time
}

// claim says what is to be done with a device: it is to be sent to, or what has
// become of that.
func (t tables) claim(ctx context.Context, org record.OrgID, n, device record.ID, channel string, now time.Time) (c claimed, err error) {
	err = t.pool.QueryRow(ctx, pushClaim, org, [16]byte(n), [16]byte(device), channel, now, maxUnanswered, now.Add(-abandoned)).
		Scan(&c.state, &c.putOff, &c.begun, &c.fresh)
	c.ours = err == nil && c.state == stateSending
	if errors.Is(err, pgx.ErrNoRows) {
		err = t.pool.QueryRow(ctx, pushState, org, [16]byte(n), [16]byte(device), channel).Scan(&c.state, &c.putOff, &c.begun)
	}
	if err != nil {
		return claimed{}, pg.Classify(fmt.Errorf("beginning a delivery: %w", err))
	}
	return c, nil
}

var pushAnswered = pg.Statement("push_answered", `
	UPDATE push_deliveries
	   SET state = $5, reason = $6, at = $7, receipt = CASE WHEN $8 = '' THEN receipt ELSE $8 END, put_off = put_off + CASE WHEN $5 = 'waiting' THEN 1 ELSE 0 END
	 WHERE org = $1 AND notification = $2 AND device = $3 AND channel = $4`)

func (t tables) answered(
	ctx context.Context, org record.OrgID, n, device record.ID, channel, state, reason, receipt string, now time.Time,
) error {
	return t.exec(ctx, "keeping what became of a delivery", pushAnswered,
		org, [16]byte(n), [16]byte(device), channel, state, clipped(reason), now, receipt)
}

var pushVerdict = pg.Statement("push_verdict", `
	INSERT INTO push_deliveries AS d (org, notification, device, channel, state, tries, reason, at, begun_at)
	VALUES ($1, $2, '00000000-0000-0000-0000-000000000000', '', $3, 0, $4, $5, $5)
	ON CONFLICT ON CONSTRAINT push_deliveries_key DO UPDATE SET state = excluded.state, reason = excluded.reason, at = excluded.at`)

func (t tables) verdictIn(ctx context.Context, tx Tx, org record.OrgID, n record.ID, state, reason string, now time.Time) error {
	_, err := tx.Exec(ctx, pushVerdict, org, [16]byte(n), state, clipped(reason), now)
	return err
}

// verdict keeps that a notification has reached nobody, and why.
func (t tables) verdict(ctx context.Context, org record.OrgID, n record.ID, state, reason string, now time.Time) error {
	return t.exec(ctx, "keeping that nobody was reached", pushVerdict, org, [16]byte(n), state, clipped(reason), now)
}

var pushReached = pg.Statement("push_reached", `
	DELETE FROM push_deliveries
	 WHERE org = $1 AND notification = $2 AND device = '00000000-0000-0000-0000-000000000000' AND channel = '' AND state IN ('nowhere', 'lost')`)

// reached takes back that a notification has reached nobody.
func (t tables) reached(ctx context.Context, org record.OrgID, n record.ID) error {
	return t.exec(ctx, "keeping that somebody was reached", pushReached, org, [16]byte(n))
}

// What is being sent to at this moment may show it in the next.
var pushShown = pg.Statement("push_shown", `
	SELECT d.device, d.channel, coalesce(c.address, ''), d.receipt, d.state IN ('sending', 'asked') AND d.at > $3
	  FROM push_deliveries d
	  LEFT JOIN LATERAL (SELECT c.address FROM push_channels c
	                      WHERE c.org = d.org AND c.device = d.device AND c.channel = d.channel AND c.dead_at IS NULL OFFSET 0) c ON true
	 WHERE d.org = $1 AND d.notification = $2 AND d.state IN ('sent', 'unknown', 'sending', 'asked')
	 ORDER BY d.device, d.channel`)

// shows is a device that may show a notification.
type shows struct {
	route
	receipt string
}

// shown are the devices that may show a notification, and whether another is
// being sent it.
func (t tables) shown(ctx context.Context, org record.OrgID, n record.ID, now time.Time) (all []shows, under bool, err error) {
	rows, err := t.pool.Query(ctx, pushShown, org, [16]byte(n), now.Add(-abandoned))
	if err == nil {
		var s shows
		var sending bool
		_, err = pgx.ForEachRow(rows, []any{(*[16]byte)(&s.Device), &s.Channel, &s.Token, &s.receipt, &sending}, func() error {
			if under = under || sending; !sending {
				all = append(all, s)
			}
			return nil
		})
	}
	if err != nil {
		return nil, false, pg.Classify(fmt.Errorf("finding who shows a notification: %w", err))
	}
	return all, under, nil
}

var pushDeliveriesOf = pg.Statement("push_deliveries_of", `
	SELECT d.device, d.channel, d.state, d.reason, d.tries, d.put_off, d.at
	  FROM push_deliveries d
	 WHERE d.org = $1 AND d.notification = $2
	 ORDER BY d.channel, d.device`)

// deliveries are those of one notification.
func (t tables) deliveries(ctx context.Context, org record.OrgID, n record.ID) ([]Delivery, error) {
	rows, err := t.pool.Query(ctx, pushDeliveriesOf, org, [16]byte(n))
	if err != nil {
		return nil, pg.Classify(fmt.Errorf("reading deliveries: %w", err))
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d Delivery, err error) {
		err = row.Scan((*[16]byte)(&d.Device), &d.Channel, &d.State, &d.Reason, &d.Unanswered, &d.PutOff, &d.At)
		return d, err
	})
	return all, pg.Classify(err)
}

var pushUndelivered = pg.Statement("push_undelivered", `
	SELECT d.notification, d.state, d.reason, d.at
	  FROM push_deliveries d
	 WHERE d.org = $1 AND d.device = '00000000-0000-0000-0000-000000000000' AND d.state IN ('nowhere', 'lost')
	   AND (d.at, d.notification) < ($2, $3)
	 ORDER BY d.at DESC, d.notification DESC
	 LIMIT $4`)

// undelivered are the notifications that have reached nobody, the newest first.
func (t tables) undelivered(ctx context.Context, org record.OrgID, before mark, limit int) ([]Undelivered, error) {
	rows, err := t.pool.Query(ctx, pushUndelivered, org, before.at, [16]byte(before.id), limit)
	if err != nil {
		return nil, pg.Classify(fmt.Errorf("reading what reached nobody: %w", err))
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (u Undelivered, err error) {
		err = row.Scan((*[16]byte)(&u.Notification), &u.State, &u.Reason, &u.At)
		return u, err
	})
	return all, pg.Classify(err)
}

var pushReplay = pg.Statement("push_replay", `
	DELETE FROM push_deliveries
	 WHERE org = $1 AND notification = $2 AND state IN ('failed', 'unknown', 'waiting', 'asked', 'nowhere', 'lost')
	RETURNING device`)

// anew forgets what came to nothing of a notification, if nobody was reached.
func (t tables) anew(ctx context.Context, tx Tx, org record.OrgID, n record.ID) (undelivered bool, err error) {
	rows, err := tx.Query(ctx, pushReplay, org, [16]byte(n))
	if err == nil {
		var device record.ID
		_, err = pgx.ForEachRow(rows, []any{(*[16]byte)(&device)}, func() error {
			undelivered = undelivered || device.IsZero()
			return nil
		})
	}
	if err != nil {
		return false, fmt.Errorf("forgetting what came to nothing: %w", err)
	}
	return undelivered, nil
}

var pushDeliveriesPurge = pg.Statement("push_deliveries_purge", `
	DELETE FROM push_deliveries
	 WHERE ctid = ANY (ARRAY(SELECT d.ctid FROM push_deliveries d WHERE d.at < $1 ORDER BY d.at LIMIT $2))`)

// purge forgets deliveries that are older than a moment, so many at once, and
// reports how many.
func (t tables) purge(ctx context.Context, before time.Time, limit int) (int64, error) {
	tag, err := t.pool.Exec(ctx, pushDeliveriesPurge, before, limit)
	return tag.RowsAffected(), pg.Classify(err)
}
