package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/store"
	"roadbook/store/pg/pgtest"
)

func TestWasteful(t *testing.T) {
	t.Parallel()

	const most = 8 << 20
	for _, tt := range []struct {
		size int64
		rows float32
		want bool
	}{
		{most, 0, false},
		{most + 1, 0, true},
		{45 * 1_000_000, 1_000_000, false},
		{45*1_000_000 + 1, 1_000_000, true},
		{1 << 40, -1, false}, // nobody has counted
	} {
		require.Equal(t, tt.want, store.Wasteful(tt.size, tt.rows), "%d bytes for %g rows", tt.size, tt.rows)
	}
}

// The index is made anew and is the same index.
func TestCompact(t *testing.T) {
	t.Parallel()

	db := pgtest.DB(t)
	s := store.New(db)
	done, err := s.Compact(t.Context())
	require.NoError(t, err)
	require.False(t, done, "there is nothing in it")
	_, err = db.Exec(t.Context(), `
		INSERT INTO scope_index (org, scope, seq, mark, rec, op, kind, month)
		SELECT 1, 1, n, n, '00000000-0000-0000-0000-000000000001', 0, 1, 0 FROM generate_series(1, 320000) n`)
	require.NoError(t, err)
	for _, sql := range []string{`DELETE FROM scope_index WHERE seq % 100 <> 0`, `VACUUM ANALYZE scope_index`} {
		_, err = db.Exec(t.Context(), sql)
		require.NoError(t, err)
	}

	done, err = s.Compact(t.Context())

	require.NoError(t, err)
	require.True(t, done)
	again, err := s.Compact(t.Context())
	require.NoError(t, err)
	require.False(t, again)
	var indexes int
	require.NoError(t, db.QueryRow(t.Context(), `SELECT count(*) FROM pg_index WHERE indrelid = 'scope_index'::regclass AND indisvalid`).Scan(&indexes))
	require.Equal(t, 1, indexes)
}
