package sms_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/push"
	"roadbook/push/sms"
	"roadbook/record"
)

var notice = record.MustID("0190aaaa-0000-7000-8000-000000000002")

// notebook is a provider that keeps what it is told.
type notebook struct{ number, text []string }

func (n *notebook) Send(_ context.Context, _, number, text string) push.Answer {
	n.number, n.text = append(n.number, number), append(n.text, text)
	return push.Answer{}
}

// The text and the number are what the provider gets; a long one is cut, at the
// very character. What was read elsewhere costs no message.
func TestChannel(t *testing.T) {
	t.Parallel()

	var n notebook
	c := sms.Channel{Provider: &n}
	to := []push.Address{{Token: "13800138000"}}
	for _, title := range []string{"您有一个新任务", strings.Repeat("长", sms.MaxRunes), strings.Repeat("长", sms.MaxRunes+1)} {
		require.NoError(t, c.Send(t.Context(), push.Message{ID: notice, Title: title}, to)[0].Err)
	}
	require.NoError(t, c.Send(t.Context(), push.Message{ID: notice, Read: true}, to)[0].Err)

	require.Equal(t, []string{"您有一个新任务", strings.Repeat("长", sms.MaxRunes), strings.Repeat("长", sms.MaxRunes-1) + "…"}, n.text)
	require.Equal(t, []string{"13800138000", "13800138000", "13800138000"}, n.number)
}

// A provider over HTTP gets it with its token, and says what became of it.
func TestHTTP(t *testing.T) {
	t.Parallel()

	status, retry := 200, ""
	var got map[string]string
	var token string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(raw, &got)
		token = r.Header.Get("Authorization")
		w.Header().Set("Retry-After", retry)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "no such number")
	}))
	defer s.Close()
	p := sms.NewHTTP(s.URL, "t0ken", "【Roadbook】")

	require.Equal(t, push.Answer{}, p.Send(t.Context(), notice.String(), "13800138000", "您有一个新任务"))
	require.Equal(t, map[string]string{"id": notice.String(), "to": "13800138000", "text": "您有一个新任务", "sign": "【Roadbook】"}, got)
	require.Equal(t, "Bearer t0ken", token)

	status = 400
	a := p.Send(t.Context(), "1", "x", "y")
	require.Equal(t, push.Answer{Err: a.Err}, a)
	require.ErrorContains(t, a.Err, "no such number")
	status, retry = 429, "60"
	a = p.Send(t.Context(), "1", "x", "y")
	require.Equal(t, push.Answer{Err: a.Err, Again: true, After: time.Minute}, a)
	s.Close()
	a = p.Send(t.Context(), "1", "x", "y")
	require.Error(t, a.Err)
	require.True(t, a.Again || a.Silent)
}
