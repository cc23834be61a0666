package sync_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"roadbook/record"
	"roadbook/sync/wire"
)

// mostBloat is how much larger a table or an index may be than a fresh copy of
// what is in it.
const mostBloat = 1.5

// After very many mutations (ROADBOOK_BLOAT says how many; a million take some
// minutes) no table and no index is much larger than what is in it.
func TestBloat(t *testing.T) {
	t.Parallel()

	many, err := strconv.Atoi(os.Getenv("ROADBOOK_BLOAT"))
	if err != nil {
		t.Skip("ROADBOOK_BLOAT=1000000 go test ./sync -run TestBloat -timeout 30m -v")
	}
	w := benchWorld(t)
	phones, mine := make([]*phone, 50), make([][]record.ID, 50)
	for i := range phones {
		phones[i] = w.phone([]string{"lin", "zhou"}[i%2])
		for range 40 {
			mine[i] = append(mine[i], phones[i].create("account", values("name", fmt.Sprintf("客户 %d", i), "remark", remark)))
		}
		phones[i].push()
	}
	begun := time.Now()
	for done := 0; done < many; done += 50 * 200 {
		frames := make([]*wire.Push, len(phones))
		for i, p := range phones {
			p.typeDay(mine[i], 200)
			frames[i] = p.frame()
			p.outbox = nil
		}
		var g errgroup.Group
		for i, p := range phones {
			g.Go(func() error {
				_, err := w.engine.Push(context.Background(), p.who, frames[i])
				return err
			})
		}
		require.NoError(t, g.Wait())
	}
	t.Logf("%d mutations in %s, with what it takes to type them", many, time.Since(begun).Round(time.Second))

	w.engine.Close() // what it was sweeping is swept
	_, err = w.pool.Exec(t.Context(), `ANALYZE`)
	require.NoError(t, err)
	before, err := w.pool.Query(t.Context(), `SELECT pg_relation_size('scope_index_seq')`)
	require.NoError(t, err)
	grown, err := pgx.CollectExactlyOneRow(before, pgx.RowTo[int64])
	require.NoError(t, err)
	compacted, err := w.engine.Store.Compact(t.Context())
	require.NoError(t, err)
	t.Logf("scope_index_seq had %.1f MB; built anew: %v", float64(grown)/(1<<20), compacted)
	for _, size := range w.sizes() {
		t.Logf("%-22s %6.1f MB, a fresh copy %6.1f MB: %.2f", size.name, size.have/(1<<20), size.fresh/(1<<20), size.have/size.fresh)
		if size.fresh > 1<<20 {
			require.Less(t, size.have, mostBloat*size.fresh, size.name)
		}
	}
	var live, rows int
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT (SELECT sum(cardinality(r.scopes)) FROM records r), (SELECT count(*) FROM scope_index)`).Scan(&live, &rows))
	t.Logf("scope_index: %d rows, of which %d are live", rows, live)
}

type size struct {
	name        string
	have, fresh float64
}

// sizes are those of all tables and indexes that grow, beside those of copies.
func (w *world) sizes() (all []size) {
	w.t.Helper()
	ctx := context.Background()
	for _, table := range []string{"records", "mutations", "scope_index", "members"} {
		_, err := w.pool.Exec(ctx, fmt.Sprintf(`CREATE TABLE copy_of_%[1]s (LIKE %[1]s INCLUDING ALL)`, table))
		require.NoError(w.t, err)
		_, err = w.pool.Exec(ctx, fmt.Sprintf(`INSERT INTO copy_of_%[1]s SELECT * FROM %[1]s`, table))
		require.NoError(w.t, err)
		rows, err := w.pool.Query(ctx, `
			SELECT 'table ' || $1::text, pg_relation_size($1::regclass)::float8, pg_relation_size(('copy_of_' || $1)::regclass)::float8
			 UNION ALL
			SELECT 'index ' || a.name, a.size, b.size
			  FROM (SELECT c.relname AS name, pg_relation_size(i.indexrelid)::float8 AS size, row_number() OVER (ORDER BY i.indkey::text, i.indpred IS NULL) AS nth
			          FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1::regclass) a
			  JOIN (SELECT pg_relation_size(i.indexrelid)::float8 AS size, row_number() OVER (ORDER BY i.indkey::text, i.indpred IS NULL) AS nth
			          FROM pg_index i WHERE i.indrelid = ('copy_of_' || $1)::regclass) b ON a.nth = b.nth`, table)
		require.NoError(w.t, err)
		some, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s size, err error) {
			return s, row.Scan(&s.name, &s.have, &s.fresh)
		})
		require.NoError(w.t, err)
		all = append(all, some...)
	}
	return all
}
