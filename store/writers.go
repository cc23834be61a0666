package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
	"roadbook/version"
)

// Writer is a replica as the line judges it: the last number judged and the
// last effective stamp.
type Writer struct {
	ID     record.ReplicaID
	Device record.ID
	Person record.ID
	Parent record.ReplicaID // relabelled from, 0 if never
	Fork   uint64           // the last number it shares with its parent
	N      uint64
	Stamp  version.Stamp
	LastID record.ID
	Online bool // of a device that is online: only the server counts it
}

const writerColumns = ` r.id, r.device, r.person, coalesce(r.parent, 0), coalesce(r.fork, 0), r.n, r.stamp, r.last, r.online `

func scanWriter(rows pgx.CollectableRow) (Writer, error) {
	var w Writer
	var stamp int64
	var last *[16]byte
	err := rows.Scan(&w.ID, (*[16]byte)(&w.Device), (*[16]byte)(&w.Person), &w.Parent, &w.Fork, &w.N, &stamp, &last, &w.Online)
	w.Stamp = version.Unpack(stamp)
	if last != nil {
		w.LastID = record.ID(*last)
	}
	return w, err
}

// A replica and all that it was relabelled from, so that own dots of former
// names are known.
var writersRead = pg.Statement("writers_read", `
	WITH RECURSIVE line AS (
	     SELECT r.* FROM unnest($2::int[]) u(id)
	      CROSS JOIN LATERAL (SELECT * FROM replicas i WHERE i.org = $1 AND i.id = u.id OFFSET 0) r
	      UNION
	     SELECT p.* FROM replicas p JOIN line l ON p.org = l.org AND p.id = l.parent)
	SELECT`+writerColumns+`FROM line r`)

// Writers loads replicas and their ancestors.
func (tx Tx) Writers(ctx context.Context, ids []record.ReplicaID) ([]Writer, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return collect(ctx, tx, "replicas", writersRead, scanWriter, tx.Org, ids)
}

var writersOfDevice = pg.Statement("writers_of_device", `
	SELECT`+writerColumns+`FROM replicas r WHERE r.org = $1 AND r.device = $2 AND NOT r.online ORDER BY r.made`)

// WritersOf loads the replicas that a device has been, oldest first.
func (tx Tx) WritersOf(ctx context.Context, device record.ID) ([]Writer, error) {
	return collect(ctx, tx, "replicas of a device", writersOfDevice, scanWriter, tx.Org, [16]byte(device))
}

var writersAdvance = pg.Statement("writers_advance", `
	UPDATE replicas r
	   SET n = u.n, stamp = u.stamp, last = u.last
	  FROM (SELECT $1::int AS org, u.*
	          FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::uuid[]) u(id, n, stamp, last)
	        OFFSET 0) u
	 WHERE r.org = u.org AND r.id = u.id`)

func queueWriters(b *batch, org record.OrgID, writers []Writer) {
	if len(writers) == 0 {
		return
	}
	id, n, stamp := make([]int32, len(writers)), make([]int64, len(writers)), make([]int64, len(writers))
	last := make([]*[16]byte, len(writers))
	for i, w := range writers {
		id[i], n[i], stamp[i], last[i] = int32(w.ID), int64(w.N), w.Stamp.Packed(), null(w.LastID)
	}
	b.Queue(writersAdvance, org, id, n, stamp, last)
}

var writersInsert = pg.Statement("writers_insert", `
	INSERT INTO replicas (org, id, device, person, parent, fork, stamp)
	VALUES ($1, $2, $3, $4, nullif($5, 0), $6, $7)`)

func queueForks(b *batch, org record.OrgID, forks []Writer) {
	for _, w := range forks {
		b.Queue(writersInsert, org, w.ID, [16]byte(w.Device), [16]byte(w.Person), int32(w.Parent), int64(w.Fork), w.Stamp.Packed())
	}
}
