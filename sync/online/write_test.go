package online_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/wire"
)

// What somebody at a browser writes is there for him and for his manager, not
// for a colleague, and for nobody of another org.
func TestWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := w.create("lin", "account", "name", "兴旺", "phones", []string{"13900139000"})

	out := w.write("lin", edit("account", shop, w.get("lin", "account", shop).Seq, "grade", "A"))

	require.Equal(t, record.Applied, out.Result)
	rec := w.get("chen", "account", shop)
	require.Equal(t, out.Seq, rec.Seq)
	require.JSONEq(t, `"A"`, string(rec.Values.Get("grade")))
	require.JSONEq(t, `["13900139000"]`, string(rec.Values.Get("phones")))
	_, err := w.online.Get(t.Context(), w.who("zhou"), "account", shop)
	require.Equal(t, errs.Missing, errs.KindOf(err), "a colleague")
	_, err = w.online.Get(t.Context(), w.at(w.newOrg("other"), "admin"), "account", shop)
	require.Equal(t, errs.Missing, errs.KindOf(err), "another org")
	_, err = w.online.Get(t.Context(), w.who("lin"), "contact", shop)
	require.Equal(t, errs.Missing, errs.KindOf(err), "another kind")
	out, err = w.online.Write(t.Context(), w.who("zhou"), record.Mutation{ID: w.id(), Edits: []record.Edit{edit("account", shop, 0, "grade", "B")}})
	require.NoError(t, err)
	require.Equal(t, "missing", out.Refusal.Code)
}

// What a person has written online counts as his own: his next change is in no
// conflict with it, though he has not read it back.
func TestWrite_own(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := w.create("lin", "account", "name", "a")

	one := w.write("lin", edit("account", shop, 0, "name", "b"))
	two := w.write("lin", edit("account", shop, 0, "name", "c"))
	chens := w.write("chen", edit("account", shop, 0, "name", "d"))

	require.Equal(t, record.Applied, one.Result)
	require.Equal(t, record.Applied, two.Result)
	require.Equal(t, record.Merged, chens.Result, "he had seen nothing of it")
	require.Len(t, chens.Clashes, 1)
}

// A change that is sent again gets the verdict of the first time and is done
// once; with other content, or from somebody else, it is refused.
func TestWrite_again(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := w.create("lin", "account", "name", "a")
	inc := record.Mutation{ID: w.id(), Edits: []record.Edit{{Op: record.OpEdit, Kind: "account", ID: shop, Inc: values("points", 5)}}}

	first, err := w.online.Write(t.Context(), w.who("lin"), inc)
	require.NoError(t, err)
	w.pass(time.Minute)
	again, err := w.online.Write(t.Context(), w.who("lin"), inc)
	require.NoError(t, err)
	others, err := w.online.Write(t.Context(), w.who("chen"), inc)
	require.NoError(t, err)
	inc.Edits = []record.Edit{{Op: record.OpEdit, Kind: "account", ID: shop, Inc: values("points", 6)}}
	rewritten, err := w.online.Write(t.Context(), w.who("lin"), inc)
	require.NoError(t, err)
	_, err = w.online.Write(t.Context(), w.who("lin"), record.Mutation{Edits: inc.Edits})

	require.Equal(t, errs.Invalid, errs.KindOf(err), "without an id")
	require.True(t, again.Repeated)
	require.Equal(t, first.Seq, again.Seq)
	require.Equal(t, first.N, again.N)
	require.Equal(t, "rewritten", rewritten.Refusal.Code)
	require.Equal(t, "rewritten", others.Refusal.Code)
	rec := w.get("lin", "account", shop)
	require.Equal(t, first.Seq, rec.Seq)
	require.JSONEq(t, `5`, string(rec.Values.Get("points")))
}

// The name under which a device writes online is never the one that a sign-in
// gives out, and no push and no pull may use it.
func TestWrite_itsReplica(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := w.who("lin")
	claim := func() (r store.Replica) {
		require.NoError(t, pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) (err error) {
			r, err = store.ClaimReplica(t.Context(), tx, who.Org, who.Device, who.Person, false, w.draw)
			return err
		}))
		return r
	}
	w.create("lin", "account", "name", "a")
	mine := claim()
	w.create("lin", "account", "name", "b")
	var id record.ReplicaID
	var n int
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT id, n FROM replicas WHERE device = $1 AND online`, who.Device).Scan(&id, &n))

	require.Equal(t, 2, n, "one name for both")
	require.NotEqual(t, id, mine.ID)
	require.Equal(t, mine, claim(), "signing in again")
	_, err := w.engine.Push(t.Context(), who, &wire.Push{Replica: store.ReplicaName(id)})
	require.Equal(t, "replica", errs.CodeOf(err))
	_, err = w.engine.Pull(t.Context(), who, &wire.PullRequest{Replica: store.ReplicaName(id)})
	require.Equal(t, "replica", errs.CodeOf(err))
	_, err = w.engine.Push(t.Context(), who, &wire.Push{Replica: mine.Name})
	require.NoError(t, err)
}

// Whatever a person's role hides is in no answer.
func TestGet_hidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zhou := person(w.org, "zhou")
	w.propose(w.org, edit("user", zhou, 0, "mobile", "13900139000"))

	require.Nil(t, w.get("lin", "user", zhou).Values.Get("mobile"))
	require.NotNil(t, w.get("chen", "user", zhou).Values.Get("mobile"))
}
