package push

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"roadbook/record"
	"roadbook/store/pg"
)

// Pool is where the tables are.
type Pool = pgxpool.Pool

// Tx is a transaction there.
type Tx = pgx.Tx

// tables are those of migration 00013.
type tables struct{ pool *Pool }

func (t tables) inTx(ctx context.Context, fn func(tx Tx) error) error {
	return pg.InTx(ctx, t.pool, pgx.TxOptions{}, fn)
}

// route is one way to one device.
type route struct {
	Device  record.ID
	Channel string
	Token   string
}

func scanRoute(row pgx.CollectableRow) (r route, err error) {
	err = row.Scan((*[16]byte)(&r.Device), &r.Channel, &r.Token)
	return r, err
}

var pushChannelsOf = pg.Statement("push_channels_of", `
	SELECT c.device, c.channel, c.address
	  FROM push_channels c
	 WHERE c.org = $1 AND c.person = $2 AND c.dead_at IS NULL
	 ORDER BY c.device, c.channel`)

// channelsOf are the ways to somebody's devices.
func (t tables) channelsOf(ctx context.Context, org record.OrgID, person record.ID) ([]route, error) {
	return t.routes(ctx, pushChannelsOf, org, [16]byte(person))
}

func (t tables) routes(ctx context.Context, sql pg.SQL, args ...any) ([]route, error) {
	rows, err := t.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, pg.Classify(fmt.Errorf("finding the ways to somebody: %w", err))
	}
	all, err := pgx.CollectRows(rows, scanRoute)
	if err != nil {
		return nil, pg.Classify(fmt.Errorf("finding the ways to somebody: %w", err))
	}
	return all, nil
}

// A token is one device's: whoever brings it last has it.
var pushChannelsTake = pg.Statement("push_channels_take", `
	DELETE FROM push_channels c
	 WHERE c.channel = $3 AND c.address = $4 AND NOT (c.org = $1 AND c.device = $2)`)

var pushChannelsSave = pg.Statement("push_channels_save", `
	INSERT INTO push_channels (org, device, channel, person, address, set_at)
	VALUES ($1, $2, $3, $4, $5, $6)
	ON CONFLICT ON CONSTRAINT push_channels_key DO UPDATE
	   SET person = excluded.person, address = excluded.address, set_at = excluded.set_at, dead_at = NULL`)

func (t tables) save(ctx context.Context, org record.OrgID, person record.ID, r route, now time.Time) error {
	return t.inTx(ctx, func(tx Tx) error {
		if _, err := tx.Exec(ctx, pushChannelsTake, org, [16]byte(r.Device), r.Channel, r.Token); err != nil {
			return fmt.Errorf("taking an address over: %w", err)
		}
		_, err := tx.Exec(ctx, pushChannelsSave, org, [16]byte(r.Device), r.Channel, [16]byte(person), r.Token, now)
		if err != nil {
			return fmt.Errorf("keeping a way to a device: %w", err)
		}
		return nil
	})
}

var pushChannelsDrop = pg.Statement("push_channels_drop", `
	DELETE FROM push_channels c
	 WHERE c.org = $1 AND c.device = $2 AND c.channel = $3`)

func (t tables) drop(ctx context.Context, org record.OrgID, device record.ID, channel string) error {
	return t.exec(ctx, "forgetting a way to a device", pushChannelsDrop, org, [16]byte(device), channel)
}

var pushChannelsBury = pg.Statement("push_channels_bury", `
	UPDATE push_channels
	   SET dead_at = $4
	 WHERE org = $1 AND device = $2 AND channel = $3`)

// bury has a way to a device that leads nowhere not gone again.
func (t tables) bury(ctx context.Context, org record.OrgID, device record.ID, channel string, now time.Time) error {
	return t.exec(ctx, "giving up a way to a device", pushChannelsBury, org, [16]byte(device), channel, now)
}

func (t tables) exec(ctx context.Context, what string, sql pg.SQL, args ...any) error {
	if _, err := t.pool.Exec(ctx, sql, args...); err != nil {
		return pg.Classify(fmt.Errorf("%s: %w", what, err))
	}
	return nil
}

var presenceRead = pg.Statement("presence_read", `
	SELECT p.person
	  FROM presence p
	 WHERE p.org = $1 AND p.person = $2 AND p.until > $3
	 LIMIT 1`)

// present reports whether somebody listens, on whichever server.
func (t tables) present(ctx context.Context, org record.OrgID, person record.ID, now time.Time) (bool, error) {
	var id [16]byte
	err := t.pool.QueryRow(ctx, presenceRead, org, [16]byte(person), now).Scan(&id)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case err != nil:
		return false, pg.Classify(fmt.Errorf("finding out whether somebody listens: %w", err))
	}
	return true, nil
}

var presenceWrite = pg.Statement("presence_write", `
	INSERT INTO presence (org, person, node, until)
	SELECT $1, u.person, $2, $4
	  FROM unnest($3::uuid[]) u(person)
	ON CONFLICT ON CONSTRAINT presence_key DO UPDATE SET until = excluded.until`)

func (t tables) seen(ctx context.Context, org record.OrgID, node record.ID, people []record.ID, until time.Time) error {
	ids := make([][16]byte, len(people))
	for i, p := range people {
		ids[i] = p
	}
	return t.exec(ctx, "saying who listens", presenceWrite, org, [16]byte(node), ids, until)
}

var presenceForget = pg.Statement("presence_forget", `
	DELETE FROM presence p
	 WHERE p.until < $1`)

func (t tables) forgetAbsent(ctx context.Context, now time.Time) error {
	return t.exec(ctx, "forgetting who listens no longer", presenceForget, now)
}
