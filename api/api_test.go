package api_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/api"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/telemetry"
)

// line is an engine that does as it is told.
type line struct {
	push func(context.Context, access.Caller, *wire.Push) (*wire.PushAnswer, error)
	pull func(context.Context, access.Caller, *wire.PullRequest) ([]byte, error)
}

func (l line) Push(ctx context.Context, who access.Caller, p *wire.Push) (*wire.PushAnswer, error) {
	if l.push == nil {
		return &wire.PushAnswer{Outcomes: []record.Outcome{}, NextN: 7, Epoch: "e1"}, nil
	}
	return l.push(ctx, who, p)
}

func (l line) Pull(ctx context.Context, who access.Caller, r *wire.PullRequest) ([]byte, error) {
	if l.pull == nil {
		return []byte(`{"changes":[],"complete":true}`), nil
	}
	return l.pull(ctx, who, r)
}

// signIn takes the name of a role for a token.
type signIn struct{ err error }

var lin = record.MustID("01930000-0000-7000-8000-000000000001")

func (s signIn) Caller(_ context.Context, token string) (access.Caller, error) {
	if token == "expired" {
		return access.Caller{}, errs.New("people.Caller", errs.Anonymous, "the token is past its time").Coded("expired")
	}
	for _, role := range append(access.Roles(), "visitor") {
		if token == string(role) {
			return access.Caller{Org: 7, Person: lin, Roles: []string{token}}, nil
		}
	}
	return access.Caller{}, errs.New("people.Caller", errs.Anonymous, "nobody's token").Coded("token")
}

func (s signIn) Login(_ context.Context, r *wire.LoginRequest, remoteIP string) (*wire.LoginAnswer, error) {
	if s.err != nil {
		return nil, s.err
	}
	return &wire.LoginAnswer{AccessToken: r.User + "@" + remoteIP, NextN: 1}, nil
}

func (s signIn) Refresh(_ context.Context, r *wire.RefreshRequest) (*wire.RefreshAnswer, error) {
	return &wire.RefreshAnswer{AccessToken: "next of " + r.RefreshToken}, s.err
}

func (s signIn) Logout(context.Context, access.Caller) error { return s.err }

// server is one under test, with its log.
type server struct {
	*api.Server
	log *buffer
}

// buffer may be written by handlers and read by the test.
type buffer struct {
	mu   stdsync.Mutex
	text strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func newServer(change func(*api.Config)) server {
	log := &buffer{}
	c := api.Config{
		Line:   line{},
		SignIn: signIn{},
		Ready:  func(context.Context) error { return nil },
		Log:    telemetry.New(log, telemetry.Options{Format: "json", Level: slog.LevelDebug}),
		Now:    func() time.Time { return time.Date(2026, 8, 1, 9, 0, 0, 0, time.UTC) },
		NewID:  func() string { return "r1" },
	}
	if change != nil {
		change(&c)
	}
	return server{api.New(c), log}
}

// ask sends one request by hand. A token is the name of a role; headers come
// in pairs.
func (s server) ask(t *testing.T, method, path, token string, body []byte, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, bytes.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.NoError(t, r.Body.Close())
	return string(b)
}

const (
	goodPush  = `{"replica":"k7f2","prev":"","mutations":[]}`
	goodPull  = `{"replica":"k7f2","cursor":""}`
	goodLogin = `{"org":"demo","user":"lin","password":"secret","device":{"install":"i","kind":"phone"}}`
)
