package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
)

var pinsCount = pg.Statement("pins_count", `
	SELECT p.rec, count(*)
	  FROM pins p
	 WHERE p.org = $1
	 GROUP BY p.rec`)

// Pinned counts the devices that pin each account.
func (tx Tx) Pinned(ctx context.Context) (map[record.ID]int, error) {
	rows, err := tx.Query(ctx, pinsCount, tx.Org)
	if err != nil {
		return nil, fmt.Errorf("pins: %w", err)
	}
	out := map[record.ID]int{}
	var rec record.ID
	var n int
	_, err = pgx.ForEachRow(rows, []any{(*[16]byte)(&rec), &n}, func() error {
		out[rec] = n
		return nil
	})
	return out, err
}

// Pin is an account that a device has pinned.
type Pin struct {
	Rec  record.ID
	Used time.Time // when the device last asked for anything, to a day or so
}

var pinsOf = pg.Statement("pins_of", `
	SELECT p.rec, p.used
	  FROM pins p
	 WHERE p.org = $1 AND p.device = $2
	 ORDER BY p.rec`)

// PinsOf lists what a device has pinned.
func (tx Tx) PinsOf(ctx context.Context, device record.ID) ([]Pin, error) {
	return collect(ctx, tx, "pins of a device", pinsOf, func(rows pgx.CollectableRow) (Pin, error) {
		var p Pin
		return p, rows.Scan((*[16]byte)(&p.Rec), &p.Used)
	}, tx.Org, [16]byte(device))
}

// Repin is a change of what a device has pinned.
type Repin struct {
	Device    record.ID
	Add, Take []record.ID
	Now       time.Time
}

var pinsInsert = pg.Statement("pins_insert", `
	INSERT INTO pins (org, device, rec, used)
	SELECT $1, $2, u.rec, $3
	  FROM unnest($4::uuid[]) u(rec)`)

var pinsDelete = pg.Statement("pins_delete", `
	DELETE FROM pins p
	 USING unnest($3::uuid[]) u(rec)
	 WHERE p.org = $1 AND p.device = $2 AND p.rec = u.rec`)

func (r Repin) queue(b *batch, org record.OrgID) {
	if len(r.Take) > 0 {
		b.Queue(pinsDelete, org, [16]byte(r.Device), raw(r.Take))
	}
	if len(r.Add) > 0 {
		b.Queue(pinsInsert, org, [16]byte(r.Device), r.Now, raw(r.Add))
	}
}

var pinsTouch = pg.Statement("pins_touch", `
	UPDATE pins p
	   SET used = $3
	 WHERE p.org = $1 AND p.device = $2 AND p.used < $3`)

// TouchPins notes that a device has asked for something.
func (s *Store) TouchPins(ctx context.Context, org record.OrgID, device record.ID, now time.Time) error {
	_, err := s.pool.Exec(ctx, pinsTouch, org, [16]byte(device), now)
	return pg.Classify(err)
}

// Idle is a device with pins that has asked for nothing for a while.
type Idle struct {
	Org    record.OrgID
	Device record.ID
}

var pinsIdle = pg.Statement("pins_idle", `
	SELECT DISTINCT p.org, p.device
	  FROM pins p
	 WHERE p.used < $1
	 ORDER BY 1, 2
	 LIMIT $2`)

// IdlePins lists devices of all orgs that have asked for nothing since then.
func (s *Store) IdlePins(ctx context.Context, since time.Time, limit int) ([]Idle, error) {
	return all(ctx, s, pinsIdle, func(row pgx.CollectableRow) (Idle, error) {
		var i Idle
		return i, row.Scan(&i.Org, (*[16]byte)(&i.Device))
	}, since, limit)
}
