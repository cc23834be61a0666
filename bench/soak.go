package bench

import (
	"context"
	"fmt"
	"time"
)

// sampleEach is how often the memory is looked at while the load goes on.
const sampleEach = 5 * time.Second

// takeSoak keeps a team at work and watches what grows: the memory of the
// server must be flat, and no table or index may outgrow its live rows.
func takeSoak(ctx context.Context, w *world) ([]Row, error) {
	if w.Soak == 0 {
		return nil, errLeftOut
	}
	team, err := w.team(ctx, w.Size.Phones)
	if err != nil {
		return nil, err
	}
	if err := w.pull(ctx, team); err != nil {
		return nil, err
	}
	begun, mutations := w.Now(), 0
	end, next := begun.Add(w.Soak), begun
	var memory []float64
	for w.Now().Before(end) {
		if _, err := w.round(ctx, team); err != nil {
			return nil, err
		}
		if err := w.pull(ctx, team); err != nil {
			return nil, err
		}
		mutations += w.Size.Phones * w.Size.Queue
		if now := w.Now(); now.After(next) {
			mb, err := w.resident()
			if err != nil {
				return nil, err
			}
			memory, next = append(memory, mb), now.Add(sampleEach)
			w.Say("%8.0f s  %9d mutations  %5.0f MB", now.Sub(begun).Seconds(), mutations, mb)
		}
		if err := w.renew(ctx, team); err != nil {
			return nil, err
		}
	}
	if len(memory) < 4 {
		return nil, fmt.Errorf("a soak of %s is too short to say anything", w.Soak)
	}
	quarter := len(memory) / 4
	first, last := median(memory[quarter:2*quarter]), median(memory[len(memory)-quarter:])
	r := row("memory of the server under load", "MB", memory...).beside("its second quarter", []float64{first})
	r.Ratio, r.Ratios = last/first, nil
	rows := []Row{r.target("≤ 1.1 ×", r.Ratio <= 1.1).note("last quarter %.0f MB, second quarter %.0f MB; %d mutations in %s", last, first, mutations, w.Soak)}
	tables, err := w.bloat(ctx)
	return append(rows, tables...), err
}

// pull brings every phone up to date.
func (w *world) pull(ctx context.Context, team []*phone) error {
	for _, p := range team {
		got, err := p.sync(ctx, p.cursor, "zstd")
		if err != nil {
			return err
		}
		p.cursor = got.cursor
	}
	return nil
}

// renewEach is well inside an access token's lifetime.
const renewEach = 10 * time.Minute

// renew signs in again before the tokens run out.
func (w *world) renew(ctx context.Context, team []*phone) error {
	if w.Now().Sub(w.renewed) < renewEach {
		return nil
	}
	w.renewed = w.Now()
	for _, p := range team {
		if err := p.again(ctx); err != nil {
			return err
		}
	}
	return nil
}

// bloat compares tables and indexes with copies that hold only the live rows.
func (w *world) bloat(ctx context.Context) ([]Row, error) {
	var worst float64
	var name string
	rows, err := w.pool.Query(ctx, `
		SELECT c.relname, pg_relation_size(c.oid)::float8
		  FROM pg_class c
		 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i') AND pg_relation_size(c.oid) > 4 << 20
		   AND c.relname !~ '^(bare|only_)'
		 ORDER BY c.relname`)
	if err != nil {
		return nil, err
	}
	before := map[string]float64{}
	for rows.Next() {
		var name string
		var size float64
		if err := rows.Scan(&name, &size); err != nil {
			return nil, err
		}
		before[name] = size
	}
	if rows.Err() != nil {
		return nil, rows.Err()
	}
	for _, table := range []string{"records", "mutations", "scope_index", "members", "lookups"} {
		if _, err := w.pool.Exec(ctx, `VACUUM FULL `+table); err != nil {
			return nil, err
		}
	}
	note := ""
	for relation, size := range before {
		var after float64
		if err := w.pool.QueryRow(ctx, `SELECT pg_relation_size($1::regclass)::float8`, relation).Scan(&after); err != nil {
			return nil, err
		}
		if ratio := size / max(after, 1); ratio > worst {
			worst, name = ratio, relation
		}
		note += fmt.Sprintf("%s %.0f/%.0f MB, ", relation, size/1e6, after/1e6)
	}
	r := row("largest table or index by its live rows", "×", worst)
	return []Row{r.target("≤ 1.5", worst <= 1.5).note("worst %s; %s", name, note)}, nil
}
