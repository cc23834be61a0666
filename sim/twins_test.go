package sim

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
)

// Two devices make the same shop without a network, each with a visit. In both
// orders of arrival there is one shop with two visits on both; what one of them
// types for the other later arrives at the one that is left; and who says that it
// was a mistake gives each its own back. The server and the network are real.
func TestDuplicate_twoDevicesOffline(t *testing.T) {
	t.Parallel()

	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		t.Run([]string{"the elder first", "the younger first"}[order[0]], func(t *testing.T) {
			t.Parallel()
			d := newTwins(t)
			d.arrive(order)
			d.oneShop(2)
			d.bothTold(order[1])
			d.late()
			d.undo()
		})
	}
}

// twins are two devices and what they made. The first one's shop goes on.
type twins struct {
	t       *testing.T
	w       *World
	engine  *sync.Engine
	devices [2]*device.Device
	told    [2][]record.Outcome // by a push
	shops   [2]record.ID
	visits  [2]record.ID
}

func newTwins(t *testing.T) *twins {
	t.Helper()
	d := &twins{t: t}
	pool := pgtest.DB(t)
	var err error
	d.w, err = New(t.Context(), Config{Pool: pool, Org: "twins", Engine: func(_ int, now func() time.Time, draw func() int32) *sync.Engine {
		d.engine = sync.New(sync.Config{
			Store: store.New(pool), Rules: []sync.Rule{people.Rule{}}, Key: []byte("a key of these tests, 32 bytes.."),
			Now: now, Draw: draw, Fault: func(err error) { t.Log("fault:", err) }, Still: true,
		})
		return d.engine
	}}, Script{Seed: 1})
	require.NoError(t, err)
	t.Cleanup(d.w.Close)
	server := httptest.NewServer(d.w.http[0])
	t.Cleanup(server.Close)
	for i, login := range []string{"lin", "gao"} {
		d.devices[i], err = device.Open(device.Config{
			BaseURL: server.URL, HTTP: http.DefaultClient, Now: func() time.Time { return dawn }, NewID: d.w.newID,
		})
		require.NoError(t, err)
		t.Cleanup(func() { _ = d.devices[i].Close() })
		require.NoError(t, d.devices[i].SignIn(t.Context(), "twins", login, "roadbook"))
		synced(t, d.devices[i])
	}
	d.shops = [2]record.ID{d.w.newID(), d.w.newID()}
	slices.SortFunc(d.shops[:], func(a, b record.ID) int { return bytes.Compare(a[:], b[:]) }) // the lesser goes on
	for i, name := range []string{"兴旺超市", "兴旺超市有限公司"} {
		_, err = d.devices[i].Mutate(func(ty *device.Typing) error {
			ty.CreateAs("account", d.shops[i], device.Values{"name": name, "phones": []string{"13800138000"}, "calls": i + 1})
			return nil
		})
		require.NoError(t, err)
		d.visits[i], err = d.devices[i].Create("visit", device.Values{"account": d.shops[i], "summary": name})
		require.NoError(t, err)
	}
	return d
}

// arrive brings what the two made, and what the second typed for its own shop
// before it knew that this one goes on as another.
func (d *twins) arrive(order [2]int) {
	for _, i := range order {
		report, err := d.devices[i].Push(d.t.Context())
		require.NoError(d.t, err)
		d.told[i] = report.Outcomes
	}
	require.NoError(d.t, d.devices[1].Edit("account", d.shops[1], func(dr *device.Draft) { dr.Set("short_name", "旺") }))
	typed := d.devices[1].Outbox()
	require.Equal(d.t, d.shops[1], typed[len(typed)-1].Edits[0].ID, "it is sent to the one that is gone")
	d.sync()
}

// sync syncs both until each knows what the other has sent, and what follows.
func (d *twins) sync() {
	for range 2 {
		for _, device := range d.devices {
			synced(d.t, device)
			require.Empty(d.t, device.Refused())
		}
		for more := true; more; {
			var err error
			more, err = d.engine.RescopeChunk(d.t.Context(), d.w.org)
			require.NoError(d.t, err)
		}
	}
}

func (d *twins) oneShop(visits int) {
	for i, device := range d.devices {
		shops := device.List("account")
		require.Len(d.t, shops, 1, "device %d", i)
		require.Equal(d.t, d.shops[0], shops[0].ID)
		require.Equal(d.t, int64(3), shops[0].Number("calls"))
		require.Equal(d.t, "旺", shops[0].Text("short_name"))
		all := device.List("visit")
		require.Len(d.t, all, visits, "device %d", i)
		for _, v := range all {
			require.Equal(d.t, d.shops[0].String(), v.Text("account"))
		}
		was, there := device.Get(d.shops[1])
		require.True(d.t, there && was.ID == d.shops[0], "a screen that was open goes on with the other")
	}
}

// bothTold wants the verdict of who came second to say so, and the redirect on
// both devices.
func (d *twins) bothTold(second int) {
	told := slices.ContainsFunc(d.told[second], func(o record.Outcome) bool {
		return o.Result == record.Merged && slices.ContainsFunc(o.Clashes, func(c record.Clash) bool {
			return c.Code == "duplicate" && string(c.Kept) == `"`+d.shops[0].String()+`"` && string(c.Lost) == `"`+d.shops[1].String()+`"`
		})
	})
	require.True(d.t, told, "%+v", d.told[second])
	for i, device := range d.devices {
		notes := device.List("merge_redirect")
		require.Len(d.t, notes, 1, "device %d", i)
		require.Equal(d.t, d.shops[1].String(), notes[0].Text("dead"))
		require.Equal(d.t, "merged", notes[0].Text("state"))
	}
}

// late types a third visit for the shop that is gone, from a screen that still
// has its id.
func (d *twins) late() {
	_, err := d.devices[1].Create("visit", device.Values{"account": d.shops[1], "summary": "晚"})
	require.NoError(d.t, err)
	typed := d.devices[1].Outbox()
	require.Equal(d.t, d.shops[1].String(), typed[0].Edits[0].Set.Text("account"), "as it was typed")
	d.sync()
	d.oneShop(3)
}

// undo says that the two are not one.
func (d *twins) undo() {
	note := d.devices[1].List("merge_redirect")[0].ID
	require.NoError(d.t, d.devices[1].Edit("merge_redirect", note, func(dr *device.Draft) { dr.Set("state", "split") }))
	d.sync()
	for i, device := range d.devices {
		shops := device.List("account")
		require.Len(d.t, shops, 1, "each sees his own, as before: %d", i)
		require.Equal(d.t, d.shops[i], shops[0].ID)
		require.Equal(d.t, int64(i+1), shops[0].Number("calls"))
		require.Equal(d.t, []string{"兴旺超市", "兴旺超市有限公司"}[i], shops[0].Text("name"))
		own := device.List("visit")
		require.Len(d.t, own, 1+i, "gao's has the one that came late: %d", i)
		for _, v := range own {
			require.Equal(d.t, d.shops[i].String(), v.Text("account"))
		}
	}
}
