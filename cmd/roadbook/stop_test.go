package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	device "roadbook/clients/go"
	"roadbook/demo"
	"roadbook/record"
)

// stopsWithin is what a server gets that has nothing long in hand.
const stopsWithin = 10 * time.Second

// busyPhone types and pushes without a pause, and notes every answer that is a
// failure of the server's.
type busyPhone struct {
	*device.Device

	made    []record.ID // acknowledged
	answers *atomic.Int64
	failed  []string
}

func newBusyPhone(t *testing.T, url, login string, answers *atomic.Int64) *busyPhone {
	t.Helper()
	p := &busyPhone{answers: answers}
	var err error
	p.Device, err = device.Open(device.Config{
		BaseURL: url, HTTP: &http.Client{Transport: p}, Now: now, NewID: newID,
		Kind: "phone", Platform: "android 15", App: "1.0.0", Lang: "en",
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Close() })
	require.NoError(t, p.SignIn(t.Context(), demo.Name, login, demo.Password))
	return p
}

// RoundTrip implements http.RoundTripper.
func (p *busyPhone) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return answer, err
	}
	p.answers.Add(1)
	if answer.StatusCode >= http.StatusInternalServerError {
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			return nil, err
		}
		p.failed = append(p.failed, fmt.Sprintf("%d %s", answer.StatusCode, body))
		answer.Body = io.NopCloser(bytes.NewReader(body))
	}
	return answer, err
}

// work goes on until the server is gone.
func (p *busyPhone) work(ctx context.Context) error {
	for ctx.Err() == nil {
		var typed []record.ID
		for range 5 {
			id, err := p.Create("task", device.Values{"title": "call back", "status": "open"})
			if err != nil {
				return err
			}
			typed = append(typed, id)
		}
		_, err := p.Push(ctx)
		if p.Status().Outbox == 0 {
			p.made = append(p.made, typed...)
		}
		if err != nil {
			return nil //nolint:nilerr // the server is gone, as it was told to
		}
	}
	return ctx.Err()
}

// A server that is told to stop while phones push answers whom it has begun to
// answer. Nothing that it has acknowledged is lost, and what it has not comes
// the next time, once.
func TestServe_stopsUnderLoad(t *testing.T) {
	t.Parallel()

	here := "ROADBOOK_DATA=" + founded(t)
	p := serve(t, here).ready()
	var answers atomic.Int64
	var phones []*busyPhone
	var g errgroup.Group
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for i := range 6 {
		phone := newBusyPhone(t, p.url, []string{"lin", "zhou", "wang"}[i%3], &answers)
		phones = append(phones, phone)
		g.Go(func() error { return phone.work(ctx) })
	}
	before := answers.Load()
	require.Eventually(t, func() bool { return answers.Load() > before+30 }, patience, often)

	began := now()
	p.stop()
	require.Less(t, now().Sub(began), stopsWithin)
	require.NoError(t, g.Wait())

	made := 0
	for _, phone := range phones {
		made += len(phone.made)
		for _, answer := range phone.failed {
			require.Regexp(t, `^503 .*"code":"stopping"`, answer)
		}
	}
	require.Positive(t, made)

	again := serve(t, here, "ROADBOOK_ADDR="+strings.TrimPrefix(p.url, "http://")).ready()
	require.Equal(t, p.url, again.url)
	for i, phone := range phones {
		_, err := phone.Sync(t.Context())
		require.NoError(t, err)
		require.Zero(t, phone.Status().Outbox)
		fresh := newBusyPhone(t, again.url, []string{"lin", "zhou", "wang"}[i%3], &answers)
		_, err = fresh.Sync(t.Context())
		require.NoError(t, err)
		for _, id := range phone.made {
			_, there := fresh.Get(id)
			require.True(t, there, "an acknowledged task is lost")
		}
		require.Empty(t, phone.Refused())
	}
	again.stop()
}

// A server that leaves says so first, and serves until then.
func TestServe_stopDelay(t *testing.T) {
	t.Parallel()

	p := serve(t, "ROADBOOK_DATA="+founded(t), "ROADBOOK_STOP_DELAY=2s").ready()

	p.signal(syscall.SIGTERM)

	p.says(regexp.MustCompile("stopping; once more quits at once"))
	require.Equal(t, http.StatusServiceUnavailable, p.get("/readyz"), "a load balancer looks elsewhere")
	require.Equal(t, http.StatusOK, p.get("/healthz"), "nobody restarts it")
	require.Equal(t, http.StatusOK, p.login().StatusCode, "who comes all the same is served")
	require.Zero(t, p.wait(), p.out)
}
