package api_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/clients/go/localstore"
	"roadbook/record"
	"roadbook/sync/wire"
)

// scales count the bytes of bodies, both ways, and what was asked.
type scales struct {
	next  http.RoundTripper
	bytes atomic.Int64
	asked atomic.Int64 // of /v1/sync/check
}

func (c *scales) RoundTrip(r *http.Request) (*http.Response, error) {
	c.bytes.Add(max(r.ContentLength, 0))
	if strings.HasSuffix(r.URL.Path, "/check") {
		c.asked.Add(1)
	}
	res, err := c.next.RoundTrip(r)
	if err == nil {
		res.Body = &weighedBody{res.Body, &c.bytes}
	}
	return res, err
}

type weighedBody struct {
	io.ReadCloser

	bytes *atomic.Int64
}

func (b *weighedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.bytes.Add(int64(n))
	return n, err
}

// carried is a device that counts what it carries.
func (w *whole) carried(t *testing.T, store device.Store, change func(*device.Config)) (*device.Device, *scales) {
	t.Helper()
	c := &scales{next: w.server.Client().Transport}
	d := w.phone(&http.Client{Transport: c}, func(cfg *device.Config) {
		cfg.Store = store
		if change != nil {
			change(cfg)
		}
	})
	return d, c
}

// accounts are made by a device, some in one mutation.
func accounts(t *testing.T, d *device.Device, n int) []record.ID {
	t.Helper()
	ids := make([]record.ID, n)
	for at := 0; at < n; at += record.MaxEdits {
		_, err := d.Mutate(func(w *device.Typing) error {
			for i := at; i < min(at+record.MaxEdits, n); i++ {
				ids[i] = w.Create("account", device.Values{"name": fmt.Sprintf("兴旺超市 %d", i), "remark": newID().String() + newID().String()})
			}
			return nil
		})
		require.NoError(t, err)
	}
	return ids
}

func held(d *device.Device) map[record.ID]record.Seq {
	out := map[record.ID]record.Seq{}
	d.Pulled(func(_ string, id record.ID, seq record.Seq, _ []string, _ record.Values) { out[id] = seq })
	return out
}

func syncs(t testing.TB, d *device.Device) device.Report {
	t.Helper()
	r, err := d.Sync(t.Context())
	require.NoError(t, err)
	return r
}

// Case 10, its first half: a device from beyond the horizon is told of what
// differs, for a twentieth of what a full copy takes if one in a hundred does.
func TestCase10_beyondTheHorizon(t *testing.T) {
	t.Parallel()

	for _, stage := range []bool{true, false} {
		t.Run(fmt.Sprintf("stages %v", stage), func(t *testing.T) {
			t.Parallel()

			now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
			var clock atomic.Int64
			w := newWhole(t, testPool(t), func() time.Time { return now.Add(time.Duration(clock.Load())) }, nil)
			office, away := w.phone(nil, nil), &localstore.Memory{}
			require.NoError(t, office.SignIn(t.Context(), "demo", "lin", wholePassword))
			ids := accounts(t, office, 3000)
			syncs(t, office)
			old, net := w.carried(t, away, func(c *device.Config) { c.Stage = stage })
			require.NoError(t, old.SignIn(t.Context(), "demo", "lin", wholePassword))
			syncs(t, old)
			full := net.bytes.Load()

			for _, id := range ids[:10] {
				require.NoError(t, office.Delete("account", id))
			}
			for _, id := range ids[10:30] {
				require.NoError(t, office.Edit("account", id, func(e *device.Draft) { e.Set("short_name", "旺") }))
			}
			accounts(t, office, 10)
			syncs(t, office)
			var typed []record.ID // while away: on what is gone by now, and on what is not
			for i, id := range ids[:20] {
				require.NoError(t, old.Edit("account", id, func(e *device.Draft) { e.Set("tax_no", fmt.Sprintf("T%d", i)) }))
				typed = append(typed, old.Outbox()[i].ID)
			}
			clock.Store(int64(181 * 24 * time.Hour))
			_, err := w.engine.Purge(t.Context(), w.org, 180*24*time.Hour)
			require.NoError(t, err)
			require.NoError(t, old.SignIn(t.Context(), "demo", "lin", wholePassword))

			before := net.bytes.Load()
			_, err = old.Pull(t.Context())
			require.NoError(t, err)
			took := net.bytes.Load() - before
			require.Positive(t, net.asked.Load())
			require.Less(t, took, full/5, "sums of 3,000 records cost as much as those of 100,000")
			t.Logf("a full copy took %d bytes, the difference %d", full, took)
			syncs(t, old)
			require.NoError(t, office.SignIn(t.Context(), "demo", "lin", wholePassword))
			syncs(t, office)

			require.Equal(t, held(office), held(old))
			refused := old.Refused()
			require.Len(t, refused, 10, "what was typed on customers that are gone is kept, with a reason")
			for i, r := range refused {
				require.Equal(t, typed[i], r.Mutation.ID)
				require.Equal(t, "missing", r.Refusal.Code)
			}
			for _, id := range ids[:10] {
				require.NotContains(t, held(office), id, "nothing is raised from the dead")
			}
			require.Zero(t, old.Status().Outbox)
		})
	}
}

