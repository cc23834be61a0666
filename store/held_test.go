package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
)

// BenchmarkHeld lists 100,000 records in 50 scopes, one in ten of which has a
// row in the index that another has taken the place of.
func BenchmarkHeld(b *testing.B) {
	const scopes, each = 50, 2000

	db := pgtest.DB(b)
	uid := record.ID{1}
	org, err := store.CreateOrg(b.Context(), db, store.NewOrg{Name: "acme", UID: uid, Epoch: "e1", Draw: func() int32 { return 7 }})
	require.NoError(b, err)
	_, err = db.Exec(b.Context(), `
		INSERT INTO scope_index (org, scope, seq, mark, rec, op, kind, month)
		SELECT $1, s, n * 100 + s, n * 100 + s, md5(s || '/' || n % ($3 * 10 / 11))::uuid, 0, 1, 0
		  FROM generate_series(1, $3 * 11 / 10) n, generate_series(1, $2) s`, org, scopes, each)
	require.NoError(b, err)
	_, err = db.Exec(b.Context(), `VACUUM ANALYZE scope_index`)
	require.NoError(b, err)
	ask := make([]record.ScopeID, scopes)
	for i := range ask {
		ask[i] = record.ScopeID(i + 1)
	}
	for b.Loop() {
		err := store.New(db).Snapshot(b.Context(), org, func(tx store.Tx, _ store.Head) error {
			held, err := tx.Held(b.Context(), ask)
			require.Len(b, held, scopes)
			return err
		})
		require.NoError(b, err)
	}
}
