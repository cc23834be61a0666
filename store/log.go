package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
	"roadbook/version"
)

// Entry is one row of the log: a mutation, what it changed and the verdict.
type Entry struct {
	Seq     record.Seq
	N       uint64
	Stamp   version.Stamp // effective; of a refused one, its replica's last
	High    version.Stamp // greatest effective stamp up to here
	Arrived time.Time
	Replica record.ReplicaID
	Person  record.ID
	ID      record.ID
	Hash    [32]byte
	Result  record.Result
	Body    []byte     // its edits, with what stood there before
	Outcome []byte     // nil when plainly applied
	Twin    record.Seq // where the same mutation was judged first, under another name; else 0

	chain []byte // after this row, once it is known
}

var results = []record.Result{record.Applied, record.Merged, record.Refused, record.Parked}

func resultNo(r record.Result) int16 {
	for i, o := range results {
		if o == r {
			return int16(i)
		}
	}
	panic("store: unknown result " + string(r))
}

// Link continues the log's hash chain by one row: SHA-256 over the chain so
// far and everything in the row. It proves a cursor genuine and the audit
// trail unbroken.
func (e *Entry) Link(chain []byte) []byte { return e.link(sha256.New(), chain) }

func (e *Entry) link(h hash.Hash, chain []byte) []byte {
	h.Reset()
	var fixed [8 * 6]byte
	binary.BigEndian.PutUint64(fixed[0:], uint64(e.Seq))
	binary.BigEndian.PutUint64(fixed[8:], e.N)
	binary.BigEndian.PutUint64(fixed[16:], uint64(e.Stamp.Packed()))
	binary.BigEndian.PutUint64(fixed[24:], uint64(e.Replica))
	binary.BigEndian.PutUint64(fixed[32:], uint64(resultNo(e.Result)))
	binary.BigEndian.PutUint64(fixed[40:], uint64(len(e.Body)))
	for _, part := range [][]byte{chain, fixed[:], e.Person[:], e.ID[:], e.Hash[:], e.Body, e.Outcome} {
		h.Write(part)
	}
	return h.Sum(nil)
}

var logInsert = pg.Statement("log_insert", `
	INSERT INTO mutations (org, seq, n, stamp, high, arrived, replica, person, id, hash, chain, result, body, outcome, twin)
	SELECT $1, u.seq, u.n, u.stamp, u.high, $2, u.replica, u.person, u.id, u.hash, u.chain, u.result, u.body, u.outcome,
	       nullif(u.twin, 0)
	  FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::int[], $8::uuid[], $9::uuid[],
	              $10::bytea[], $11::bytea[], $12::smallint[], $13::text[], $14::text[], $15::bigint[])
	       u(seq, n, stamp, high, replica, person, id, hash, chain, result, body, outcome, twin)`)

// link continues the chain by some rows, each of which keeps its own.
func link(chain []byte, entries []Entry) []byte {
	h := sha256.New()
	for i := range entries {
		chain = entries[i].link(h, chain)
		entries[i].chain = chain
	}
	return chain
}

func queueLog(b *batch, org record.OrgID, entries []Entry) {
	if len(entries) == 0 {
		return
	}
	k := len(entries)
	seq, n, twin := make([]int64, k), make([]int64, k), make([]int64, k)
	stamp, high := make([]int64, k), make([]int64, k)
	replica, result := make([]int32, k), make([]int16, k)
	person, id := make([][16]byte, k), make([][16]byte, k)
	hash, links := make([][]byte, k), make([][]byte, k)
	body, outcome := make(texts, k), make(texts, k)
	for i := range entries {
		e := &entries[i]
		seq[i], n[i], twin[i] = int64(e.Seq), int64(e.N), int64(e.Twin)
		stamp[i], high[i] = e.Stamp.Packed(), e.High.Packed()
		replica[i], result[i], person[i], id[i] = int32(e.Replica), resultNo(e.Result), e.Person, e.ID
		hash[i], links[i], body[i], outcome[i] = e.Hash[:], e.chain, e.Body, e.Outcome
	}
	b.Queue(logInsert, org, entries[0].Arrived, seq, n, stamp, high, replica, person, id, hash, links,
		result, body, outcome, twin)
}

const entryColumns = ` m.seq, m.n, m.stamp, m.high, m.arrived, m.replica, m.person, m.id, m.hash, m.result, m.body, m.outcome, coalesce(m.twin, 0) `

