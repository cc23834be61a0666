package webhook_test

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
	"roadbook/push/webhook"
	"roadbook/record"
)

var (
	clock  = time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	lin    = record.MustID("0190aaaa-0000-7000-8000-000000000001")
	notice = record.MustID("0190aaaa-0000-7000-8000-000000000002")
)

const secret = "a secret of these tests"

func send(ctx context.Context, t *testing.T, url string, m push.Message) push.Answer {
	t.Helper()
	c := webhook.New(webhook.Config{URL: url, Secret: secret, Now: func() time.Time { return clock }})
	answers := c.Send(ctx, m, []push.Address{{Device: lin, Token: "x"}})
	require.Len(t, answers, 1)
	return answers[0]
}

// What is sent is signed, with the time, and says who is meant and no more than a
// lock screen may show. It is taken from nobody else, nor later.
func TestChannel_isSigned(t *testing.T) {
	t.Parallel()

	var got webhook.Body
	var raw []byte
	var headers http.Header
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, _ = io.ReadAll(r.Body)
		headers = r.Header
	}))
	defer s.Close()
	expires := clock.Add(time.Hour)
	m := push.Message{
		ID: notice, Category: "approval", Title: strings.Repeat("长", push.MaxTitle), Collapse: strings.Repeat("c", 64), Expires: expires,
	}

	require.Equal(t, push.Answer{}, send(t.Context(), t, s.URL, m))

	require.NoError(t, json.Unmarshal(raw, &got))
	require.Equal(t, webhook.Body{
		ID: notice, Person: lin, Category: "approval", Title: m.Title, Collapse: m.Collapse, ExpiresAt: &expires,
	}, got)
	require.LessOrEqual(t, len(raw), webhook.MaxPayload)
	for _, at := range []time.Duration{-webhook.Window, 0, webhook.Window} {
		require.True(t, webhook.Verify(secret, headers, raw, clock.Add(at)), at)
	}
	for _, at := range []time.Duration{-webhook.Window - time.Second, webhook.Window + time.Second} {
		require.False(t, webhook.Verify(secret, headers, raw, clock.Add(at)), at)
	}
	require.False(t, webhook.Verify("another", headers, raw, clock))
	require.False(t, webhook.Verify(secret, headers, append(raw, ' '), clock))
	later := headers.Clone()
	later.Set(webhook.HeaderTime, "1796000000")
	require.False(t, webhook.Verify(secret, later, raw, time.Unix(1796000000, 0)), "the time is signed, too")
	later.Set(webhook.HeaderTime, "x")
	require.False(t, webhook.Verify(secret, later, raw, clock))
}

// What each answer means, and none at all.
func TestChannel_answers(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name       string
		status     int
		retryAfter string
		want       push.Answer
	}{
		{"taken", 204, "", push.Answer{}},
		{"it has an error of its own", 500, "", push.Answer{Again: true}},
		{"busy, and it says until when", 503, "30", push.Answer{Again: true, After: 30 * time.Second}},
		{"too much", 429, "7", push.Answer{Again: true, After: 7 * time.Second}},
		{"too much, until whenever", 429, "tomorrow", push.Answer{Again: true}},
		{"more than a day is a day", 429, "999999999", push.Answer{Again: true, After: 24 * time.Hour}},
		{"refused", 400, "", push.Answer{}},
		{"gone: it may come back", 410, "", push.Answer{}},
		{"elsewhere: nobody is followed there", 302, "", push.Answer{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			asked := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked++
				w.Header().Set("Location", "/elsewhere")
				if tt.retryAfter != "" {
					w.Header().Set("Retry-After", tt.retryAfter)
				}
				w.WriteHeader(tt.status)
			}))
			defer s.Close()

			a := send(t.Context(), t, s.URL, push.Message{ID: notice, Read: true})

			require.Equal(t, tt.status >= 300, a.Err != nil)
			a.Err = nil
			require.Equal(t, tt.want, a)
			require.Equal(t, 1, asked)
		})
	}
}

// One that hangs has perhaps taken it; where nobody listens nobody has. The
// address, which may hold a secret, is in no error.
func TestChannel_noAnswer(t *testing.T) {
	t.Parallel()

	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	a := send(ctx, t, s.URL+"/token-of-somebody", push.Message{ID: notice})
	require.True(t, a.Silent)
	require.NotContains(t, a.Err.Error(), "token-of")
	s.Close()

	a = send(t.Context(), t, s.URL+"/token-of-somebody", push.Message{ID: notice})

	require.True(t, a.Again)
	require.False(t, a.Silent)
	require.NotContains(t, a.Err.Error(), "token-of")
}
