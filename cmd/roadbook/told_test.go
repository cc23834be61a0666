package main

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

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
	t.Helper()
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

// personOf is the id of somebody of the demo org.
func personOf(t *testing.T, d *device.Device, login string) (id record.ID) {
	t.Helper()
	for _, u := range d.List("user") {
		if u.Text("login") == login {
			id = u.ID
		}
	}
	require.False(t, id.IsZero(), login)
	return id
}

// openAs is somebody's device, up to date.
func openAs(t *testing.T, url, login string) *device.Device {
	t.Helper()
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
	chen, phone, pad := openAs(t, one.url, "chen"), openAs(t, other.url, "lin"), openAs(t, other.url, "lin")
	require.NoError(t, phone.Reach(t.Context(), fcm.Name, "lin-phone"))
	require.NoError(t, pad.Reach(t.Context(), fcm.Name, "lin-pad"))

	lin := personOf(t, phone, "lin")
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
	require.NotContains(t, one.out.String()+other.out.String(), `"level":"ERROR"`)
}

// Whatever a server is at when it is killed, from the commit of a task to the
// answer of the channel: its owner has one notification of each, and his phone
// was sent it once, or twice where nobody has answered for the first time.
func TestTold_killed(t *testing.T) {
	t.Parallel()

	v := newVendor(t)
	m := newMortal(t)
	m.environ = []string{"ROADBOOK_FCM_PROJECT=p", "ROADBOOK_FCM_ENDPOINT=" + v.URL + "/v1"}
	m.server.kill()
	m.revive()
	m.server.ready()
	chen, lin := openAs(t, m.server.url, "chen"), openAs(t, m.server.url, "lin")
	require.NoError(t, lin.Reach(t.Context(), fcm.Name, "lin-phone"))
	owner := personOf(t, lin, "lin")
	tasks := map[record.ID]bool{}
	rounds := kills()
	if os.Getenv("ROADBOOK_FULL") == "" {
		rounds /= 4
	}
	for range rounds {
		_, err := chen.Mutate(func(ty *device.Typing) error {
			tasks[ty.Create("task", device.Values{"title": "call", "owner": owner.String(), "status": "open"})] = true
			return nil
		})
		require.NoError(t, err)
		require.Eventually(t, func() bool { _, err := chen.Push(t.Context()); return err == nil }, patience, often)
		<-time.After(time.Duration(rand.IntN(80)) * time.Millisecond) // the moment at which it is killed
		m.server.kill()
		m.revive()
		m.server.ready()
	}

	var answered int
	require.Eventually(t, func() bool {
		err := m.pool.QueryRow(t.Context(),
			"SELECT count(*) FROM push_deliveries WHERE state IN ('sent', 'unknown')").Scan(&answered)
		return err == nil && answered >= rounds
	}, 2*patience, often, "%d of %d", &answered, rounds)
	_, err := lin.Sync(t.Context())
	require.NoError(t, err)
	told := map[record.ID]record.ID{}
	for _, n := range lin.List(notice.Kind) {
		subject, err := record.ParseID(n.Text("subject"))
		require.NoError(t, err)
		if tasks[subject] {
			require.Zero(t, told[subject], "told twice of one task")
			told[subject] = n.ID
		}
	}
	require.Len(t, told, rounds)
	for subject, id := range told {
		sent := len(v.got(func(got vendorMessage) bool { return got.Data["id"] == id.String() }))
		require.GreaterOrEqual(t, sent, 1, subject)
		require.LessOrEqual(t, sent, 2, subject)
	}
}