func scanEntry(rows pgx.CollectableRow) (Entry, error) { return scanEntryAnd(rows) }

// scanEntryAnd reads further columns behind those of an entry.
func scanEntryAnd(rows pgx.CollectableRow, further ...any) (Entry, error) {
	var e Entry
	var stamp, high int64
	var result int16
	var hash []byte
	var outcome *string
	err := rows.Scan(append([]any{
		&e.Seq, &e.N, &stamp, &high, &e.Arrived, &e.Replica, (*[16]byte)(&e.Person), (*[16]byte)(&e.ID),
		&hash, &result, &e.Body, &outcome, &e.Twin,
	}, further...)...)
	if err != nil {
		return e, err
	}
	if result < 0 || int(result) >= len(results) {
		return e, fmt.Errorf("row %d has the result %d, which is none", e.Seq, result)
	}
	e.Stamp, e.High, e.Result = version.Unpack(stamp), version.Unpack(high), results[result]
	copy(e.Hash[:], hash)
	if outcome != nil {
		e.Outcome = []byte(*outcome)
	}
	return e, nil
}

var logByID = pg.Statement("log_by_id", `
	SELECT`+entryColumns+`
	  FROM unnest($2::uuid[]) u(id)
	 CROSS JOIN LATERAL (SELECT * FROM mutations m WHERE m.org = $1 AND m.id = u.id AND m.twin IS NULL OFFSET 0) m`)

// EntriesByID finds mutations by id, under whatever name they were judged.
func (tx Tx) EntriesByID(ctx context.Context, ids []record.ID) ([]Entry, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return collect(ctx, tx, "mutations by id", logByID, scanEntry, tx.Org, raw(ids))
}

var logByDot = pg.Statement("log_by_dot", `
	SELECT`+entryColumns+`
	  FROM mutations m
	 WHERE m.org = $1 AND m.replica = $2 AND m.n BETWEEN $3 AND $4
	 ORDER BY m.n`)

// EntriesByDot reads a replica's mutations from one number to another.
func (tx Tx) EntriesByDot(ctx context.Context, replica record.ReplicaID, from, to uint64) ([]Entry, error) {
	return collect(ctx, tx, "mutations by number", logByDot, scanEntry, tx.Org, replica, int64(from), int64(to))
}

var logBack = pg.Statement("log_back", `
	SELECT`+entryColumns+`
	  FROM mutations m
	 WHERE m.org = $1 AND m.replica = $2 AND m.n < $3
	 ORDER BY m.n DESC
	 LIMIT $4`)

// EntriesSince reads a replica's mutations whose seq lies above base, oldest
// first. A replica's numbers grow with its seqs, so it walks back from the last
// and reads no more than it returns, give or take a stride.
func (tx Tx) EntriesSince(ctx context.Context, replica record.ReplicaID, base record.Seq) ([]Entry, error) {
	const stride = 200
	var out []Entry
	for before := int64(1<<63 - 1); ; {
		back, err := collect(ctx, tx, "outcomes", logBack, scanEntry, tx.Org, replica, before, stride)
		if err != nil {
			return nil, err
		}
		for _, e := range back {
			if e.Seq <= base {
				slices.Reverse(out)
				return out, nil
			}
			out = append(out, e)
			before = int64(e.N)
		}
		if len(back) < stride {
			slices.Reverse(out)
			return out, nil
		}
	}
}

var logTwins = pg.Statement("log_twins", `
	SELECT t.replica, f.replica, f.n
	  FROM unnest($2::int[]) u(replica)
	 CROSS JOIN LATERAL (SELECT * FROM mutations t WHERE t.org = $1 AND t.replica = u.replica AND t.twin IS NOT NULL OFFSET 0) t
	 CROSS JOIN LATERAL (SELECT * FROM mutations f WHERE f.org = $1 AND f.seq = t.twin OFFSET 0) f
	 WHERE t.hash = f.hash`)

// Twins are the names under which mutations of some replicas were judged
// before: writes of the same author, whoever sent them.
func (tx Tx) Twins(ctx context.Context, replicas []record.ReplicaID) (map[record.ReplicaID][]record.Writer, error) {
	rows, err := tx.Query(ctx, logTwins, tx.Org, replicas)
	if err != nil {
		return nil, fmt.Errorf("twins: %w", err)
	}
	out := map[record.ReplicaID][]record.Writer{}
	var of record.ReplicaID
	var w record.Writer
	_, err = pgx.ForEachRow(rows, []any{&of, &w.Replica, &w.N}, func() error {
		out[of] = append(out[of], w)
		return nil
	})
	return out, err
}

