package people

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg"
)

// Pool is where the tables are.
type Pool = pgxpool.Pool

// tables are those of migration 00002: devices, logins, sessions and the
// count of wrong passwords. What belongs to the line, store reads and writes.
type tables struct {
	pool *Pool
}

func (t tables) inTx(ctx context.Context, fn func(tx pgx.Tx) error) error {
	return pg.InTx(ctx, t.pool, pgx.TxOptions{}, fn)
}

func (t tables) createOrg(ctx context.Context, o store.NewOrg) (record.OrgID, error) {
	var id record.OrgID
	err := t.inTx(ctx, func(tx pgx.Tx) (err error) {
		id, err = store.CreateOrg(ctx, tx, o)
		return err
	})
	return id, err
}

// credentials are what a person signs in with, his password as a PHC string.
type credentials struct {
	org      record.OrgID
	login    string
	person   record.ID
	password string
}

var loginsSave = pg.Statement("logins_save", `
	INSERT INTO logins (org, login, person, password)
	VALUES ($1, $2, $3, $4)
	ON CONFLICT (org, person) DO UPDATE SET login = excluded.login, password = excluded.password`)

var _ = pg.Constraint("logins_login",
	errs.New("people.SetPassword", errs.Clash, "somebody else has this login").Coded("login"))

var sessionsEnd = pg.Statement("sessions_end", `
	UPDATE sessions s
	   SET ended_at = $4
	 WHERE s.org = $1
	   AND s.person = $2
	   AND ($3::uuid IS NULL OR s.device = $3)
	   AND s.ended_at IS NULL`)

func (t tables) savePassword(ctx context.Context, c credentials, now time.Time) error {
	return t.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, loginsSave, c.org, c.login, c.person, c.password); err != nil {
			return fmt.Errorf("saving a password: %w", err)
		}
		if _, err := tx.Exec(ctx, sessionsEnd, c.org, c.person, nil, now); err != nil {
			return fmt.Errorf("ending the sessions of %s: %w", c.person, err)
		}
		return nil
	})
}

func (t tables) endSessions(ctx context.Context, org record.OrgID, person, device record.ID, now time.Time) error {
	if _, err := t.pool.Exec(ctx, sessionsEnd, org, person, device, now); err != nil {
		return pg.Classify(fmt.Errorf("ending the sessions of device %s: %w", device, err))
	}
	return nil
}

var loginsFind = pg.Statement("logins_find", `
	SELECT l.person, l.password
	  FROM logins l
	 WHERE l.org = $1 AND l.login = $2`)

// account looks a login up. It makes the same three steps for every name, so
// that their time tells nothing.
func (t tables) account(ctx context.Context, orgName, login string) (account, error) {
	org, err := store.OrgByName(ctx, t.pool, orgName)
	if err != nil && errs.KindOf(err) != errs.Missing {
		return account{}, err
	}
	found := account{org: org.ID}
	var id record.ID
	err = t.pool.QueryRow(ctx, loginsFind, org.ID, login).Scan(&id, &found.password)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return account{}, pg.Classify(fmt.Errorf("finding a login: %w", err))
	}
	found.person, err = store.ActorOf(ctx, t.pool, org.ID, id)
	if err != nil && errs.KindOf(err) != errs.Missing {
		return account{}, err
	}
	return found, nil
}

var devicesEnded = pg.Statement("devices_ended", `
	SELECT d.id
	  FROM unnest($2::uuid[]) u(id)
	 CROSS JOIN LATERAL (SELECT d.id, d.person, d.revoked_at
	                       FROM devices d
	                      WHERE d.org = $1 AND d.id = u.id
	                     OFFSET 0) d
	  LEFT JOIN LATERAL (SELECT s.id
	                       FROM sessions s
	                      WHERE s.org = $1 AND s.person = d.person AND s.device = d.id AND s.ended_at IS NULL
	                      LIMIT 1) s ON true
	 WHERE d.revoked_at IS NOT NULL OR s.id IS NULL`)

func (t tables) ended(ctx context.Context, org record.OrgID, devices []record.ID) ([]record.ID, error) {
	ids := make([][16]byte, len(devices))
	for i, d := range devices {
		ids[i] = d
	}
	rows, err := t.pool.Query(ctx, devicesEnded, org, ids)
	if err != nil {
		return nil, pg.Classify(fmt.Errorf("finding whose sessions have ended: %w", err))
	}
	ended, err := pgx.CollectRows(rows, pgx.RowTo[record.ID])
	if err != nil {
		return nil, pg.Classify(fmt.Errorf("finding whose sessions have ended: %w", err))
	}
	return ended, nil
}

