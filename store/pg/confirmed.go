package pg

import (
	"context"
	"fmt"
)

// Spool is the slot of an archive that waits on the database's own machine to
// be encrypted. It confirms nothing.
const Spool = "roadbook_spool"

// A slot knows what its owner has put on his disk, also while he is away: then
// it is he who holds everything up, for he might be the one who is promoted.
// Whoever receives without a slot counts while he is there. A file that was
// archived by a command counts to its end.
var confirmedRead = Statement("confirmed_read", `
	WITH slots AS (
	     SELECT s.active_pid, s.restart_lsn AS at
	       FROM pg_replication_slots s
	      WHERE s.slot_type = 'physical' AND NOT s.temporary AND s.slot_name <> '`+Spool+`'
	        AND s.restart_lsn IS NOT NULL AND s.wal_status <> 'lost'),
	others AS (
	     SELECT r.flush_lsn AS at
	       FROM pg_stat_replication r
	      WHERE r.state = 'streaming' AND r.application_name NOT LIKE 'pg_basebackup%' AND r.flush_lsn IS NOT NULL
	        AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid)),
	commanded AS (
	     SELECT a.last_archived_wal AS file
	       FROM pg_stat_archiver a
	      WHERE a.last_archived_wal ~ '^[0-9A-F]{24}$' AND current_setting('archive_mode') <> 'off'
	        AND left(a.last_archived_wal, 8) = left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))
	SELECT coalesce((SELECT min(at)::text FROM (SELECT at FROM slots UNION ALL SELECT at FROM others) t), ''),
	       coalesce((SELECT c.file FROM commanded c), ''),
	       (SELECT i.bytes_per_wal_segment::bigint FROM pg_control_init() i)`)

// Confirmed is the place up to which everybody who receives the WAL says that
// it is on his disk: standbys, the archive, an archive_command. It is false if
// there is nobody.
func Confirmed(ctx context.Context, pool *Pool) (LSN, bool, error) {
	var streamed, file string
	var segment uint64
	if err := pool.QueryRow(ctx, confirmedRead).Scan(&streamed, &file, &segment); err != nil {
		return 0, false, Classify(fmt.Errorf("what standbys and archives have confirmed: %w", err))
	}
	var at LSN
	found := false
	if streamed != "" {
		l, err := ParseLSN(streamed)
		if err != nil {
			return 0, false, err
		}
		at, found = l, true
	}
	if end, ok := segmentEnd(file, segment); ok && (!found || end < at) {
		at, found = end, true
	}
	return at, found, nil
}

// segmentEnd is where a file of the WAL ends.
func segmentEnd(file string, size uint64) (LSN, bool) {
	var timeline, high, low uint64
	if n, err := fmt.Sscanf(file, "%8X%8X%8X", &timeline, &high, &low); n != 3 || err != nil || size == 0 {
		return 0, false
	}
	return LSN(high<<32 + (low+1)*size), true
}
