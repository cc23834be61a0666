package online_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/online"
)

// rows are all rows of lookups, and those that there should be.
func (w *world) rows() (are, should map[string]int) {
	w.t.Helper()
	are, should = map[string]int{}, map[string]int{}
	rows, err := w.pool.Query(w.t.Context(), `SELECT rec, field, val FROM lookups WHERE org = $1`, w.org)
	require.NoError(w.t, err)
	var id record.ID
	var field int16
	var val string
	_, err = pgx.ForEachRow(rows, []any{&id, &field, &val}, func() error {
		are[fmt.Sprint(id, field, val)]++
		return nil
	})
	require.NoError(w.t, err)
	ids, err := w.pool.Query(w.t.Context(), `SELECT id FROM records WHERE org = $1`, w.org)
	require.NoError(w.t, err)
	all, err := pgx.CollectRows(ids, pgx.RowTo[record.ID])
	require.NoError(w.t, err)
	require.NoError(w.t, store.New(w.pool).Snapshot(w.t.Context(), w.org, func(tx store.Tx, head store.Head) error {
		schema, err := tx.Schema(w.t.Context(), head.Schema)
		require.NoError(w.t, err)
		found, err := tx.Records(w.t.Context(), all)
		require.NoError(w.t, err)
		for i := range found {
			rec, err := found[i].Record(schema)
			require.NoError(w.t, err)
			for _, r := range rec.AppendLookups(nil) {
				should[fmt.Sprint(rec.ID, r.Field, r.Val)] = 1
			}
		}
		return nil
	}))
	return are, should
}

// The rows that lists go by are those of the records, whatever was done to
// them: a change writes what it changes.
func TestLookups(t *testing.T) {
	t.Parallel()
	w := someWorld(t)

	are, should := w.rows()

	require.Greater(t, len(are), 100)
	require.Equal(t, should, are)
}

// A schema with other look-up fields fills their rows before it has been
// published; one without any takes them away.
func TestLookups_ofAnotherSchema(t *testing.T) {
	t.Parallel()
	w := someWorld(t)
	body, err := w.schema.Stored()
	require.NoError(t, err)
	other, err := record.ParseSchema(body)
	require.NoError(t, err)
	account := other.Kind("account")
	account.Field("grade").Lookup = 0
	account.Field("points").Lookup = 40
	account.Field("name").Lookup, account.Field("tags").Lookup = account.Field("tags").Lookup, account.Field("name").Lookup

	require.NoError(t, w.engine.Publish(t.Context(), w.org, other))

	are, should := w.rows()
	require.Equal(t, should, are)
	_, err = w.online.List(t.Context(), w.who("lin"), online.Query{Kind: "account", Filter: `grade == "A"`})
	require.Equal(t, "filter", errs.CodeOf(err))
	require.NotEmpty(t, w.all("lin", online.Query{Kind: "account", Filter: "points == null"}))
}

// An org from before there were look-up fields gets the shipped ones when the
// server starts. Until its rows are there, nothing can be looked up by them.
func TestLookups_fromBefore(t *testing.T) {
	t.Parallel()
	w := someWorld(t)
	q := online.Query{Kind: "account", Filter: `grade != "A"`}
	want := w.all("lin", q)
	old := withoutLookups(t, w.schema)
	require.NoError(t, w.engine.Publish(t.Context(), w.org, old))
	are, _ := w.rows()
	require.Empty(t, are)

	server := w.server()
	require.NoError(t, server.Resume(t.Context()))
	require.NoError(t, server.Resume(t.Context()), "again is no more")

	are, should := w.rows()
	require.NotEmpty(t, are)
	require.Equal(t, should, are)
	require.Equal(t, want, w.all("lin", q))

	_, err := w.pool.Exec(t.Context(), `INSERT INTO reindexes (org, kinds, after) VALUES ($1, '{1}', '00000000-0000-0000-0000-000000000000')`, w.org)
	require.NoError(t, err)
	_, err = w.online.List(t.Context(), w.who("lin"), q)
	require.Equal(t, "indexing", errs.CodeOf(err))
	require.Equal(t, errs.Busy, errs.KindOf(err))
	require.NotEmpty(t, w.list("lin", online.Query{Kind: "account"}).Records, "without looking up it can be read")
	require.NoError(t, server.Resume(t.Context()), "what was interrupted goes on")
	require.Equal(t, want, w.all("lin", q))
}

func withoutLookups(t *testing.T, s *record.Schema) *record.Schema {
	t.Helper()
	body, err := s.Stored()
	require.NoError(t, err)
	old, err := record.ParseSchema(body)
	require.NoError(t, err)
	for _, k := range old.Kinds {
		k.Match = nil
		for _, f := range k.Fields {
			f.Lookup = 0
		}
	}
	return old
}
