package sim

import (
	"bytes"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"roadbook/record"
)

// dump is what stood in all tables about one org: histories share a database,
// and one that is restored must leave the others alone. The list of tables is
// PostgreSQL's own, so that none is forgotten that a migration adds.
type dump struct{ tables []dumped }

type dumped struct {
	name, columns string // as SQL writes them
	rows          []byte
}

const (
	sqlTables = `
		SELECT format('%I', c.relname), string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum)
		  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		 WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
		   AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
		 GROUP BY c.relname HAVING bool_or(a.attname = 'org') ORDER BY 1`
	sqlIdentities = `
		SELECT format('SELECT setval(%L, greatest(coalesce(max(%I), 1), 1)) FROM %I',
		              pg_get_serial_sequence(format('%I', c.relname), a.attname), a.attname, c.relname)
		  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_attribute o ON o.attrelid = c.oid
		 WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
		   AND a.attidentity <> '' AND o.attname = 'org'`
)

// take copies what stands there now.
func take(ctx context.Context, pool *pgxpool.Pool, org record.OrgID) (*dump, error) {
	d := &dump{}
	return d, pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sqlTables)
		if err != nil {
			return err
		}
		var t dumped
		if _, err := pgx.ForEachRow(rows, []any{&t.name, &t.columns}, func() error {
			d.tables = append(d.tables, t)
			return nil
		}); err != nil {
			return err
		}
		for i := range d.tables {
			t := &d.tables[i]
			var text bytes.Buffer
			sql := fmt.Sprintf("COPY (SELECT %s FROM %s WHERE org = %d) TO STDOUT (FORMAT binary)", t.columns, t.name, org)
			if _, err := tx.Conn().PgConn().CopyTo(ctx, &text, sql); err != nil {
				return fmt.Errorf("table %s: %w", t.name, err)
			}
			t.rows = text.Bytes()
		}
		return nil
	})
}

// restore puts it back. What PostgreSQL counts by itself goes back too, as it
// does in a database that is restored: numbers that were lost are given out
// once more.
func (d *dump) restore(ctx context.Context, pool *pgxpool.Pool, org record.OrgID) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		for _, t := range d.tables {
			if _, err := tx.Exec(ctx, fmt.Sprintf("DELETE FROM %s WHERE org = %d", t.name, org)); err != nil {
				return fmt.Errorf("table %s: %w", t.name, err)
			}
		}
		for _, t := range d.tables {
			sql := fmt.Sprintf("COPY %s (%s) FROM STDIN (FORMAT binary)", t.name, t.columns)
			if _, err := tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(t.rows), sql); err != nil {
				return fmt.Errorf("table %s: %w", t.name, err)
			}
		}
		rows, err := tx.Query(ctx, sqlIdentities)
		if err != nil {
			return err
		}
		counts, err := pgx.CollectRows(rows, pgx.RowTo[string])
		for _, sql := range counts {
			if err == nil {
				_, err = tx.Exec(ctx, sql)
			}
		}
		return err
	})
}
