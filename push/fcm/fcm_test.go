package fcm_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/push"
	"roadbook/push/fcm"
	"roadbook/record"
)

var clock = time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)

// reply is what FCM answers to one token.
type reply struct {
	status     int
	code       string // of FCM itself
	general    string // of Google's APIs
	retryAfter string
	hangs      bool
}

// google answers by token, in turn, as FCM does: its error is in the details, by
// a type that the SDK looks for.
type google struct {
	*httptest.Server

	mu      sync.Mutex
	replies map[string][]reply
	bodies  []string
	asked   map[string]int
}

func newGoogle(t *testing.T, replies map[string][]reply) *google {
	t.Helper()
	g := &google{replies: replies, asked: map[string]int{}}
	g.Server = httptest.NewServer(http.HandlerFunc(g.serve))
	t.Cleanup(g.Close)
	return g
}

func (g *google) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var in struct {
		Message struct {
			Token string `json:"token"`
		} `json:"message"`
	}
	_ = json.Unmarshal(body, &in)
	g.mu.Lock()
	g.bodies = append(g.bodies, string(body))
	n := g.asked[in.Message.Token]
	g.asked[in.Message.Token]++
	all := g.replies[in.Message.Token]
	g.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if len(all) == 0 || all[min(n, len(all)-1)].status == http.StatusOK {
		_, _ = io.WriteString(w, `{"name":"projects/p/messages/1"}`)
		return
	}
	a := all[min(n, len(all)-1)]
	if a.hangs {
		<-r.Context().Done()
		return
	}
	if a.retryAfter != "" {
		w.Header().Set("Retry-After", a.retryAfter)
	}
	w.WriteHeader(a.status)
	_, _ = fmt.Fprintf(w, `{"error":{"code":%d,"message":"no","status":%q,"details":[
		{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":%q}]}}`, a.status, a.general, a.code)
}

func (g *google) channel(t *testing.T) *fcm.Channel {
	t.Helper()
	c, err := fcm.New(t.Context(), fcm.Config{Project: "p", Endpoint: g.URL + "/v1", Now: func() time.Time { return clock }})
	require.NoError(t, err)
	return c
}

func message() push.Message {
	return push.Message{
		ID: record.MustID("0190aaaa-0000-7000-8000-000000000001"), Category: "approval", Title: "有一项审批等待您处理",
		Collapse: "approval-0190aaaa-0000-7000-8000-000000000002", Expires: clock.Add(time.Hour),
	}
}

// What FCM may answer, and what is made of it.
func TestSend_whatFCMAnswers(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		reply
		want push.Answer // but for the error
		asks int
	}{
		"taken":                     {reply{status: 200}, push.Answer{}, 1},
		"no such phone any more":    {reply{status: 404, code: "UNREGISTERED", general: "NOT_FOUND"}, push.Answer{Gone: true}, 1},
		"a token of another's":      {reply{status: 403, code: "SENDER_ID_MISMATCH", general: "PERMISSION_DENIED"}, push.Answer{Gone: true}, 1},
		"a message that cannot be":  {reply{status: 400, code: "INVALID_ARGUMENT", general: "INVALID_ARGUMENT"}, push.Answer{}, 1},
		"more than the quota":       {reply{status: 429, code: "QUOTA_EXCEEDED", general: "RESOURCE_EXHAUSTED", retryAfter: "7"}, push.Answer{Again: true, After: 7 * time.Second}, 1},
		"trouble of its own":        {reply{status: 500, code: "INTERNAL", general: "INTERNAL"}, push.Answer{Again: true}, 1},
		"away for five minutes":     {reply{status: 503, code: "UNAVAILABLE", general: "UNAVAILABLE", retryAfter: "300"}, push.Answer{Again: true, After: 5 * time.Minute}, 1},
		"credentials that are none": {reply{status: 401, code: "THIRD_PARTY_AUTH_ERROR", general: "UNAUTHENTICATED"}, push.Answer{}, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			g := newGoogle(t, map[string][]reply{"token": {tt.reply}})
			got := g.channel(t).Send(t.Context(), message(), []push.Address{{Token: "token"}})

			require.Len(t, got, 1)
			require.Equal(t, tt.status == 200, got[0].Err == nil)
			got[0].Err = nil
			require.Equal(t, tt.want, got[0])
			require.Equal(t, tt.asks, g.asked["token"])
		})
	}
}

