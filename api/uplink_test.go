package api_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/clients/go/badnet"
	"roadbook/record"
)

// hill is a phone behind a hill: 64 kbit/s each way, one request in ten is
// lost on the way, as many answers, and a gateway on the way gives up after a minute. Its
// clock is its own: nothing waits for real.
type hill struct {
	*device.Device

	net   *badnet.Net
	clock atomic.Int64 // ns that have passed
}

func (w *whole) behindAHill(t *testing.T, seed uint64) *hill {
	t.Helper()
	h := &hill{}
	sleep := func(_ context.Context, d time.Duration) error {
		h.clock.Add(int64(d))
		return nil
	}
	plan := badnet.Plan{
		Seed: seed, LoseRequest: 0.1, LoseAnswer: 0.05, CutAnswer: 0.05,
		Least: 200 * time.Millisecond, Most: 900 * time.Millisecond, Pace: 8_000, Patience: time.Minute,
	}
	h.net = badnet.New(w.server.Client().Transport, plan, sleep)
	begin := w.now()
	chance := rand.New(rand.NewPCG(seed, 1))
	h.Device = w.phone(&http.Client{Transport: h.net}, func(c *device.Config) {
		c.Now = func() time.Time { return begin.Add(time.Duration(h.clock.Load())) }
		c.Sleep, c.Spread, c.PageBytes = sleep, chance.Float64, 200_000
	})
	for {
		if err := h.SignIn(t.Context(), "demo", "lin", wholePassword); err == nil {
			return h
		}
	}
}

// A day of two hundred notes goes up a bad line, and comes down another one to
// a phone that begins with nothing: all of it, each once, in the time that the
// bytes take and a part of it more for what was lost.
func TestUplink(t *testing.T) {
	t.Parallel()

	w := newWhole(t, testPool(t), time.Now, nil)
	cheapPasswords(t, w)
	typed := map[record.ID]string{}
	for seed := range uint64(4) {
		up := w.behindAHill(t, seed)
		words := rand.New(rand.NewPCG(seed, 4))
		for range 200 {
			note := prose(words, 1500)
			id, err := up.Create("account", device.Values{"name": "兴旺超市", "remark": note})
			require.NoError(t, err)
			typed[id] = note
		}

		bytes, requests, took := up.empty(t)

		t.Logf("up: %d requests, %d KB in %v", requests, bytes/1000, took)
		require.Less(t, bytes, int64(3*200*1500), "not much is sent twice")
		require.Less(t, took, 5*time.Minute)
	}
	var accounts int
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT count(*) - 1 FROM records`).Scan(&accounts))
	require.Len(t, typed, accounts)

	down := w.behindAHill(t, 8)
	down.clock.Store(0)
	var pages, changes int
	for !down.Status().Complete {
		r, _ := down.Pull(t.Context()) // what went wrong is tried again
		pages += r.Pages
		changes += r.Changes
	}
	took := time.Duration(down.clock.Load()).Round(time.Second)
	t.Logf("down: %d pages in %d requests, %d changes, %d KB in %v", pages, down.net.Stats().Requests, changes,
		down.net.Stats().BytesDown/1000, took)
	require.Equal(t, len(typed)+1, changes, "no page was taken twice")
	require.Less(t, took, 5*time.Minute)
	for id, note := range typed {
		view, ok := down.Get(id)
		require.True(t, ok)
		require.Equal(t, note, view.Text("remark"))
	}
}

// empty pushes until nothing is left, and says what that took.
func (h *hill) empty(t *testing.T) (bytes int64, requests int, took time.Duration) {
	t.Helper()
	h.clock.Store(0)
	before := h.net.Stats()
	typed, verdicts := h.Status().Outbox, 0
	for h.Status().Outbox > 0 {
		r, _ := h.Push(t.Context()) // what went wrong is tried again
		verdicts += len(r.Outcomes)
		for _, o := range r.Outcomes {
			require.Equal(t, record.Applied, o.Result)
		}
	}
	require.Equal(t, typed, verdicts, "each once")
	now := h.net.Stats()
	return now.BytesUp - before.BytesUp, now.Requests - before.Requests, time.Duration(h.clock.Load()).Round(time.Second)
}

// prose is text that compresses about as well as what people write.
func prose(words *rand.Rand, n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteRune(rune(0x4e00 + words.IntN(3000)))
	}
	return b.String()
}
