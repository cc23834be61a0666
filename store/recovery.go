package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store/pg"
)

var logTransaction = pg.Statement("log_transaction", `
	SELECT m.xmin::text FROM mutations m WHERE m.org = $1 AND m.seq = $2`)

// TransactionOf is the number of the transaction that wrote a row of the log,
// as PostgreSQL counts them: recovery can end right behind it.
func TransactionOf(ctx context.Context, q Querier, org record.OrgID, seq record.Seq) (xid string, err error) {
	err = q.QueryRow(ctx, logTransaction, org, seq).Scan(&xid)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", errs.New("store.TransactionOf", errs.Missing, "the log of org %d has no row %d: “roadbook backup list” "+
			"shows how far it has come", org, seq)
	}
	if err != nil {
		err = pg.Classify(fmt.Errorf("the transaction of row %d: %w", seq, err))
	}
	return xid, err
}

// CheckLog works out the chain of the last rows of an org's log anew, and
// reports how many there were. A row that was changed, lost or added by other
// hands than ours breaks it.
func (s *Store) CheckLog(ctx context.Context, org record.OrgID, last record.Seq) (rows int, err error) {
	err = s.Snapshot(ctx, org, func(tx Tx, head Head) error {
		entries, err := tx.EntriesBetween(ctx, max(0, head.Seq-last), head.Seq)
		if err != nil || len(entries) == 0 {
			return err
		}
		chain, err := tx.Chain(ctx, entries[0].Seq)
		if err != nil {
			return err
		}
		for i := range entries[1:] {
			chain = entries[i+1].Link(chain)
		}
		rows = len(entries)
		if !bytes.Equal(chain, head.Chain) {
			return errs.New("store.CheckLog", errs.Internal, "the log of org %d is not what was written: its chain breaks among "+
				"the last %d rows", org, rows)
		}
		return nil
	})
	return rows, err
}
