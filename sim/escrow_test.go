package sim

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/clients/go/localstore"
	"roadbook/errs"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
)

// Three devices spend a budget of a hundred without a network: each from what
// is reserved for it, so all of it stands and no more; what is left of a share
// that is given back can be reserved by the next. The numbers that they print
// are all different. The server and the network are real.
func TestReserve_threeDevicesOffline(t *testing.T) {
	t.Parallel()

	pool := pgtest.DB(t)
	w, err := New(t.Context(), Config{Pool: pool, Org: "escrow", Engine: func(_ int, now func() time.Time, draw func() int32) *sync.Engine {
		return sync.New(sync.Config{
			Store: store.New(pool), Rules: []sync.Rule{people.Rule{}}, Key: []byte("a key of these tests, 32 bytes.."),
			Now: now, Draw: draw, Fault: func(err error) { t.Log("fault:", err) }, Still: true,
		})
	}}, Script{Seed: 1})
	require.NoError(t, err)
	t.Cleanup(w.Close)
	server := httptest.NewServer(w.http[0])
	t.Cleanup(server.Close)
	require.NoError(t, w.Do(Step{No: 1, Who: "office", Does: "types", Args: []string{
		"create", "b1", "name=pot", "discount=100", "owner=admin", ";", "create", "s1", "name=pad", "prefix=Q-", "owner=admin",
	}}))
	budget, series := w.idOf("b1"), w.idOf("s1")
	w.step.No = 2
	var devices []*device.Device
	for _, login := range []string{"lin", "zhou", "gao"} {
		d, err := device.Open(device.Config{BaseURL: server.URL, HTTP: http.DefaultClient, Now: func() time.Time { return dawn }, NewID: w.newID})
		require.NoError(t, err)
		t.Cleanup(func() { _ = d.Close() })
		require.NoError(t, d.SignIn(t.Context(), "escrow", login, "roadbook"))
		synced(t, d)
		_, err = d.Reserve("budget", budget, "discount", 33)
		require.NoError(t, err)
		_, err = d.Reserve("series", series, "issued", 10)
		require.NoError(t, err)
		devices = append(devices, d)
	}
	for _, d := range devices {
		require.Empty(t, d.Reserves(), "what is asked for is not there yet")
		synced(t, d)
		require.Len(t, d.Reserves(), 2)
	}

	numbers, promised := map[string]bool{}, int64(0)
	for round := range 9 {
		for i, d := range devices {
			share, pad := heldBy(d)
			_, err := d.Mutate(func(ty *device.Typing) error {
				ty.Spend(share, int64(3+i))
				numbers[ty.Number(pad)] = true
				return nil
			})
			if left, _ := d.Get(share); err != nil { // it says at once that there is no more, and nothing is typed
				require.Less(t, left.Number("left"), int64(3+i), "round %d", round)
				continue
			}
			promised += int64(3 + i)
		}
	}
	for _, d := range devices {
		synced(t, d)
		require.Empty(t, d.Refused(), "what was promised stands")
	}
	require.LessOrEqual(t, promised, int64(99))
	delete(numbers, "")

	left := int64(1)
	for _, d := range devices {
		share, _ := heldBy(d)
		v, _ := d.Get(share)
		left += v.Number("left")
		require.NoError(t, d.Return(share))
		synced(t, d)
	}
	synced(t, devices[0])
	pot, _ := devices[0].Get(budget)
	require.Equal(t, left, pot.Number("discount"), "what is not spent is there again")
	require.Equal(t, int64(100), promised+pot.Number("discount"))
	again, err := devices[0].Reserve("budget", budget, "discount", left)
	require.NoError(t, err)
	synced(t, devices[0])
	v, _ := devices[0].Get(again)
	require.Equal(t, left, v.Number("left"))
	require.NoError(t, w.replay.follow())
}

// heldBy are the reserves of a device: of the budget, and of numbers.
func heldBy(d *device.Device) (share, pad record.ID) {
	for _, v := range d.Reserves() {
		if v.Raw("first") == nil {
			share = v.ID
		} else {
			pad = v.ID
		}
	}
	return share, pad
}

func synced(t *testing.T, d *device.Device) {
	t.Helper()
	_, err := d.Sync(t.Context())
	require.NoError(t, err)
}

// A server that has a second machine says up to where its log is there. What is
// reserved above that may be lost with the first one, and be reserved by
// somebody else: no device promises from it yet.
func TestReserve_waitsUntilItIsSafe(t *testing.T) {
	t.Parallel()

	pool := pgtest.DB(t)
	var safe atomic.Int64
	w, err := New(t.Context(), Config{Pool: pool, Org: "escrow", Engine: func(_ int, now func() time.Time, draw func() int32) *sync.Engine {
		return sync.New(sync.Config{
			Store: store.New(pool), Rules: []sync.Rule{people.Rule{}}, Key: []byte("a key of these tests, 32 bytes.."),
			Now: now, Draw: draw, Fault: func(err error) { t.Log("fault:", err) }, Still: true,
			Durable: func(record.OrgID) record.Seq { return record.Seq(safe.Load()) },
		})
	}}, Script{Seed: 1})
	require.NoError(t, err)
	t.Cleanup(w.Close)
	server := httptest.NewServer(w.http[0])
	t.Cleanup(server.Close)
	require.NoError(t, w.Do(Step{No: 1, Who: "office", Does: "types", Args: []string{
		"create", "b1", "name=pot", "discount=100", "owner=admin", ";", "create", "s1", "name=pad", "prefix=Q-", "owner=admin",
	}}))
	budget, series := w.idOf("b1"), w.idOf("s1")
	w.step.No = 2
	kept := &localstore.Memory{}
	config := device.Config{BaseURL: server.URL, HTTP: http.DefaultClient, Now: func() time.Time { return dawn }, NewID: w.newID, Store: kept}
	d, err := device.Open(config)
	require.NoError(t, err)
	require.NoError(t, d.SignIn(t.Context(), "escrow", "lin", "roadbook"))
	safe.Store(1)
	synced(t, d)
	share, err := d.Reserve("budget", budget, "discount", 33)
	require.NoError(t, err)
	pad, err := d.Reserve("series", series, "issued", 10)
	require.NoError(t, err)
	synced(t, d)
	promise := func() error {
		_, err := d.Mutate(func(ty *device.Typing) error { ty.Spend(share, 3); return nil })
		_, also := d.Mutate(func(ty *device.Typing) error { ty.Number(pad); return nil })
		require.Equal(t, errs.CodeOf(err), errs.CodeOf(also))
		return err
	}

	v, there := d.Get(share)
	require.True(t, there)
	require.Equal(t, int64(33), v.Number("left"), "it is granted")
	require.Empty(t, d.Reserves())
	require.Equal(t, "reserve_unsafe", errs.CodeOf(promise()))
	require.NoError(t, d.Close())
	safe.Store(0) // a server that has just started does not know yet
	d, err = device.Open(config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.Close() })
	synced(t, d)
	require.Equal(t, "reserve_unsafe", errs.CodeOf(promise()), "it is remembered that there is a second machine")

	safe.Store(1 << 40)
	synced(t, d)
	require.Len(t, d.Reserves(), 2)
	require.NoError(t, promise())
	synced(t, d)
	require.Empty(t, d.Refused())
}
