package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"roadbook/record"
)

// For whoever looks at a database from beside: to tell two servers apart, or to
// say how far one has come.

// RecordsOf reads some of an org's records in the order of their ids.
func RecordsOf(ctx context.Context, pool *pgxpool.Pool, org record.OrgID, after record.ID, limit int) (all []*record.Record, err error) {
	err = New(pool).Snapshot(ctx, org, func(tx Tx, head Head) error {
		schema, err := tx.Schema(ctx, head.Schema)
		if err != nil {
			return err
		}
		rows, err := tx.RecordsAfter(ctx, after, limit)
		all = nil
		for k := range rows {
			rec, err := rows[k].Record(schema)
			if err != nil {
				return err
			}
			all = append(all, rec)
		}
		return err
	})
	return all, err
}

// LogPlace is a place in an org's log.
type LogPlace struct {
	Chain []byte     // the hash there, nil if the log has no such row
	At    time.Time  // when the row was written
	Head  record.Seq // where the log ends
	Next  time.Time  // when the next row was written, zero if there is none
}

// LookAt looks at a place in an org's log.
func LookAt(ctx context.Context, pool *pgxpool.Pool, org record.OrgID, seq record.Seq) (p LogPlace, err error) {
	err = New(pool).Snapshot(ctx, org, func(tx Tx, head Head) error {
		p = LogPlace{Head: head.Seq}
		rows, err := tx.EntriesAfter(ctx, seq-1, 2)
		for _, r := range rows {
			if r.Seq == seq {
				p.Chain, p.At = r.Chain, r.Arrived
			} else if p.Next.IsZero() {
				p.Next = r.Arrived
			}
		}
		return err
	})
	return p, err
}
