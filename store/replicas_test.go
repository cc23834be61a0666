package store_test

import (
	"cmp"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg"
	"roadbook/store/pg/pgtest"
	"roadbook/version"
)

// The order of names is the order of numbers, and a name is read as it was
// written.
func TestReplicaName_order(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		a := record.ReplicaID(rapid.Int32Range(1, 1<<31-1).Draw(t, "a"))
		b := record.ReplicaID(rapid.Int32Range(1, 1<<31-1).Draw(t, "b"))

		require.Equal(t, cmp.Compare(a, b), cmp.Compare(store.ReplicaName(a), store.ReplicaName(b)))
		read, ok := store.ReplicaNo(store.ReplicaName(a))
		require.True(t, ok)
		require.Equal(t, a, read)
	})
}

func TestReplicaNo(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name version.Replica
		want record.ReplicaID
	}{
		{"0000001", 1},
		{"000000v", 31},
		{"0000010", 32},
		{"1vvvvvv", 1<<31 - 1},
		{"2000000", 0}, // one past the largest
		{"0000000", 0},
		{"vvvvvvv", 0},
		{"000000w", 0},
		{"000000A", 0},
		{"00001", 0},
		{"00000001", 0},
		{version.Log, 0},
		{"", 0},
	}
	for _, tt := range tests {
		got, ok := store.ReplicaNo(tt.name)
		require.Equal(t, tt.want, got, tt.name)
		require.Equal(t, tt.want != 0, ok, tt.name)
	}
}

func newID() record.ID { return record.ID(uuid.Must(uuid.NewV7())) }

// drawing gives these numbers, one after the other.
func drawing(numbers ...int32) func() int32 {
	return func() int32 {
		n := numbers[0]
		numbers = numbers[1:]
		return n
	}
}

func newOrg(t *testing.T, db *pgxpool.Pool, name string) record.OrgID {
	t.Helper()
	org, err := store.CreateOrg(t.Context(), db, store.NewOrg{
		Name: name, UID: newID(), Epoch: "e-" + name, Draw: drawing(1),
	})
	require.NoError(t, err)
	return org
}

func claim(
	t *testing.T, db *pgxpool.Pool, org record.OrgID, device record.ID, fresh bool, draw func() int32,
) (r store.Replica, err error) {
	t.Helper()
	err = pg.InTx(t.Context(), db, pgx.TxOptions{}, func(tx pgx.Tx) error {
		r, err = store.ClaimReplica(t.Context(), tx, org, device, newID(), fresh, draw)
		return err
	})
	return r, err
}

func TestClaimReplica(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	org, phone, tablet := newOrg(t, db, "demo"), newID(), newID()
	last := newID()

	first, err := claim(t, db, org, phone, false, drawing(900))
	require.NoError(t, err)
	_, err = db.Exec(t.Context(), `UPDATE replicas SET n = 7, last = $2 WHERE org = $1 AND id = 900`, org, last)
	require.NoError(t, err)
	again, err := claim(t, db, org, phone, false, drawing())
	require.NoError(t, err)
	fresh, err := claim(t, db, org, phone, true, drawing(900, 900-1<<31, 1, 17))
	require.NoError(t, err)
	newest, err := claim(t, db, org, phone, false, drawing())
	require.NoError(t, err)
	other, err := claim(t, db, org, tablet, false, drawing(18))
	require.NoError(t, err)

	require.Equal(t, store.Replica{ID: 900, Name: "00000s4"}, first)
	require.Equal(t, store.Replica{ID: 900, Name: "00000s4", N: 7, LastID: last}, again)
	require.Equal(t, store.Replica{ID: 17, Name: "000000h"}, fresh, "a number that is taken is drawn again")
	require.Equal(t, fresh, newest, "though its number is smaller")
	require.Equal(t, record.ReplicaID(18), other.ID)
}

func TestClaimReplica_noNumber(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	org := newOrg(t, db, "demo")

	_, err := claim(t, db, org, newID(), false, func() int32 { return 1 })

	require.Equal(t, errs.Busy, errs.KindOf(err), "1 is the server's")
}

// Two sign-ins of one install at the same time get the same replica.
func TestClaimReplica_together(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	org, device := newOrg(t, db, "demo"), newID()
	got, failed := make([]store.Replica, 4), make([]error, 4)

	var all sync.WaitGroup
	for i := range got {
		all.Go(func() { got[i], failed[i] = claim(t, db, org, device, false, drawing(int32(100+i))) })
	}
	all.Wait()

	for i := range got {
		require.NoError(t, failed[i])
		require.Equal(t, got[0], got[i])
	}
}

func TestCreateOrg(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	org := newOrg(t, db, "demo")
	second := newOrg(t, db, "other")

	_, again := store.CreateOrg(t.Context(), db, store.NewOrg{Name: "demo", UID: newID(), Epoch: "x", Draw: drawing(2)})
	found, err := store.OrgByName(t.Context(), db, "demo")
	require.NoError(t, err)
	_, missing := store.OrgByName(t.Context(), db, "Demo")

	require.NotEqual(t, org, second)
	require.Equal(t, org, found.ID)
	require.Equal(t, "demo", found.Name)
	require.Equal(t, errs.Clash, errs.KindOf(again))
	require.Equal(t, errs.Missing, errs.KindOf(missing))
	err = store.New(db).InOrg(t.Context(), org, func(tx store.Tx, head store.Head) error {
		require.Equal(t, record.ReplicaID(1), head.Server)
		require.Equal(t, "e-demo", head.Epoch)
		require.Equal(t, make([]byte, 32), head.Chain)
		writers, err := tx.Writers(t.Context(), []record.ReplicaID{head.Server})
		require.NoError(t, err)
		require.Len(t, writers, 1)
		require.Equal(t, found.UID, writers[0].Person)
		return nil
	})
	require.NoError(t, err)
}

func TestLogOf(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	org := newOrg(t, db, "demo")

	bare, err := store.LogOf(t.Context(), db, org)
	require.NoError(t, err)
	_, err = db.Exec(t.Context(), `INSERT INTO schemas (org, seq, body) VALUES ($1, 4, '{"version": "3"}')`, org)
	require.NoError(t, err)
	_, err = db.Exec(t.Context(), `UPDATE heads SET schema = 4 WHERE org = $1`, org)
	require.NoError(t, err)
	dressed, err := store.LogOf(t.Context(), db, org)
	require.NoError(t, err)
	_, missing := store.LogOf(t.Context(), db, org+1)

	require.Equal(t, store.Log{Epoch: "e-demo"}, bare)
	require.Equal(t, store.Log{Epoch: "e-demo", Schema: "3"}, dressed)
	require.Equal(t, errs.Missing, errs.KindOf(missing))
}

func TestActorOf(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	org, lin := newOrg(t, db, "demo"), newID()
	_, err := db.Exec(t.Context(),
		`INSERT INTO actors (org, id, name, roles, active) VALUES ($1, $2, '林晓', '{rep}', true)`, org, lin)
	require.NoError(t, err)

	got, err := store.ActorOf(t.Context(), db, org, lin)
	require.NoError(t, err)
	_, elsewhere := store.ActorOf(t.Context(), db, org+1, lin)

	require.Equal(t, store.Person{ID: lin, Name: "林晓", Roles: []string{"rep"}, Active: true}, got)
	require.Equal(t, errs.Missing, errs.KindOf(elsewhere))
}
