package api_test

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/api"
	"roadbook/api/crowd"
	"roadbook/record"
	"roadbook/sync/online"
	"roadbook/sync/wire"
)

// Every class of request has its limit: who comes on top is told when to come
// again, in words and in the header, and the other classes do not notice.
func TestAdmission_classes(t *testing.T) {
	t.Parallel()

	for i, path := range []string{"/v1/sync/push", "/v1/sync/pull", "/v1/records/account"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()

			here, done := make(chan struct{}), make(chan struct{})
			hold := func() { here <- struct{}{}; <-done }
			one := crowd.Limits{Served: 1, Within: time.Second, Usual: 6500 * time.Millisecond}
			s := newServer(func(c *api.Config) {
				c.Limits = &api.Limits{SignIn: one, Push: one, Pull: one, Fill: one, Read: one, HeldBytes: 1 << 20}
				c.Line = line{
					push: func(context.Context, access.Caller, *wire.Push) (*wire.PushAnswer, error) {
						hold()
						return &wire.PushAnswer{Outcomes: []record.Outcome{}}, nil
					},
					pull: func(context.Context, access.Caller, *wire.PullRequest) ([]byte, error) {
						hold()
						return []byte(`{}`), nil
					},
				}
				c.Online = func() (api.Records, error) {
					return records{list: func(online.Query) (online.Page, error) {
						hold()
						return online.Page{}, nil
					}}, nil
				}
			})
			ask := func() *http.Response {
				if path == "/v1/records/account" {
					return s.ask(t, http.MethodGet, path, "rep", nil)
				}
				return s.ask(t, http.MethodPost, path, "rep", []byte([]string{goodPush, goodPull}[i]))
			}
			first := make(chan *http.Response, 1)
			go func() { first <- ask() }()
			<-here

			second := ask()

			got := text(t, second)
			require.Equal(t, http.StatusServiceUnavailable, second.StatusCode, got)
			require.Contains(t, got, `"kind":"busy","code":"crowded"`)
			require.Contains(t, got, "tries again in 7 seconds")
			require.Equal(t, "7", second.Header.Get("Retry-After"))
			require.Equal(t, http.StatusOK, s.ask(t, http.MethodPost, "/v1/auth/login", "", []byte(goodLogin)).StatusCode)
			close(done)
			require.Equal(t, http.StatusOK, (<-first).StatusCode)
		})
	}
}

// What all requests hold together is limited: a body for which there is no room
// is sent away before it has been read, and what was held is given back.
func TestAdmission_memory(t *testing.T) {
	t.Parallel()

	limits := api.DefaultLimits()
	limits.HeldBytes = 100_000
	s := newServer(func(c *api.Config) { c.Limits = &limits })
	for range 3 {
		for n, status := range map[int]int{90_000: 200, 110_000: 503} {
			answer := s.ask(t, http.MethodPost, "/v1/sync/push", "rep", padded(goodPush, n))
			require.Equal(t, status, answer.StatusCode, strconv.Itoa(n)+text(t, answer))
		}
		bomb := s.ask(t, http.MethodPost, "/v1/sync/push", "rep", gzipped(t, padded(goodPush, 110_000)), "Content-Encoding", "gzip")
		require.Equal(t, http.StatusServiceUnavailable, bomb.StatusCode, "as it is meant, too")
	}
}
