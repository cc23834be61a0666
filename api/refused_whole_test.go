package api_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/api"
	device "roadbook/clients/go"
	"roadbook/record"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/sync/online"
	"roadbook/version"
)

// A server was restored and lacks what a change builds on: it waits, and
// whoever typed it and his manager see that it does. After thirty days it is
// refused, and they see that, and what to do. Other managers see neither.
func TestRefused_parkedAndExpired(t *testing.T) {
	t.Parallel()

	var passed atomic.Int64
	begin := time.Now()
	now := func() time.Time { return begin.Add(time.Duration(passed.Load())) }
	w := newWhole(t, testPool(t), now, func(c *api.Config) {
		records := online.New(c.Line.(*sync.Engine), []byte("a key of these tests, 32 bytes.."), c.Now)
		c.Online = func() (api.Records, error) { return records, nil }
	})
	chen, _ := w.hire("chen", "manager"), w.hire("gao", "manager")
	lins := w.signedIn("lin")
	w.team(chen, lins.Status().Actor.ID)
	chens, gaos := w.signedIn("chen"), w.signedIn("gao")
	backup, err := pgtest.Take(t.Context(), w.pool)
	require.NoError(t, err)
	shop, err := chens.Create("account", device.Values{"name": "兴旺", "owner": lins.Status().Actor.ID.String()})
	require.NoError(t, err)
	syncs(t, chens)
	syncs(t, lins)
	require.NoError(t, lins.Edit("account", shop, func(dr *device.Draft) { dr.Set("remark", "周一送货") }))
	syncs(t, lins)

	require.NoError(t, backup.Restore(t.Context(), w.pool))
	_, err = w.engine.NewEpoch(t.Context(), w.org, "a test restored it")
	require.NoError(t, err)
	syncs(t, lins)

	type page struct{ Refused []online.RefusedChange }
	is := func(d *device.Device, path string, state record.Result, code, fix string) {
		t.Helper()
		var p page
		require.Equal(t, 200, w.call(d, "GET", path, "", &p))
		require.Len(t, p.Refused, 1)
		r := p.Refused[0]
		require.Equal(t, state, r.State)
		require.Equal(t, "lin", r.Name)
		require.Equal(t, lins.Status().Actor.ID, r.Person)
		require.Contains(t, r.Fix, fix)
		require.Len(t, r.Records, 1)
		require.Equal(t, shop, r.Records[0].ID)
		require.Equal(t, code, r.Reason.Code)
	}
	none := func(d *device.Device) {
		t.Helper()
		var p page
		require.Equal(t, 200, w.call(d, "GET", "/v1/refused", "", &p))
		require.Empty(t, p.Refused)
	}
	ofLin := "/v1/refused?person=" + lins.Status().Actor.ID.String()
	is(lins, "/v1/refused", record.Parked, "missing", "无需处理")
	is(chens, "/v1/refused", record.Parked, "missing", "无需处理")
	is(chens, ofLin, record.Parked, "missing", "无需处理")
	none(gaos)

	passed.Add(int64(31 * 24 * time.Hour))
	_, err = w.engine.Expire(t.Context(), w.org)
	require.NoError(t, err)
	lin2, chen2, gao2 := w.signedIn("lin"), w.signedIn("chen"), w.signedIn("gao")
	is(lin2, "/v1/refused", record.Refused, "parked", "重新填写")
	is(chen2, ofLin, record.Refused, "parked", "重新填写")
	none(gao2)
}

// team puts somebody under a manager.
func (w *whole) team(manager, person record.ID) {
	w.t.Helper()
	unit := newID()
	for _, e := range []record.Edit{
		{Op: record.OpCreate, Kind: "unit", ID: unit, Set: fields("name", "team", "kind", "team", "status", "active")},
		{Op: record.OpEdit, Kind: "user", ID: person, Set: fields("unit", unit)},
		{Op: record.OpEdit, Kind: "unit", ID: unit, Set: fields("manager", manager)},
	} {
		out, err := w.engine.Commit(w.t.Context(), w.org, []sync.Proposal{{Mutation: record.Mutation{
			ID: newID(), Stamp: version.StampAt(w.now()), Edits: []record.Edit{e},
		}}})
		require.NoError(w.t, err)
		require.Nil(w.t, out[0].Refusal)
	}
}
