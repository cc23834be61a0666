package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/demo"
	"roadbook/push/fcm"
	"roadbook/record"
	"roadbook/record/notice"
)

// vendor answers as FCM does, and keeps what it was sent.
type vendor struct {
	*httptest.Server

	mu   sync.Mutex
	sent []vendorMessage
}

type vendorMessage struct {
	Token string
	Data  map[string]string
	bytes string
}

func newVendor(t *testing.T) *vendor {
	v := &vendor{}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var in struct{ Message vendorMessage }
		if err := json.Unmarshal(body, &in); err != nil || r.URL.Path != "/v1/projects/p/messages:send" {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		in.Message.bytes = string(body)
		v.mu.Lock()
		v.sent = append(v.sent, in.Message)
		v.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"name":"projects/p/messages/1"}`)
	}))
	t.Cleanup(v.Close)
	return v
}

// got are the messages so far that some token was sent.
func (v *vendor) got(match func(vendorMessage) bool) (all []vendorMessage) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, m := range v.sent {
		if match(m) {
			all = append(all, m)
		}
	}
	return all
}

// A manager gives a rep a task on one server. The rep, who is signed in on
// another, is not looking: his phone and his tablet are told that there is
// something, and no more than that. What it is comes with a pull. When he has
// read it on one of them, the other no longer shows it.
func TestTold_ofATask(t *testing.T) {
	t.Parallel()

	v := newVendor(t)
	environ := []string{
		"ROADBOOK_DATABASE_URL=" + theirs(t), "ROADBOOK_DATA=" + dataFolder(t), "ROADBOOK_DEMO=true",
		"ROADBOOK_FCM_PROJECT=p", "ROADBOOK_FCM_ENDPOINT=" + v.URL + "/v1",
	}
	one := serve(t, environ...).ready()
	other := serve(t, environ...).ready()
	open := func(url, login string) *device.Device {
		d, err := device.Open(device.Config{
			BaseURL: url, Now: now, NewID: newID, Sleep: sleepNow, Kind: "phone", Platform: "android 15", App: "1.0.0", Lang: "zh",
			HTTP: &http.Client{Transport: &http.Transport{}, Timeout: patience},
		})
		require.NoError(t, err)
		t.Cleanup(func() { _ = d.Close() })
		require.NoError(t, d.SignIn(t.Context(), demo.Name, login, demo.Password))
		_, err = d.Sync(t.Context())
		require.NoError(t, err)
		return d
	}
	chen, phone, pad := open(one.url, "chen"), open(other.url, "lin"), open(other.url, "lin")
	require.NoError(t, phone.Reach(t.Context(), fcm.Name, "lin-phone"))
	require.NoError(t, pad.Reach(t.Context(), fcm.Name, "lin-pad"))

	var lin record.ID
	for _, u := range phone.List("user") {
		if u.Text("login") == "lin" {
			lin = u.ID
		}
	}
	_, err := chen.Mutate(func(ty *device.Typing) error {
		ty.Create("task", device.Values{"title": "拜访兴旺超市，谈 22% 折扣", "owner": lin.String(), "status": "open"})
		return nil
	})
	require.NoError(t, err)
	_, err = chen.Sync(t.Context())
	require.NoError(t, err)

	rings := func(m vendorMessage) bool { return m.Data["read"] == "" }
	require.Eventually(t, func() bool { return len(v.got(rings)) == 2 }, patience, often)
	for _, m := range v.got(rings) {
		require.Contains(t, []string{"lin-phone", "lin-pad"}, m.Token)
		require.Equal(t, "您有一个新任务", m.Data["title"])
		require.Equal(t, "task", m.Data["category"])
		require.NotContains(t, m.bytes, "兴旺")
		require.Less(t, len(m.bytes), fcm.MaxPayload)
	}
	id := record.MustID(v.got(rings)[0].Data["id"])
	_, err = phone.Sync(t.Context())
	require.NoError(t, err)
	told, there := phone.Get(id)
	require.True(t, there, "it came with a pull")
	require.Equal(t, "task_assigned", told.Text("code"))
	_, err = chen.Sync(t.Context())
	require.NoError(t, err)
	_, there = chen.Get(id)
	require.False(t, there, "who is above him does not see what he is told")

	require.NoError(t, phone.Edit(notice.Kind, id, func(d *device.Draft) { d.Set("read_at", "2026-11-29T09:00:00Z") }))
	_, err = phone.Sync(t.Context())
	require.NoError(t, err)

	read := func(m vendorMessage) bool { return m.Data["read"] == "1" && m.Data["id"] == id.String() }
	require.Eventually(t, func() bool { return len(v.got(read)) == 2 }, patience, often)
	require.Len(t, v.got(rings), 2, "each was told once")
	require.False(t, strings.Contains(one.out.String()+other.out.String(), `"level":"ERROR"`), one.out.String()+other.out.String())
}
