package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
)

// What no device can ask for any more is purged in small steps, each a
// transaction of its own: nobody waits for longer than for a commit of some
// size, and what is interrupted goes on at the next time.

var logBefore = pg.Statement("log_before", `
	SELECT m.seq, m.arrived
	  FROM mutations m
	 WHERE m.org = $1 AND m.seq <= $2
	 ORDER BY m.seq DESC
	 LIMIT 1`)

// SeqAt is the last place in the log that was written before a moment, 0 if
// there is none. Rows arrive in the order of the log, or nearly: a clock that
// was set back makes it a little earlier or later.
func (tx Tx) SeqAt(ctx context.Context, at time.Time) (record.Seq, error) {
	last := func(upTo record.Seq) (seq record.Seq, before bool, err error) {
		var arrived time.Time
		err = tx.QueryRow(ctx, logBefore, tx.Org, upTo).Scan(&seq, &arrived)
		if errors.Is(err, pgx.ErrNoRows) {
			return 0, true, nil
		}
		return seq, arrived.Before(at), err
	}
	old, young := record.Seq(0), record.Seq(1<<62) // the epochs of a log leave gaps, so it is not its rows that are halved
	for young-old > 1 {
		middle := old + (young-old)/2
		_, before, err := last(middle)
		if err != nil {
			return 0, fmt.Errorf("the log at %s: %w", at, err)
		}
		if before {
			old = middle
		} else {
			young = middle
		}
	}
	seq, _, err := last(old)
	return seq, err
}

var recordsTombs = pg.Statement("records_tombs", `
	SELECT r.id
	  FROM records r
	 WHERE r.org = $1 AND r.state = 1 AND r.id > $2 AND r.seq <= $3
	   AND (SELECT c.id FROM records c WHERE c.org = $1 AND c.parent = r.id LIMIT 1) IS NULL
	 ORDER BY r.id
	 LIMIT $4`)

// Tombs finds tombstones that are not younger than a place in the log and have
// nothing below them, in the order of their ids.
func (tx Tx) Tombs(ctx context.Context, after record.ID, upTo record.Seq, limit int) ([]record.ID, error) {
	return collect(ctx, tx, "tombstones", recordsTombs, func(rows pgx.CollectableRow) (record.ID, error) {
		var id record.ID
		return id, rows.Scan((*[16]byte)(&id))
	}, tx.Org, [16]byte(after), upTo, limit)
}

var recordsPurge = pg.Statement("records_purge", `
	DELETE FROM records r
	 USING unnest($2::uuid[]) u(id)
	 CROSS JOIN LATERAL (SELECT i.ctid FROM records i WHERE i.org = $1 AND i.id = u.id AND i.state = 1 OFFSET 0) i
	 WHERE r.ctid = i.ctid`)

func queuePurged(b *batch, org record.OrgID, purged []record.ID) {
	if len(purged) > 0 {
		b.Queue(recordsPurge, org, raw(purged))
	}
}

var scopesOfOrg = pg.Statement("scopes_of_org", `SELECT s.id FROM scopes s WHERE s.org = $1 ORDER BY s.id`)

// ScopesOf lists the scopes of an org.
func (s *Store) ScopesOf(ctx context.Context, org record.OrgID) ([]record.ScopeID, error) {
	return all(ctx, s, scopesOfOrg, pgx.RowTo[record.ScopeID], org)
}

var indexStretch = pg.Statement("index_stretch", `
	SELECT coalesce(max(s.seq), 0), count(*)
	  FROM (SELECT i.seq
	          FROM scope_index i
	         WHERE i.org = $1 AND i.scope = $2 AND i.seq > $3 AND i.seq <= $4
	         ORDER BY i.seq
	         LIMIT $5) s`)

// A row says something as long as it is where the record was last in the scope.
// Once it is not it never will be again.
var indexPurge = pg.Statement("index_purge", `
	DELETE FROM scope_index s
	 USING (SELECT i.ctid, i.op, i.scope, i.seq, r.seq AS own, r.entered[array_position(r.scopes, i.scope)] AS entered
	          FROM scope_index i
	          LEFT JOIN LATERAL (SELECT r.seq, r.scopes, r.entered FROM records r WHERE r.org = $1 AND r.id = i.rec OFFSET 0) r ON true
	         WHERE i.org = $1 AND i.scope = $2 AND i.seq > $3 AND i.seq <= $4) d
	 WHERE s.ctid = d.ctid
	   AND (d.op = 1 OR d.entered IS NULL OR d.seq <> greatest(d.own, d.entered))`)

// PurgeIndex deletes, of one scope, the rows up to a place in the log that say
// that something left, and those that another has taken the place of. It goes
// on after a place and returns the next, 0 at the end.
func (s *Store) PurgeIndex(
	ctx context.Context, org record.OrgID, scope record.ScopeID, after, upTo record.Seq, limit int,
) (next record.Seq, purged int64, err error) {
	var n int
	if err = s.pool.QueryRow(ctx, indexStretch, org, scope, after, upTo, limit).Scan(&next, &n); err != nil || n == 0 {
		return 0, 0, pg.Classify(err)
	}
	tag, err := s.pool.Exec(ctx, indexPurge, org, scope, after, next)
	if err != nil {
		return 0, 0, pg.Classify(err)
	}
	if n < limit {
		next = 0
	}
	return next, tag.RowsAffected(), nil
}

// What else ends with the horizon, each with the most rows of one step.
var purges = []pg.SQL{
	pg.Statement("grants_purge", `
	DELETE FROM grants WHERE ctid = ANY (ARRAY(SELECT g.ctid FROM grants g WHERE g.org = $1 AND g.until <= $2 LIMIT $3))`),
	pg.Statement("views_purge", `
	DELETE FROM views WHERE ctid = ANY (ARRAY(
	       SELECT v.ctid FROM views v
	        WHERE v.org = $1 AND v.seq <= $2
	          AND EXISTS (SELECT 1 FROM views l WHERE l.org = $1 AND l.device = v.device AND l.seq > v.seq AND l.seq <= $2)
	        LIMIT $3))`),
	pg.Statement("orphans_purge", `
	DELETE FROM orphans WHERE ctid = ANY (ARRAY(SELECT o.ctid FROM orphans o WHERE o.org = $1 AND o.seq <= $2 LIMIT $3))`),
}

// PurgeRest deletes the grants and views that ended before a place in the log,
// and what refused mutations have left there. What was parked stays: it leads to
// what became of it, for a device that asks again however late, and there is
// little of it.
func (s *Store) PurgeRest(ctx context.Context, org record.OrgID, upTo record.Seq, limit int) (purged int64, err error) {
	for _, statement := range purges {
		for more := true; more; {
			tag, err := s.pool.Exec(ctx, statement, org, upTo, limit)
			if err != nil {
				return purged, pg.Classify(err)
			}
			purged += tag.RowsAffected()
			more = tag.RowsAffected() == int64(limit)
		}
	}
	return purged, nil
}
