package store_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"roadbook/store"
	"roadbook/store/pg/pgtest"
)

// Lists arrive as the driver would have sent them: null, empty, with nulls in
// them, and what is no list beside them.
func TestBatch_lists(t *testing.T) {
	t.Parallel()

	db := pgtest.DB(t)
	_, err := db.Exec(t.Context(), `CREATE TABLE lists (
		who text, small int2[], middle int4[], big int8[], ids uuid[], maybe uuid[], bytes bytea[], texts text[], n int8, at timestamptz)`)
	require.NoError(t, err)
	id := [16]byte{1, 2, 3}
	const insert = `INSERT INTO lists VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	at := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	rows := []struct {
		name  string
		small []int16
		mid   []int32
		big   []int64
		ids   [][16]byte
		some  []*[16]byte
		bytes [][]byte
	}{
		{name: "null"},
		{"empty", []int16{}, []int32{}, []int64{}, [][16]byte{}, []*[16]byte{}, [][]byte{}},
		{
			"full",
			[]int16{-1, 1<<15 - 1},
			[]int32{-1, 1<<31 - 1},
			[]int64{-1, 1<<63 - 1},
			[][16]byte{id, {}},
			[]*[16]byte{nil, &id},
			[][]byte{{}, {0, 255}},
		},
	}
	for _, r := range rows {
		var texts, as any = store.Texts(nil), []*string(nil)
		if r.small != nil {
			empty, some := "", "老板"
			texts, as = store.Texts{nil, []byte{}, []byte(some)}, []*string{nil, &empty, &some}
		}
		_, err := db.Exec(t.Context(), insert, r.name, r.small, r.mid, r.big, r.ids, r.some, r.bytes, as, 7, at)
		require.NoError(t, err)
		require.NoError(t, db.AcquireFunc(t.Context(), func(c store.PoolConn) error {
			return store.SendBatch(t.Context(), c.Conn(), insert, r.name, r.small, r.mid, r.big, r.ids, r.some, r.bytes, texts, 7, at)
		}))
	}

	got, err := db.Query(t.Context(), `SELECT d.who || d.n FROM (SELECT (array_agg(l.who))[1] AS who, count(*) AS n FROM lists l GROUP BY l) d ORDER BY 1`)
	require.NoError(t, err)
	same, err := pgx.CollectRows(got, pgx.RowTo[string])
	require.NoError(t, err)
	require.Equal(t, []string{"empty2", "full2", "null2"}, same, "the two ways to send them are one")
}

// A statement that fails is told of, those behind it do not run, and the
// connection can be used again.
func TestBatch_fails(t *testing.T) {
	t.Parallel()

	db := pgtest.DB(t)
	conn, err := db.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()

	err = store.SendBatch(t.Context(), conn.Conn(), `SELECT 1 / $1::int`, 0)
	require.ErrorContains(t, err, "22012")
	require.Error(t, store.SendBatch(t.Context(), conn.Conn(), `SELECT $1::int`), "an argument is missing")
	require.Error(t, store.SendBatch(t.Context(), conn.Conn(), `SELECT $1::int`, "no number"))
	require.NoError(t, store.SendBatch(t.Context(), conn.Conn(), `SELECT 1 / $1::int`, 1))
}