// A short trouble the SDK gets over by itself.
func TestSend_onceMore(t *testing.T) {
	t.Parallel()

	g := newGoogle(t, map[string][]reply{"token": {{status: 503, code: "UNAVAILABLE", general: "UNAVAILABLE", retryAfter: "1"}, {status: 200}}})

	got := g.channel(t).Send(t.Context(), message(), []push.Address{{Token: "token"}})

	require.NoError(t, got[0].Err)
	require.Equal(t, 2, g.asked["token"])
}

// Who gives no answer in time may have taken it.
func TestSend_noAnswer(t *testing.T) {
	t.Parallel()

	g := newGoogle(t, map[string][]reply{"token": {{hangs: true}}})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()

	got := g.channel(t).Send(ctx, message(), []push.Address{{Token: "token"}})

	require.Error(t, got[0].Err)
	require.True(t, got[0].Silent)
}

// Each token has its own answer, also of more than the SDK takes at once.
func TestSend_many(t *testing.T) {
	t.Parallel()

	gone := reply{status: 404, code: "UNREGISTERED", general: "NOT_FOUND"}
	g := newGoogle(t, map[string][]reply{"t3": {gone}, "t500": {gone}})
	var to []push.Address
	for i := range fcm.MaxAtOnce + 1 {
		to = append(to, push.Address{Token: fmt.Sprintf("t%d", i)})
	}

	got := g.channel(t).Send(t.Context(), message(), to)

	require.Len(t, got, len(to))
	for i, a := range got {
		require.Equal(t, i == 3 || i == 500, a.Gone, i)
	}
}

// What travels is an id and a title, under the names that phones and vendors go
// by, and fits.
func TestSend_whatTravels(t *testing.T) {
	t.Parallel()

	g := newGoogle(t, nil)
	m := message()
	m.Title = strings.Repeat("有一项审批等待您处理", 8)
	require.NoError(t, g.channel(t).Send(t.Context(), m, []push.Address{{Token: "token"}})[0].Err)
	require.NoError(t, g.channel(t).Send(t.Context(), push.Message{ID: m.ID, Read: true}, []push.Address{{Token: "token"}})[0].Err)

	require.Less(t, len(g.bodies[0]), fcm.MaxPayload)
	m.Title = message().Title
	require.NoError(t, g.channel(t).Send(t.Context(), m, []push.Address{{Token: "token"}})[0].Err)
	require.JSONEq(t, `{"message":{
		"token":"token",
		"data":{"id":"0190aaaa-0000-7000-8000-000000000001","category":"approval","title":"有一项审批等待您处理","channel":"approval"},
		"android":{"priority":"high","collapse_key":"approval-0190aaaa-0000-7000-8000-000000000002","ttl":"3600s"},
		"apns":{
			"headers":{"apns-priority":"10","apns-push-type":"alert","apns-collapse-id":"approval-0190aaaa-0000-7000-8000-000000000002","apns-expiration":"1795946400"},
			"payload":{"aps":{"alert":{"title":"有一项审批等待您处理"},"category":"approval","sound":"default","thread-id":"approval"}}
		}}}`, g.bodies[2])
	require.JSONEq(t, `{"message":{
		"token":"token",
		"data":{"id":"0190aaaa-0000-7000-8000-000000000001","read":"1"},
		"android":{"priority":"normal"},
		"apns":{"headers":{"apns-priority":"5","apns-push-type":"background"},"payload":{"aps":{"content-available":1}}}}}`, g.bodies[1])
}
