package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// balancer is a load balancer: requests go to its servers in turn, whoever they
// are from.
type balancer struct {
	t   *testing.T
	url string

	mu      sync.Mutex
	servers []*url.URL
	next    int
	served  map[string]int // answers, by server
	refused []string       // what was answered with anything but what was asked for
}

func newBalancer(t *testing.T, urls ...string) *balancer {
	t.Helper()
	b := &balancer{t: t, served: map[string]int{}}
	b.to(urls...)
	proxy := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(b.turn()) },
		ModifyResponse: b.note,
		Transport:      &http.Transport{},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil { // the device has not hung up
				b.complain(fmt.Sprintf("%s: %v", r.URL.Path, err))
			}
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	s := httptest.NewServer(proxy)
	t.Cleanup(s.Close)
	b.url = s.URL
	return b
}

// to sends what comes from now on to these, the first of it to the first.
func (b *balancer) to(urls ...string) {
	b.t.Helper()
	var servers []*url.URL
	for _, text := range urls {
		u, err := url.Parse(text)
		require.NoError(b.t, err)
		servers = append(servers, u)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.servers, b.next = servers, 0
}

func (b *balancer) turn() *url.URL {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.next++ }()
	return b.servers[b.next%len(b.servers)]
}

func (b *balancer) note(r *http.Response) error {
	b.mu.Lock()
	b.served[r.Request.URL.Host]++
	b.mu.Unlock()
	if r.StatusCode < http.StatusBadRequest {
		return nil
	}
	text, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(text))
	b.complain(fmt.Sprintf("%s of %s: %d %s", r.Request.URL.Path, r.Request.URL.Host, r.StatusCode, text))
	return err
}

func (b *balancer) complain(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused = append(b.refused, what)
}

// complaints are what was refused.
func (b *balancer) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.refused)
}

// answersOf is how often a server has answered.
func (b *balancer) answersOf(p *process) int {
	b.t.Helper()
	u, err := url.Parse(p.url)
	require.NoError(b.t, err)
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.served[u.Host]
}
