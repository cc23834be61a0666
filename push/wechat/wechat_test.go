package wechat_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/push"
	"roadbook/push/wechat"
	"roadbook/record"
)

var notice = record.MustID("0190aaaa-0000-7000-8000-000000000002")

// ledger has so many consents and remembers what became of them.
type ledger struct{ left, back, void int }

func (l *ledger) Spend(context.Context, string, string, string) (record.ID, bool, error) {
	if l.left == 0 {
		return record.NoID, false, nil
	}
	l.left--
	return notice, true, nil
}

func (l *ledger) Back(context.Context, record.ID, string) error {
	l.left++
	l.back++
	return nil
}

func (l *ledger) Void(context.Context, string, string) error {
	l.left = 0
	l.void++
	return nil
}

// tencent answers as WeChat does: always 200, with a code in the body.
type tencent struct {
	*httptest.Server

	mu     sync.Mutex
	codes  []int // of messages, in turn; the last goes on
	tokens int
	bodies []string
	good   string // the token that is good
	status int
	hangs  bool
}

func newTencent(t *testing.T, codes ...int) *tencent {
	t.Helper()
	w := &tencent{codes: codes, status: http.StatusOK}
	w.Server = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.Close)
	return w
}

func (w *tencent) serve(out http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch r.URL.Path {
	case "/cgi-bin/token":
		w.tokens++
		w.good = "token" + strconv.Itoa(w.tokens)
		_, _ = io.WriteString(out, `{"access_token":"`+w.good+`","expires_in":7200}`)
	case "/sns/jscode2session":
		if r.URL.Query().Get("js_code") != "good" || r.URL.Query().Get("secret") != "s" {
			_, _ = io.WriteString(out, `{"errcode":40029,"errmsg":"invalid code"}`)
			return
		}
		_, _ = io.WriteString(out, `{"openid":"o-lin","session_key":"k"}`)
	case "/cgi-bin/message/subscribe/send":
		if w.hangs {
			<-r.Context().Done()
			return
		}
		w.bodies = append(w.bodies, string(body))
		code := w.codes[min(len(w.bodies), len(w.codes))-1]
		if r.URL.Query().Get("access_token") != w.good {
			code = 40001
		}
		out.WriteHeader(w.status)
		_, _ = io.WriteString(out, `{"errcode":`+strconv.Itoa(code)+`,"errmsg":"said so"}`)
	}
}

func (w *tencent) channel(l *ledger, now func() time.Time) *wechat.Channel {
	return wechat.New(wechat.Config{
		AppID: "a", Secret: "s", Template: "T1", Field: "thing1", Page: "pages/inbox", Endpoint: w.URL, Ledger: l, Now: now,
	})
}

func send(ctx context.Context, c *wechat.Channel, title string) push.Answer {
	return c.Send(ctx, push.Message{ID: notice, Category: "approval", Title: title}, []push.Address{{Token: "o-lin"}})[0]
}

func still() time.Time { return time.Unix(1796000000, 0) }

// A message is the title, cut to what WeChat shows, and takes a consent; what was
// read elsewhere takes none. A token is fetched once until shortly before its end.
func TestChannel(t *testing.T) {
	t.Parallel()

	w, l := newTencent(t, 0), &ledger{left: 3}
	clock := still()
	c := w.channel(l, func() time.Time { return clock })
	require.NoError(t, send(t.Context(), c, strings.Repeat("长", wechat.MaxThing)).Err)
	require.NoError(t, send(t.Context(), c, strings.Repeat("长", wechat.MaxThing+1)).Err)
	require.NoError(t, c.Send(t.Context(), push.Message{ID: notice, Read: true}, []push.Address{{}})[0].Err)
	require.Equal(t, ledger{left: 1}, *l)
	require.Equal(t, 1, w.tokens)

	clock = clock.Add(2*time.Hour - 5*time.Minute)
	require.NoError(t, send(t.Context(), c, strings.Repeat("长", push.MaxTitle)).Err)
	require.Equal(t, 2, w.tokens)
	require.Error(t, send(t.Context(), c, "x").Err, "he has allowed no more")
	require.Len(t, w.bodies, 3)
	for _, body := range w.bodies {
		require.LessOrEqual(t, len(body), wechat.MaxPayload)
	}
	var got struct {
		To       string `json:"touser"`
		Template string `json:"template_id"`
		Page     string `json:"page"`
		Data     map[string]struct {
			Value string `json:"value"`
		} `json:"data"`
	}
	require.NoError(t, json.Unmarshal([]byte(w.bodies[1]), &got))
	require.Equal(t, "o-lin T1 pages/inbox", got.To+" "+got.Template+" "+got.Page)
	require.Equal(t, strings.Repeat("长", wechat.MaxThing-1)+"…", got.Data["thing1"].Value)
}

// What WeChat says, what that means, and whether the consent is spent.
func TestChannel_answers(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name  string
		codes []int
		want  push.Answer
		after ledger
		asked int
	}{
		{"a token that is no more is renewed, once", []int{40001, 0}, push.Answer{}, ledger{}, 2},
		{"and is no more again", []int{42001, 42001}, push.Answer{Again: true}, ledger{left: 1, back: 1}, 2},
		{"he allows nothing", []int{43101}, push.Answer{}, ledger{void: 1}, 1},
		{"nobody is there", []int{40003}, push.Answer{Gone: true}, ledger{left: 1, back: 1}, 1},
		{"the quota of the day", []int{45009}, push.Answer{Again: true, After: time.Hour}, ledger{left: 1, back: 1}, 1},
		{"busy", []int{-1}, push.Answer{Again: true}, ledger{left: 1, back: 1}, 1},
		{"the template has other fields", []int{47003}, push.Answer{}, ledger{left: 1, back: 1}, 1},
		{"there is no such template", []int{40037}, push.Answer{}, ledger{left: 1, back: 1}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			w, l := newTencent(t, tt.codes...), &ledger{left: 1}

			a := send(t.Context(), w.channel(l, still), "x")

			require.Equal(t, tt.codes[len(tt.codes)-1] != 0, a.Err != nil)
			a.Err = nil
			require.Equal(t, tt.want, a)
			require.Equal(t, tt.after, *l)
			require.Len(t, w.bodies, tt.asked)
		})
	}
}

// If it gives no answer the message may have gone, and with it the consent; if
// something that is not WeChat is broken on the way, neither has.
func TestChannel_noAnswer(t *testing.T) {
	t.Parallel()

	w, l := newTencent(t, 0), &ledger{left: 2}
	c := w.channel(l, still)
	w.hangs = true
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	a := send(ctx, c, "x")
	require.True(t, a.Silent)
	require.NotContains(t, a.Err.Error(), "token1")
	require.Equal(t, ledger{left: 1}, *l)

	w.mu.Lock()
	w.hangs, w.status = false, http.StatusBadGateway
	w.mu.Unlock()
	a = send(t.Context(), c, "x")

	require.True(t, a.Again)
	require.Equal(t, ledger{left: 1, back: 1}, *l)
	w.Close()
	a = send(t.Context(), w.channel(l, still), "x")
	require.True(t, a.Again, "there is not even a token")
}

// Only WeChat says who somebody is.
func TestChannel_Resolve(t *testing.T) {
	t.Parallel()

	c := newTencent(t, 0).channel(&ledger{}, still)

	openid, err := c.Resolve(t.Context(), "good")
	require.NoError(t, err)
	require.Equal(t, "o-lin", openid)
	_, err = c.Resolve(t.Context(), "o-zhou")
	require.ErrorContains(t, err, "40029")
}
