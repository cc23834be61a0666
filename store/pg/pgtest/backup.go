package pgtest

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Backup is what stood in all tables of a test's database at one moment, in
// memory: in a history of many steps a server is restored often.
type Backup struct {
	tables []string // as SQL writes them
	rows   [][]byte
}

// Take keeps what stands in a database now.
func Take(ctx context.Context, pool *pgxpool.Pool) (*Backup, error) {
	b := &Backup{}
	return b, pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT format('%I', tablename) FROM pg_tables
			 WHERE schemaname = 'public' AND tablename <> 'goose_db_version' ORDER BY 1`)
		if err != nil {
			return err
		}
		if b.tables, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			return err
		}
		for _, table := range b.tables {
			var text bytes.Buffer
			if _, err := tx.Conn().PgConn().CopyTo(ctx, &text, "COPY "+table+" TO STDOUT (FORMAT binary)"); err != nil {
				return fmt.Errorf("table %s: %w", table, err)
			}
			b.rows = append(b.rows, text.Bytes())
		}
		return nil
	})
}

// Restore puts it back. What is counted by PostgreSQL itself goes on where it
// was: a restored database gives out what was lost once more, and nothing here
// may rely on that it does not; tests that do say so themselves.
func (b *Backup) Restore(ctx context.Context, pool *pgxpool.Pool) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL session_replication_role = replica"); err != nil {
			return err
		}
		for i, table := range b.tables {
			if _, err := tx.Exec(ctx, "DELETE FROM "+table); err != nil { // far faster than TRUNCATE where there is little
				return err
			}
			columns, err := written(ctx, tx, table)
			if err != nil {
				return err
			}
			_, err = tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(b.rows[i]), "COPY "+table+" ("+columns+") FROM STDIN (FORMAT binary)")
			if err != nil {
				return fmt.Errorf("table %s: %w", table, err)
			}
		}
		return nil
	})
}

// written are the columns of a table that are not computed.
func written(ctx context.Context, tx pgx.Tx, table string) (string, error) {
	rows, err := tx.Query(ctx, `
		SELECT format('%I', attname) FROM pg_attribute
		 WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`, table)
	if err != nil {
		return "", err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return strings.Join(names, ", "), err
}
