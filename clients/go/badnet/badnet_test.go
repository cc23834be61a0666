package badnet_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/clients/go/badnet"
)

// echo answers with what it is asked, and counts.
type echo struct{ heard atomic.Int64 }

func (e *echo) RoundTrip(req *http.Request) (*http.Response, error) {
	e.heard.Add(1)
	w := httptest.NewRecorder()
	_, err := io.Copy(w, req.Body)
	return w.Result(), err
}

func ask(t *testing.T, n *badnet.Net, text string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://server/", strings.NewReader(text))
	require.NoError(t, err)
	res, err := (&http.Client{Transport: n}).Do(req)
	if err != nil {
		return "", err
	}
	defer func() { require.NoError(t, res.Body.Close()) }()
	got, err := io.ReadAll(res.Body)
	return string(got), err
}

func TestNet_fates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		fate  badnet.Fate
		heard int64
		got   string
		want  error
	}{
		{badnet.Through, 1, "hello!", nil},
		{badnet.LoseRequest, 0, "", badnet.ErrLost},
		{badnet.LoseAnswer, 1, "", badnet.ErrLost},
		{badnet.CutAnswer, 1, "hel", io.ErrUnexpectedEOF},
		{badnet.Repeat, 1, "hello!", nil},
	}
	for _, tt := range tests {
		t.Run(tt.fate.String(), func(t *testing.T) {
			t.Parallel()
			e := &echo{}
			n := badnet.New(e, badnet.Plan{}, nil)
			n.Next(tt.fate)

			got, err := ask(t, n, "hello!")

			require.Equal(t, tt.got, got)
			require.ErrorIs(t, err, tt.want)
			require.Equal(t, tt.heard, e.heard.Load())
			require.Equal(t, 1, n.Stats().Requests)
		})
	}
}

func TestNet_oldRequestsComeAgain(t *testing.T) {
	t.Parallel()
	e := &echo{}
	n := badnet.New(e, badnet.Plan{}, nil)
	n.Next(badnet.Repeat, badnet.Repeat)
	for range 2 {
		_, err := ask(t, n, "hello!")
		require.NoError(t, err)
	}
	n.Stragglers()
	require.Equal(t, int64(4), e.heard.Load())
	require.Equal(t, 2, n.Stats().Again)
	require.Equal(t, int64(12), n.Stats().BytesUp)
	require.Equal(t, int64(12), n.Stats().BytesDown)
}

func TestNet_offline(t *testing.T) {
	t.Parallel()
	e := &echo{}
	n := badnet.New(e, badnet.Plan{}, nil)
	n.Offline(true)
	_, err := ask(t, n, "hello!")
	require.ErrorIs(t, err, badnet.ErrOffline)
	n.Offline(false)
	_, err = ask(t, n, "hello!")
	require.NoError(t, err)
	require.Equal(t, int64(1), e.heard.Load())
	require.Equal(t, 1, n.Stats().Offline)
}

func TestNet_latency(t *testing.T) {
	t.Parallel()
	var waits []time.Duration
	stop := errors.New("out of patience")
	slow := badnet.Plan{Least: time.Second, Most: 2 * time.Second}
	n := badnet.New(&echo{}, slow, func(_ context.Context, d time.Duration) error {
		waits = append(waits, d)
		if len(waits) > 2 {
			return stop
		}
		return nil
	})
	_, err := ask(t, n, "hello!")
	require.NoError(t, err)
	require.Len(t, waits, 2, "there and back")
	for _, w := range waits {
		require.GreaterOrEqual(t, w, time.Second)
		require.Less(t, w, 2*time.Second)
	}
	_, err = ask(t, n, "hello!")
	require.ErrorIs(t, err, stop)
}

// The same seed does the same.
func TestNet_isRepeatable(t *testing.T) {
	t.Parallel()
	plan := badnet.Plan{Seed: 7, LoseRequest: .2, LoseAnswer: .2, CutAnswer: .2, Repeat: .2}
	run := func(plan badnet.Plan) badnet.Stats {
		n := badnet.New(&echo{}, plan, nil)
		for range 200 {
			_, _ = ask(t, n, "hello!")
		}
		return n.Stats()
	}
	first := run(plan)
	require.Equal(t, first, run(plan))
	for _, n := range []int{first.Lost, first.Unheard, first.Cut, first.Again} {
		require.Greater(t, n, 15)
	}
	plan.Seed = 8
	require.NotEqual(t, first, run(plan))
}

// A slow network takes its time for every byte, and whoever has no patience for
// that learns as little as one whose request was lost.
func TestNet_pace(t *testing.T) {
	t.Parallel()
	var took time.Duration
	sleep := func(_ context.Context, d time.Duration) error {
		took += d
		return nil
	}
	n := badnet.New(&echo{}, badnet.Plan{Pace: 2, Patience: 6 * time.Second}, sleep)
	got, err := ask(t, n, "hello!")
	require.NoError(t, err)
	require.Equal(t, "hello!", got)
	require.Equal(t, 6*time.Second, took, "three seconds there and three back")

	e := &echo{}
	n = badnet.New(e, badnet.Plan{Pace: 2, Patience: 4 * time.Second}, sleep)
	took = 0
	_, err = ask(t, n, "hello!")
	require.ErrorIs(t, err, badnet.ErrLost)
	require.Equal(t, int64(1), e.heard.Load(), "it was done, and the answer did not come in time")
	require.Equal(t, 4*time.Second, took)
	_, err = ask(t, n, "hello, hello!")
	require.ErrorIs(t, err, badnet.ErrLost)
	require.Equal(t, int64(1), e.heard.Load())
}
