package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
	"roadbook/version"
)

// Linked is a row of the log with the hash that it was written with.
type Linked struct {
	Entry

	Chain []byte
}

var logAfter = pg.Statement("log_after", `
	SELECT`+entryColumns+`, m.chain
	  FROM mutations m
	 WHERE m.org = $1 AND m.seq > $2
	 ORDER BY m.seq
	 LIMIT $3`)

// EntriesAfter reads some rows of the log as they lie there.
func (tx Tx) EntriesAfter(ctx context.Context, after record.Seq, limit int) ([]Linked, error) {
	return collect(ctx, tx, "log", logAfter, func(rows pgx.CollectableRow) (l Linked, err error) {
		l.Entry, err = scanEntryAnd(rows, &l.Chain)
		return l, err
	}, tx.Org, after, limit)
}

// Follows is what a head must be by the tables that it sums up.
type Follows struct {
	Seq     record.Seq // of the log's last row
	High    version.Stamp
	Chain   []byte
	Granted record.Seq // at least
	Schema  record.Seq
	Epoch   string // "" if the log has only its first
	Parked  int
}

var headFollows = pg.Statement("head_follows", `
	SELECT coalesce(m.seq, 0), coalesce(m.high, 0), m.chain,
	       (SELECT coalesce(greatest(max(g.since), max(g.until)), 0) FROM grants g WHERE g.org = $1),
	       (SELECT coalesce(max(s.seq), 0) FROM schemas s WHERE s.org = $1),
	       coalesce((SELECT e.epoch FROM epochs e WHERE e.org = $1 ORDER BY e.began DESC LIMIT 1), ''),
	       (SELECT count(DISTINCT p.seq) FROM parked p WHERE p.org = $1 AND p.settled IS NULL)
	  FROM heads h
	  LEFT JOIN LATERAL (SELECT * FROM mutations m WHERE m.org = $1 AND m.seq < $2 ORDER BY m.seq DESC LIMIT 1) m ON true
	 WHERE h.org = $1`)

const beyondAll record.Seq = 1<<63 - 1

// Follows works out what the head must be.
func (tx Tx) Follows(ctx context.Context) (f Follows, err error) {
	var high int64
	err = tx.QueryRow(ctx, headFollows, tx.Org, beyondAll).Scan(&f.Seq, &high, &f.Chain, &f.Granted, &f.Schema, &f.Epoch, &f.Parked)
	f.High = version.Unpack(high)
	return f, err
}

// Behind is a replica of which the log has more than its own row says.
type Behind struct {
	Replica  record.ReplicaID
	N, Known uint64
}

var replicasWalk = pg.Statement("replicas_walk", `
	SELECT r.id, r.n, coalesce(m.n, 0)
	  FROM (SELECT r.id, r.n FROM replicas r WHERE r.org = $1 AND r.id > $2 ORDER BY r.id LIMIT $3) r
	  LEFT JOIN LATERAL (SELECT m.n FROM mutations m WHERE m.org = $1 AND m.replica = r.id ORDER BY m.n DESC LIMIT 1) m ON true
	 ORDER BY r.id`)

const replicasAtOnce = 1000

// ReplicasBehind finds replicas that would be given a number twice.
func (tx Tx) ReplicasBehind(ctx context.Context) (all []Behind, err error) {
	for after, more := record.ReplicaID(0), true; more; {
		some, err := collect(ctx, tx, "replicas", replicasWalk, func(rows pgx.CollectableRow) (b Behind, err error) {
			var n, known int64
			err = rows.Scan(&b.Replica, &known, &n)
			b.N, b.Known = uint64(n), uint64(known)
			return b, err
		}, tx.Org, after, replicasAtOnce)
		if err != nil {
			return nil, err
		}
		for _, b := range some {
			after = b.Replica
			if b.Known < b.N {
				all = append(all, b)
			}
		}
		more = len(some) == replicasAtOnce
	}
	return all, nil
}

var headMend = pg.Statement("head_mend", `
	UPDATE heads
	   SET seq = $2, high = $3, chain = $4, granted = $5, schema = $6, epoch = $7, parked = $8
	 WHERE org = $1`)

var replicasMend = pg.Statement("replicas_mend", `
	UPDATE replicas r
	   SET n = m.n, last = m.id, stamp = greatest(r.stamp, m.stamp)
	  FROM (SELECT m.n, m.id, m.stamp FROM mutations m WHERE m.org = $1 AND m.replica = $2 ORDER BY m.n DESC LIMIT 1) m
	 WHERE r.org = $1 AND r.id = $2`)

// MendHead makes an org's head, and the counters of its replicas, what the log
// and the tables that the head sums up say. A log that ends before its head has
// lost rows: then the head stays, or seqs would be given out twice.
func (s *Store) MendHead(ctx context.Context, org record.OrgID) (Head, error) {
	var h Head
	err := pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(ptx pgx.Tx) (err error) {
		tx := Tx{Reader: ptx, Org: org}
		if h, err = scanHead(ptx.QueryRow(ctx, headLock, org), org); err != nil {
			return err
		}
		f, err := tx.Follows(ctx)
		if err != nil {
			return err
		}
		if h.Seq <= f.Seq {
			h.Seq, h.High, h.Chain = f.Seq, f.High, f.Chain
		}
		h.Granted, h.Schema, h.Parked = max(h.Granted, f.Granted), f.Schema, f.Parked
		if f.Epoch != "" {
			h.Epoch = f.Epoch
		}
		_, err = ptx.Exec(ctx, headMend, org, h.Seq, h.High.Packed(), h.Chain, h.Granted, h.Schema, h.Epoch, h.Parked)
		if err != nil {
			return err
		}
		behind, err := tx.ReplicasBehind(ctx)
		for _, b := range behind {
			if _, err := ptx.Exec(ctx, replicasMend, org, b.Replica); err != nil {
				return err
			}
		}
		return err
	})
	return h, pg.Classify(err)
}