var logAt = pg.Statement("log_at", `
	SELECT`+entryColumns+`
	  FROM mutations m
	 WHERE m.org = $1 AND m.seq = $2`)

// Entry reads one row of the log.
func (tx Tx) Entry(ctx context.Context, seq record.Seq) (Entry, error) {
	found, err := collect(ctx, tx, "log", logAt, scanEntry, tx.Org, seq)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("log row %d: %w", seq, pgx.ErrNoRows)
	}
	if err != nil {
		return Entry{}, err
	}
	return found[0], nil
}

var logBetween = pg.Statement("log_between", `
	SELECT`+entryColumns+`
	  FROM mutations m
	 WHERE m.org = $1 AND m.seq > $2 AND m.seq <= $3
	 ORDER BY m.seq`)

// EntriesBetween reads a stretch of the log, of all replicas.
func (tx Tx) EntriesBetween(ctx context.Context, from, to record.Seq) ([]Entry, error) {
	return collect(ctx, tx, "stretch of the log", logBetween, scanEntry, tx.Org, from, to)
}

var logChain = pg.Statement("log_chain", `SELECT m.chain FROM mutations m WHERE m.org = $1 AND m.seq = $2`)

// Chain is the log's hash at a place, nil if the log has no such row.
func (tx Tx) Chain(ctx context.Context, seq record.Seq) ([]byte, error) {
	var chain []byte
	err := tx.QueryRow(ctx, logChain, tx.Org, seq).Scan(&chain)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return chain, err
}

// Mark is a place in the log: the greatest effective stamp up to there, and the
// beginning of the log's hash there, zero if it has no such row.
type Mark struct {
	High  version.Stamp
	Chain ChainHead
}

// ChainHead is as much of the log's hash as a cursor has.
type ChainHead [8]byte

// Mark is the place of a row that has been sealed.
func (e *Entry) Mark() Mark {
	m := Mark{High: e.High}
	copy(m.Chain[:], e.chain)
	return m
}

var logMarks = pg.Statement("log_marks", `
	SELECT q.seq, coalesce(r.high, 0), CASE WHEN r.seq = q.seq THEN substr(r.chain, 1, 8) END
	  FROM unnest($2::bigint[]) q(seq)
	  LEFT JOIN LATERAL (SELECT m.seq, m.high, m.chain
	                       FROM mutations m
	                      WHERE m.org = $1 AND m.seq <= q.seq
	                      ORDER BY m.seq DESC
	                      LIMIT 1) r ON true`)

// Marks looks up some places in the log.
func (tx Tx) Marks(ctx context.Context, seqs []record.Seq) (map[record.Seq]Mark, error) {
	out := make(map[record.Seq]Mark, len(seqs))
	if len(seqs) == 0 {
		return out, nil
	}
	rows, err := tx.Query(ctx, logMarks, tx.Org, seqs)
	if err != nil {
		return nil, fmt.Errorf("places in the log: %w", err)
	}
	var seq record.Seq
	var high int64
	var chain []byte
	_, err = pgx.ForEachRow(rows, []any{&seq, &high, &chain}, func() error {
		m := Mark{High: version.Unpack(high)}
		copy(m.Chain[:], chain)
		out[seq] = m
		return nil
	})
	return out, err
}

var orphansInsert = pg.Statement("orphans_insert", `
	INSERT INTO orphans (org, rec, seq)
	SELECT $1, u.rec, u.seq
	  FROM unnest($2::uuid[], $3::bigint[]) u(rec, seq)
	ON CONFLICT DO NOTHING`)

var orphansRead = pg.Statement("orphans_read", `SELECT o.rec FROM orphans o WHERE o.org = $1 AND o.rec = ANY ($2::uuid[])`)

// Orphans says which of these records a refused mutation would have created.
func (tx Tx) Orphans(ctx context.Context, recs []record.ID) (map[record.ID]bool, error) {
	out := map[record.ID]bool{}
	if len(recs) == 0 {
		return out, nil
	}
	found, err := collect(ctx, tx, "orphans", orphansRead, func(rows pgx.CollectableRow) (record.ID, error) {
		var id record.ID
		return id, rows.Scan((*[16]byte)(&id))
	}, tx.Org, raw(recs))
	for _, id := range found {
		out[id] = true
	}
	return out, err
}