var devicesInUse = pg.Statement("devices_in_use", `
	SELECT d.id, d.person
	  FROM unnest($2::uuid[]) u(id)
	 CROSS JOIN LATERAL (SELECT d.id, d.person, d.revoked_at
	                       FROM devices d
	                      WHERE d.org = $1 AND d.id = u.id
	                     OFFSET 0) d
	 CROSS JOIN LATERAL (SELECT s.id
	                       FROM sessions s
	                      WHERE s.org = $1 AND s.person = d.person AND s.device = d.id AND s.ended_at IS NULL
	                      LIMIT 1) s
	 WHERE d.revoked_at IS NULL`)

func (t tables) inUse(ctx context.Context, org record.OrgID, devices []record.ID) (map[record.ID]record.ID, error) {
	ids := make([][16]byte, len(devices))
	for i, d := range devices {
		ids[i] = d
	}
	rows, err := t.pool.Query(ctx, devicesInUse, org, ids)
	if err != nil {
		return nil, pg.Classify(fmt.Errorf("finding who uses devices: %w", err))
	}
	users := map[record.ID]record.ID{}
	var device, person [16]byte
	_, err = pgx.ForEachRow(rows, []any{&device, &person}, func() error {
		users[device] = person
		return nil
	})
	if err != nil {
		return nil, pg.Classify(fmt.Errorf("finding who uses devices: %w", err))
	}
	return users, nil
}

var devicesSave = pg.Statement("devices_save", `
	INSERT INTO devices AS d (org, id, person, install, kind, platform, app, created_at, seen_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
	ON CONFLICT (org, install, person) DO UPDATE
	   SET kind = excluded.kind, platform = excluded.platform, app = excluded.app, seen_at = excluded.seen_at
	RETURNING d.id, d.revoked_at IS NOT NULL`)

// A device has one session; those before it are of no more use to anybody who
// should have them.
var sessionsDrop = pg.Statement("sessions_drop", `
	DELETE FROM sessions s
	 WHERE s.org = $1 AND s.person = $2 AND s.device = $3`)

var sessionsInsert = pg.Statement("sessions_insert", `
	INSERT INTO sessions (org, id, person, device, next, created_at, expires_at)
	VALUES ($1, $2, $3, $4, ARRAY[$5::bytea], $6, $7)`)

// admit makes the session f for the device of a request, or of its install if
// that is known, and finds the replica that the device is to write as.
func (t tables) admit(ctx context.Context, req signIn, f family, now time.Time, draw func() int32) (admitted, error) {
	var got admitted
	err := t.inTx(ctx, func(tx pgx.Tx) error {
		got = admitted{family: f}
		err := tx.QueryRow(ctx, devicesSave, f.org, f.device, f.person, req.install,
			req.device.Kind, req.device.Platform, req.device.App, now,
		).Scan(&got.family.device, &got.family.revoked)
		if err != nil {
			return fmt.Errorf("saving device %s: %w", f.device, err)
		}
		if got.family.revoked {
			return errRevoked("people.Login")
		}
		if err := replaceSession(ctx, tx, got.family, now); err != nil {
			return err
		}
		got.replica, err = store.ClaimReplica(ctx, tx, f.org, got.family.device, f.person, req.fresh, draw)
		if err != nil {
			return err
		}
		got.log, err = store.LogOf(ctx, tx, f.org)
		return err
	})
	return got, err
}

func replaceSession(ctx context.Context, tx pgx.Tx, f family, now time.Time) error {
	if _, err := tx.Exec(ctx, sessionsDrop, f.org, f.person, f.device); err != nil {
		return fmt.Errorf("dropping the sessions of device %s: %w", f.device, err)
	}
	_, err := tx.Exec(ctx, sessionsInsert, f.org, f.id, f.person, f.device, f.next[0], now, f.expires)
	if err != nil {
		return fmt.Errorf("adding session %s: %w", f.id, err)
	}
	return nil
}

var sessionsFind = pg.Statement("sessions_find", `
	SELECT s.person, s.device, d.install, d.revoked_at IS NOT NULL, s.spent, s.next, s.expires_at, s.ended_at
	  FROM sessions s
	  JOIN devices d ON d.org = s.org AND d.id = s.device
	 WHERE s.org = $1 AND s.id = $2
	   FOR UPDATE OF s`)

