package pg

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Pool is connections to one database.
type Pool = pgxpool.Pool

// Cluster is a PostgreSQL as a whole.
type Cluster struct {
	System   string // its identifier, which its backups and standbys share
	Version  string // "15.18"
	Major    int
	Segment  uint64 // bytes of a file of the WAL
	Bytes    int64  // of its databases
	Database string
	Standby  bool
	Timeline string // eight digits; "" of a standby
}

var clusterRead = Statement("cluster_read", `
	SELECT (SELECT c.system_identifier::text FROM pg_control_system() c),
	       split_part(current_setting('server_version'), ' ', 1),
	       current_setting('server_version_num')::int / 10000,
	       (SELECT i.bytes_per_wal_segment::bigint FROM pg_control_init() i),
	       (SELECT coalesce(sum(pg_database_size(d.oid)), 0)::bigint FROM pg_database d
	         WHERE has_database_privilege(d.oid, 'CONNECT')),
	       current_database(),
	       pg_is_in_recovery(),
	       CASE WHEN pg_is_in_recovery() THEN '' ELSE substring(pg_walfile_name(pg_current_wal_insert_lsn()) FOR 8) END`)

// ClusterOf reads what PostgreSQL says of itself.
func ClusterOf(ctx context.Context, pool *Pool) (Cluster, error) {
	var c Cluster
	err := pool.QueryRow(ctx, clusterRead).Scan(&c.System, &c.Version, &c.Major, &c.Segment, &c.Bytes, &c.Database, &c.Standby,
		&c.Timeline)
	if err != nil {
		return c, Classify(fmt.Errorf("what PostgreSQL this is: %w", err))
	}
	return c, nil
}

var lifeRead = Statement("life_read", `
	SELECT (SELECT c.system_identifier::text FROM pg_control_system() c) || '/' ||
	       substring(pg_walfile_name(pg_current_wal_insert_lsn()) FOR 8)`)

// LifeOf is the cluster and the timeline that a database is on.
func LifeOf(ctx context.Context, pool *Pool) (life string, err error) {
	if err = pool.QueryRow(ctx, lifeRead).Scan(&life); err != nil {
		err = Classify(fmt.Errorf("life of the database: %w", err))
	}
	return life, err
}

var walEnd = Statement("wal_end", `SELECT pg_current_wal_insert_lsn()::text`)

// WALEnd is a place behind everything that was visible when it was asked for.
func WALEnd(ctx context.Context, pool *Pool) (LSN, error) {
	l, err := lsn(ctx, pool, walEnd)
	return l.floor(), err
}

var walSwitch = Statement("wal_switch", `SELECT pg_switch_wal()::text`)

// SwitchWAL ends the current file of the WAL, so that it can be put away.
func SwitchWAL(ctx context.Context, pool *Pool) (LSN, error) { return lsn(ctx, pool, walSwitch) }

func lsn(ctx context.Context, pool *Pool, sql SQL) (LSN, error) {
	var text string
	if err := pool.QueryRow(ctx, sql).Scan(&text); err != nil {
		return 0, Classify(fmt.Errorf("a place in the WAL: %w", err))
	}
	return ParseLSN(text)
}

var walHold = Statement("wal_hold", `
	SELECT 1 FROM pg_create_physical_replication_slot('roadbook_hold_' || pg_backend_pid(), true, true)`)

// HoldWAL keeps the WAL from here on until release is called or we are gone.
func HoldWAL(ctx context.Context, pool *Pool) (release func(), err error) {
	taken, err := pool.Acquire(ctx)
	if err != nil {
		return nil, Classify(err)
	}
	conn := taken.Hijack() // the slot lives as long as its connection
	if _, err := conn.Exec(ctx, walHold); err != nil {
		_ = conn.Close(ctx)
		return nil, Classify(fmt.Errorf("holding the WAL: %w", err))
	}
	return func() { _ = conn.Close(context.WithoutCancel(ctx)) }, nil
}

// Slot is what PostgreSQL remembers of somebody who receives the WAL.
type Slot struct {
	Active bool // he is there
	Lost   bool // what he needs next is gone
}

var slotRead = Statement("slot_read", `
	SELECT s.active, coalesce(s.wal_status = 'lost', false) OR s.restart_lsn IS NULL
	  FROM pg_replication_slots s
	 WHERE s.slot_name = $1`)

// SlotOf finds a slot by name; there may be none.
func SlotOf(ctx context.Context, pool *Pool, name string) (s Slot, found bool, err error) {
	err = pool.QueryRow(ctx, slotRead, name).Scan(&s.Active, &s.Lost)
	if errors.Is(err, pgx.ErrNoRows) {
		return s, false, nil
	}
	if err != nil {
		return s, false, Classify(fmt.Errorf("slot %s: %w", name, err))
	}
	return s, true, nil
}

var slotMake = Statement("slot_make", `SELECT 1 FROM pg_create_physical_replication_slot($1, true)`)

// MakeSlot keeps the WAL from here on for somebody, until he has received it.
// One that is there already stays as it is.
func MakeSlot(ctx context.Context, pool *Pool, name string) error {
	const duplicateObject = "42710"
	_, err := pool.Exec(ctx, slotMake, name)
	if said, ok := errors.AsType[*pgconn.PgError](err); ok && said.Code == duplicateObject {
		return nil
	}
	if err != nil {
		return Classify(fmt.Errorf("making the slot %s: %w", name, err))
	}
	return nil
}

var slotDrop = Statement("slot_drop", `
	SELECT pg_drop_replication_slot(s.slot_name)
	  FROM pg_replication_slots s
	 WHERE s.slot_name = $1 AND NOT s.active`)

// DropSlot forgets somebody who is not there. There may be none.
func DropSlot(ctx context.Context, pool *Pool, name string) error {
	if _, err := pool.Exec(ctx, slotDrop, name); err != nil {
		return Classify(fmt.Errorf("dropping the slot %s: %w", name, err))
	}
	return nil
}
