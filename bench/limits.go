package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"roadbook/record"
)

// A limit is what the machine does at that moment with nothing of ours in it.

// upsertRows is how many rows a transaction of the bare upsert has: as many as
// a full gather.
const upsertRows = 256

// bare is a table of as many rows as the org has records, with the texts of
// the org's own accounts, and nothing else to it.
func (w *world) makeBare(ctx context.Context) error {
	_, err := w.pool.Exec(ctx, `
		CREATE TABLE IF NOT EXISTS bare (id uuid PRIMARY KEY, fields json NOT NULL) WITH (fillfactor = 85)`)
	if err != nil {
		return err
	}
	_, err = w.pool.Exec(ctx, `INSERT INTO bare SELECT id, fields FROM records WHERE org = $1 ON CONFLICT DO NOTHING`, w.org)
	return err
}

// upsertRate is how many rows a second one connection upserts.
func (w *world) upsertRate(ctx context.Context) (float64, error) {
	const rounds = 60
	ids, texts := make([][16]byte, upsertRows), make([]string, upsertRows)
	begun := w.Now()
	for round := range rounds {
		for i := range ids {
			rep := (round*upsertRows + i) % w.Size.Reps
			ids[i] = w.accounts[rep][(round*7+i)%w.Size.Accounts]
			if i%10 < 3 {
				ids[i] = w.id() // as many new ones as the queue has
			}
			texts[i] = string(w.texts.account(record.NoID).AppendJSON(nil))
		}
		_, err := w.pool.Exec(ctx, `
			INSERT INTO bare SELECT DISTINCT ON (u.id) u.id, u.f::json FROM unnest($1::uuid[], $2::text[]) u(id, f)
			ON CONFLICT (id) DO UPDATE SET fields = excluded.fields`, ids, texts)
		if err != nil {
			return 0, err
		}
	}
	return rounds * upsertRows / w.Now().Sub(begun).Seconds(), nil
}

// selectTime is how long a plain SELECT takes of a table of only so many of
// the org's records, read to its end.
func (w *world) selectTime(ctx context.Context, records int) (time.Duration, error) {
	table := fmt.Sprintf("only_%d", records)
	_, err := w.pool.Exec(ctx, fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %s AS SELECT id, fields FROM records WHERE org = %d LIMIT %d`,
		table, w.org, records))
	if err != nil {
		return 0, err
	}
	begun := w.Now()
	rows, err := w.pool.Query(ctx, `SELECT id, fields FROM `+table)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var id [16]byte
	var fields []byte
	for rows.Next() {
		if err := rows.Scan(&id, &fields); err != nil {
			return 0, err
		}
	}
	return w.Now().Sub(begun), rows.Err()
}

// copyRate is how many rows a second COPY hands out of that table.
func (w *world) copyRate(ctx context.Context, records int) (float64, error) {
	conn, err := w.pool.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	begun := w.Now()
	tag, err := conn.Conn().PgConn().CopyTo(ctx, io.Discard, fmt.Sprintf(`COPY only_%d TO STDOUT`, records))
	return float64(tag.RowsAffected()) / w.Now().Sub(begun).Seconds(), err
}

// syncTime is how long the disk takes to keep a page of 8 KiB for good.
func (w *world) syncTime() (time.Duration, error) {
	name := filepath.Join(w.Dir, "sync")
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close(); _ = os.Remove(name) }()
	page := make([]byte, 8<<10)
	if _, err := f.Write(page); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	begun := w.Now()
	if _, err := f.WriteAt(page, 0); err != nil {
		return 0, err
	}
	err = f.Sync()
	return w.Now().Sub(begun), err
}