var sessionsTurn = pg.Statement("sessions_turn", `
	UPDATE sessions s
	   SET spent = $3, next = $4, expires_at = $5, ended_at = $6
	 WHERE s.org = $1 AND s.id = $2`)

// changeFamily lets change judge a session, alone with it, and keeps what came
// of it, also when it is refused: a family that ends stays ended.
func (t tables) changeFamily(
	ctx context.Context, org record.OrgID, id record.ID, change func(family) (family, error),
) (family, store.Person, error) {
	var f family
	var person store.Person
	var refusal error
	err := t.inTx(ctx, func(tx pgx.Tx) (err error) {
		f = family{org: org, id: id}
		err = tx.QueryRow(ctx, sessionsFind, org, id).Scan(&f.person, &f.device, &f.install,
			&f.revoked, &f.spent, &f.next, &f.expires, &f.ended)
		if errors.Is(err, pgx.ErrNoRows) {
			return anonymous("people.Refresh", errUnknown)
		}
		if err != nil {
			return fmt.Errorf("finding session %s: %w", id, err)
		}
		person, err = store.ActorOf(ctx, tx, org, f.person)
		if err != nil && errs.KindOf(err) != errs.Missing {
			return err
		}
		if !person.Active {
			return anonymous("people.Refresh", errInactive)
		}
		f, refusal = change(f)
		_, err = tx.Exec(ctx, sessionsTurn, org, id, f.spent, f.next, f.expires, f.ended)
		return err
	})
	if err == nil {
		err = refusal
	}
	return f, person, err
}

// A failure counts if there is room for it: the row's lock makes several
// servers take turns.
var attemptsCount = pg.Statement("attempts_count", `
	INSERT INTO login_attempts AS a (org, subject, failed_at, last_at)
	VALUES ($1, $2, ARRAY[$3::timestamptz], $3)
	ON CONFLICT (org, subject) DO UPDATE
	   SET failed_at = ARRAY(SELECT t FROM unnest(a.failed_at) t WHERE t > $4 ORDER BY t) || excluded.failed_at,
	       last_at = excluded.last_at
	 WHERE (SELECT count(*) FROM unnest(a.failed_at) t WHERE t > $4) < $5`)

// What has left the window is swept by whoever comes next, a few at a time, so
// that names nobody has do not pile up.
var attemptsSweep = pg.Statement("attempts_sweep", `
	DELETE FROM login_attempts a
	 WHERE a.org = $1
	   AND a.subject IN (SELECT o.subject
	                       FROM login_attempts o
	                      WHERE o.org = $1 AND o.last_at <= $2
	                      ORDER BY o.last_at
	                      LIMIT 10
	                        FOR UPDATE SKIP LOCKED)`)

// countFailure counts one more, unless the limit is reached already.
func (t tables) countFailure(ctx context.Context, of subject, now time.Time) (counted bool, err error) {
	cutoff := now.Add(-failureWindow)
	if _, err := t.pool.Exec(ctx, attemptsSweep, of.org, cutoff); err != nil {
		return false, pg.Classify(fmt.Errorf("sweeping wrong passwords: %w", err))
	}
	tag, err := t.pool.Exec(ctx, attemptsCount, of.org, of.name, now, cutoff, of.limit)
	if err != nil {
		return false, pg.Classify(fmt.Errorf("counting a wrong password: %w", err))
	}
	return tag.RowsAffected() == 1, nil
}

var attemptsNth = pg.Statement("attempts_nth", `
	SELECT t
	  FROM login_attempts a, unnest(a.failed_at) t
	 WHERE a.org = $1 AND a.subject = $2 AND t > $3
	 ORDER BY t DESC
	OFFSET $4 LIMIT 1`)

// fullSince is the oldest of the failures after a moment that fill the limit,
// if there are as many.
func (t tables) fullSince(ctx context.Context, of subject, after time.Time) (oldest time.Time, full bool, err error) {
	err = t.pool.QueryRow(ctx, attemptsNth, of.org, of.name, after, of.limit-1).Scan(&oldest)
	if errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, pg.Classify(fmt.Errorf("looking for wrong passwords: %w", err))
	}
	return oldest, true, nil
}

var attemptsForget = pg.Statement("attempts_forget", `
	DELETE FROM login_attempts a WHERE a.org = $1 AND a.subject = $2`)

func (t tables) forgetFailures(ctx context.Context, of subject) error {
	if _, err := t.pool.Exec(ctx, attemptsForget, of.org, of.name); err != nil {
		return pg.Classify(fmt.Errorf("forgetting wrong passwords: %w", err))
	}
	return nil
}
