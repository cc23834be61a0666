package sim

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/api"
	device "roadbook/clients/go"
	"roadbook/record"
	"roadbook/sync/online"
)

// A device that has no signal is told by the sieve of a real server what others
// have, and asks that server once it has one.
func TestKnown_overHTTP(t *testing.T) {
	t.Parallel()

	d := newTwins(t)
	service := online.New(d.engine, []byte("a key of these tests, 32 bytes.."), d.w.now)
	server := httptest.NewServer(api.New(api.Config{
		Line: d.engine, SignIn: door{d.w}, Ready: func(context.Context) error { return nil }, Log: slog.New(slog.DiscardHandler),
		Now: d.w.now, NewID: d.w.requestID, Online: func() (api.Records, error) { return service, nil },
	}).Handler())
	t.Cleanup(server.Close)
	synced(t, d.devices[1])
	zhou, err := device.Open(device.Config{
		BaseURL: server.URL, HTTP: http.DefaultClient, Now: func() time.Time { return dawn }, NewID: d.w.newID, Known: []string{"account"},
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = zhou.Close() })
	require.NoError(t, zhou.SignIn(t.Context(), "twins", "zhou", "roadbook"))
	synced(t, zhou)

	for name, is := range map[string]bool{"兴旺超市": true, "福来小吃": false} {
		values := device.Values{"name": name, "phones": []string{"138 0013 8000"}}
		found, asked, err := zhou.MaybeKnown("account", values)
		require.NoError(t, err)
		require.True(t, asked)
		require.Equal(t, is, slices.ContainsFunc(found, func(a device.Alike) bool { return a.Certain }), "%s: %+v", name, found)
		online, err := zhou.CheckKnown(t.Context(), "account", record.NoID, values)
		require.NoError(t, err)
		require.Len(t, online, 1)
		require.Equal(t, is, online[0].Certain)
		require.True(t, online[0].ID.IsZero(), "it is gao's")
		require.Equal(t, "兴***司", online[0].Hint)
	}
	found, _, err := zhou.MaybeKnown("account", device.Values{"name": "福来小吃", "phones": []string{"13900139000"}})
	require.NoError(t, err)
	require.Empty(t, found)
}