// A record that is lost or damaged on the device is mended.
func TestCheck_mends(t *testing.T) {
	t.Parallel()

	w := newWhole(t, testPool(t), time.Now, nil)
	store := &localstore.Memory{}
	d, net := w.carried(t, store, nil)
	require.NoError(t, d.SignIn(t.Context(), "demo", "lin", wholePassword))
	ids := accounts(t, d, 200)
	syncs(t, d)
	whole := held(d)
	before := net.bytes.Load()
	_, err := d.Check(t.Context())
	require.NoError(t, err)
	same := net.bytes.Load() - before

	require.NoError(t, store.Write([]localstore.Write{
		{Table: "base.a", Key: ids[3][:]}, // a page of the store is lost
		{Table: "base.a", Key: ids[4][:], Value: []byte(`{"kind":"account","seq":"1","in":["owner:x"],"set":{"name":"damaged"}}`)},
	}))
	d, net = w.carried(t, store, nil)
	require.NotEqual(t, whole, held(d))
	r, err := d.Check(t.Context())
	require.NoError(t, err)

	require.Equal(t, whole, held(d))
	require.LessOrEqual(t, r.Changes, 3, "and nothing else is sent")
	require.Less(t, net.bytes.Load(), same+4000)
}

func TestCheck_limits(t *testing.T) {
	t.Parallel()

	w := newWhole(t, testPool(t), time.Now, nil)
	d := w.phone(nil, nil)
	require.NoError(t, d.SignIn(t.Context(), "demo", "lin", wholePassword))
	scopes := func(n int) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `"owner:%d":{"at":"%s","have":{}}`, i, strings.Repeat("0", 64))
		}
		return `{"replica":"` + string(d.Status().Replica) + `","cursor":"x","leaves":{` + b.String() + `}}`
	}
	for name, tt := range map[string]struct {
		body   string
		status int
	}{
		"as many scopes as may be": {scopes(wire.MaxCheckScopes), http.StatusGone}, // the cursor is nobody's
		"one too many":             {scopes(wire.MaxCheckScopes + 1), http.StatusBadRequest},
		"no replica":               {`{"cursor":"","sums":{}}`, http.StatusBadRequest},
		"half a bitmap":            {`{"replica":"x","cursor":"","leaves":{"a":{"at":"00","have":{}}}}`, http.StatusBadRequest},
		"half the sums":            {`{"replica":"x","cursor":"","sums":{"a":"AAAA"}}`, http.StatusBadRequest},
		"a page too large":         {`{"replica":"x","cursor":"","max_bytes":4194305}`, http.StatusBadRequest},
		"no cursor of ours":        {`{"replica":"` + string(d.Status().Replica) + `","cursor":"","sums":{}}`, http.StatusGone},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/v1/sync/check", strings.NewReader(tt.body))
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+d.Token())
		res, err := w.server.Client().Do(req)
		require.NoError(t, err)
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, tt.status, res.StatusCode, "%s: %s", name, text)
	}
}
