package sync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// Whoever leads the owner of a customer sees it also when it has become one with
// somebody else's, as he sees what hangs on it; and what he typed of it meanwhile
// arrives. When the merge is undone he sees his own, and not the other.
func TestDuplicate_managerGoesOnSeeing(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, gao, chen := w.phone("lin"), w.phone("gao"), w.phone("chen")
	ids := w.ids(2)
	gao.pull()
	gao.makes(ids[0], "account", shopValues(0)) // first, so it stays gao's
	gao.push()
	gao.create("visit", values("account", ids[0], "summary", "高"))
	gao.push()
	lin.makes(ids[1], "account", values("name", "另一家", "phones", []string{"13800138000"}))
	visit := w.id()
	lin.makes(visit, "visit", values("account", ids[1], "summary", "林"))
	lin.sync()
	chen.pull()
	require.True(t, chen.has(ids[1]) && !chen.has(ids[0]))
	late := chen.edit(ids[1], values("short_name", "晚")) // and is not sent

	lin.edit(ids[1], values("name", "兴旺超市"))
	lin.sync()
	w.settles()
	chen.push()
	chen.pull()
	require.Equal(t, record.Applied, chen.outs[late].Result, "%+v", chen.outs[late].Refusal)
	require.True(t, chen.has(ids[0]), "lin's manager sees what lin works on")
	require.Equal(t, gao.who.Person.String(), chen.text(ids[0], "owner"))
	require.Equal(t, "晚", chen.text(ids[0], "short_name"))
	require.Equal(t, 2, chen.count("visit"))
	require.Equal(t, ids[0].String(), chen.text(visit, "account"))
	no := chen.remove(ids[0])
	chen.push()
	require.Equal(t, "denied", chen.outs[no].Refusal.Code, "to see it is not to lead its owner")
	require.Empty(t, w.inspect(false))

	chen.edit(ids[1].Derive("merge_redirect"), values("state", "split"))
	chen.sync()
	w.settles()
	chen.pull()
	require.True(t, chen.has(ids[1]) && !chen.has(ids[0]))
	require.Equal(t, 1, chen.count("visit"))
	require.Empty(t, w.inspect(false))
}

// A server from before placed what people work on together without those above
// them. The queue of subtrees mends that, the top and what hangs on it.
func TestRescope_olderServer(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	gao, chen := w.phone("gao"), w.phone("chen")
	shop := gao.create("account", values("name", "兴旺超市", "collaborators", []record.ID{w.person(w.org, "lin")}))
	visit := gao.create("visit", values("account", shop, "summary", "好"))
	gao.sync()
	for _, sql := range []string{
		`UPDATE records SET scopes = array_remove(scopes, s.id), entered = entered[2:] FROM scopes s WHERE s.org = $1 AND s.name = $2 AND records.org = $1 AND s.id = ANY(scopes)`,
		`DELETE FROM members USING scopes s WHERE s.org = $1 AND s.name = $2 AND members.org = $1 AND members.scope = s.id`,
		`DELETE FROM scope_index USING scopes s WHERE s.org = $1 AND s.name = $2 AND scope_index.org = $1 AND scope_index.scope = s.id`,
	} {
		done, err := w.pool.Exec(t.Context(), sql, w.org, "owner:"+w.person(w.org, "lin").String())
		require.NoError(t, err)
		require.EqualValues(t, 2, done.RowsAffected())
	}
	require.NotEmpty(t, w.inspect(false))
	_, err := w.pool.Exec(t.Context(), `INSERT INTO rescopes (org, rec, seq) VALUES ($1, $2, 1)`, w.org, [16]byte(shop))
	require.NoError(t, err)
	w.engine = w.server(w.pool) // which remembers nothing

	w.settles()

	require.Empty(t, w.inspect(false))
	chen.pull()
	require.True(t, chen.has(shop) && chen.has(visit))
}
