package store_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
)

func TestMarkWhole(t *testing.T) {
	t.Parallel()

	db := pgtest.DB(t)
	uid := record.ID(uuid.Must(uuid.NewV7()))
	org, err := store.CreateOrg(t.Context(), db, store.NewOrg{Name: "acme", UID: uid, Epoch: "e1", Draw: func() int32 { return 7 }})
	require.NoError(t, err)
	began, err := store.BeginningOf(t.Context(), db, org)
	require.NoError(t, err)
	require.False(t, began.Whole)
	require.False(t, began.At.IsZero())

	require.NoError(t, store.MarkWhole(t.Context(), db, org))
	require.NoError(t, store.MarkWhole(t.Context(), db, org), "again")

	again, err := store.BeginningOf(t.Context(), db, org)
	require.NoError(t, err)
	require.True(t, again.Whole)
	require.Equal(t, began.At, again.At)

	require.Equal(t, errs.Missing, errs.KindOf(store.MarkWhole(t.Context(), db, org+1)))
	_, err = store.BeginningOf(t.Context(), db, org+1)
	require.Equal(t, errs.Missing, errs.KindOf(err))
	n, err := store.Accepted(t.Context(), db, org, []record.ID{uid})
	require.NoError(t, err)
	require.Zero(t, n)
}
