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
	"roadbook/modules/approvals"
	"roadbook/push"
	"roadbook/push/socket"
	"roadbook/record"
	"roadbook/sync/online"
	"roadbook/sync/wire"
	"roadbook/telemetry"
	"roadbook/version"
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

func (l line) Check(context.Context, access.Caller, *wire.CheckRequest) ([]byte, error) {
	return []byte(`{"differ":{}}`), nil
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

// ways are those of a device that names none.
type ways struct{}

func (ways) Register(context.Context, access.Caller, string, string) error { return nil }
func (ways) Forget(context.Context, access.Caller, string) error           { return nil }
func (ways) Reachable(context.Context, access.Caller) ([]push.Way, error)  { return []push.Way{}, nil }

// deliveries are of nobody.
type deliveries struct{}

func (deliveries) Deliveries(context.Context, access.Caller, record.ID) ([]push.Delivery, error) {
	return []push.Delivery{}, nil
}

func (deliveries) Undelivered(context.Context, access.Caller, string, int) (push.UndeliveredPage, error) {
	return push.UndeliveredPage{Undelivered: []push.Undelivered{}}, nil
}

func (deliveries) Replay(_ context.Context, _ access.Caller, ids []record.ID) (all []push.Replayed, _ error) {
	for _, id := range ids {
		all = append(all, push.Replayed{Notification: id, Result: "replayed"})
	}
	return all, nil
}

// sayings are approvals that all count.
type sayings struct{}

func (sayings) Say(_ context.Context, _ access.Caller, _ record.ID, w approvals.Word, _ bool) (approvals.Said, error) {
	return approvals.Said{Approval: w.Approval, Outcome: approvals.Counted}, nil
}

func (sayings) Simulate(context.Context, access.Caller, approvals.Trial) (*approvals.Path, error) {
	return &approvals.Path{Steps: []approvals.TrialStep{}}, nil
}

func (sayings) Cycle(context.Context, access.Caller) (*approvals.Cycle, error) {
	return &approvals.Cycle{Flows: []approvals.FlowCycle{}}, nil
}

// records are those of somebody who is online, as he is told.
type records struct {
	write func(record.Mutation) (record.Outcome, error)
	list  func(online.Query) (online.Page, error)
}

var shop = online.Record{
	Kind: "account", ID: record.MustID("01930000-0000-7000-8000-0000000000b1"), Seq: 813,
	Values: record.Values{{Field: "name", Raw: []byte(`"兴旺超市"`)}},
}

func (r records) List(_ context.Context, _ access.Caller, q online.Query) (online.Page, error) {
	if r.list == nil {
		return online.Page{}, nil
	}
	return r.list(q)
}

func (records) Get(_ context.Context, who access.Caller, kind string, id record.ID) (online.Record, error) {
	if id != shop.ID || kind != shop.Kind || who.Org != 7 {
		return online.Record{}, errs.New("test", errs.Missing, "not there").Coded("missing")
	}
	return shop, nil
}

func (r records) Write(_ context.Context, _ access.Caller, m record.Mutation) (record.Outcome, error) {
	if r.write == nil {
		return record.Outcome{N: 1, ID: m.ID, Result: record.Applied, Seq: 814}, nil
	}
	return r.write(m)
}

func (records) History(_ context.Context, _ access.Caller, _ string, _ record.ID, after record.Seq, _ int) (online.History, error) {
	return online.History{Changes: []online.Change{{Seq: 812, Dot: version.Dot{Replica: "k7f2", N: 3}}}, After: after}, nil
}

func (r records) Restore(_ context.Context, _ access.Caller, key record.ID, kind string, id record.ID, field string, _ version.Dot) (record.Outcome, error) {
	return r.Write(context.Background(), access.Caller{}, record.Mutation{ID: key, Edits: []record.Edit{{
		Kind: kind, ID: id, Set: record.Values{{Field: field, Raw: []byte(`1`)}},
	}}})
}

func (records) Inbox(context.Context, access.Caller, online.InboxQuery) (online.Inbox, error) {
	return online.Inbox{}, nil
}

func (records) Decide(context.Context, access.Caller, record.ID, online.Decision) (record.Outcome, error) {
	return record.Outcome{Result: record.Applied}, nil
}

func (records) Refused(context.Context, access.Caller, online.RefusedQuery) (online.RefusedPage, error) {
	return online.RefusedPage{}, nil
}

func (records) Timeline(context.Context, access.Caller, string, record.ID, string, int) (online.Timeline, error) {
	return online.Timeline{}, nil
}

func (records) Duplicates(context.Context, access.Caller, string, record.ID, record.Values) ([]online.Alike, error) {
	return []online.Alike{{Certain: true, Fields: []string{"name", "phones"}, Hint: "兴***市"}}, nil
}

func (records) Fingerprints(context.Context, access.Caller, string) (online.Sieve, error) {
	return online.Sieve{Bytes: []byte("RBS1"), Tag: `"a"`}, nil
}

func (records) Today(_ context.Context, _ access.Caller, at time.Time) (online.Today, error) {
	return online.Today{Day: at.Format(time.DateOnly)}, nil
}

func (records) Board(context.Context, access.Caller, time.Time) (online.Board, error) {
	return online.Board{People: []online.OnBoard{}}, nil
}

func (records) Morning(_ context.Context, _ access.Caller, at time.Time) (online.Morning, error) {
	return online.Morning{Day: at.Format(time.DateOnly)}, nil
}

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
		Line:       line{},
		SignIn:     signIn{},
		Online:     func() (api.Records, error) { return records{}, nil },
		Ways:       func() (api.Ways, error) { return ways{}, nil },
		Deliveries: func() (api.Deliveries, error) { return deliveries{}, nil },
		Approvals:  func() (api.Approvals, error) { return sayings{}, nil },
		Sockets:    socket.New(socket.Config{}),
		Ready:      func(context.Context) error { return nil },
		Log:        telemetry.New(log, telemetry.Options{Format: "json", Level: slog.LevelDebug}),
		Now:        func() time.Time { return time.Date(2026, 8, 1, 9, 0, 0, 0, time.UTC) },
		NewID:      func() string { return "r1" },
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
