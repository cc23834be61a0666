// Package badnet is a network in a lift: it loses requests and answers, cuts
// answers short, delivers old requests again when nobody expects them, is slow,
// and is gone altogether when told. It sits between an http.Client and the real
// network as a RoundTripper. What it does follows from a seed, so that what
// went wrong once goes wrong again.
package badnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Fate is what becomes of one request.
type Fate int

// The fates. In the first three cases of loss the client learns the same: that
// there was no whole answer.
const (
	Through     Fate = iota
	LoseRequest      // the server never hears of it
	LoseAnswer       // the server has done it, the client is not told
	CutAnswer        // the client gets the first half of the answer
	Repeat           // it comes through, and comes again later
)

func (f Fate) String() string {
	return [...]string{"through", "request lost", "answer lost", "answer cut", "repeated"}[f]
}

// ErrLost is what a client sees of a lost request or answer.
var ErrLost = errors.New("the connection was lost")

// ErrOffline is what a client sees without a network.
var ErrOffline = errors.New("there is no network")

// Plan says how bad the network is. The chances are from 0 to 1 and are tried
// in this order.
type Plan struct {
	Seed        uint64
	LoseRequest float64
	LoseAnswer  float64
	CutAnswer   float64
	Repeat      float64

	Least, Most time.Duration // latency, before the request and again after it

	Pace     int           // bytes a second, each way; 0 is as fast as it comes
	Patience time.Duration // after which a client, or a gateway on the way, gives a request up; 0 is never
}

// Stats counts what became of the requests.
type Stats struct {
	Requests  int // asked for
	Offline   int // while there was no network
	Lost      int // that the server never heard of
	Unheard   int // whose answer the client did not hear
	Cut       int // whose answer was cut short
	Again     int // old ones that came again
	BytesUp   int64
	BytesDown int64
}

// maxLate is how many old requests are under way at once.
const maxLate = 16

// Net is a bad network. It may be used by several clients.
type Net struct {
	next  http.RoundTripper
	plan  Plan
	sleep func(ctx context.Context, d time.Duration) error

	mu      sync.Mutex
	chance  *rand.Rand
	offline bool
	fates   []Fate          // to come first, before chance
	late    []*http.Request // to come again
	stats   Stats
}

// New makes a bad network out of a good one. Without sleep it has no latency.
func New(next http.RoundTripper, plan Plan, sleep func(ctx context.Context, d time.Duration) error) *Net {
	chance := rand.New(rand.NewPCG(plan.Seed, 0)) //nolint:gosec // it must be repeatable
	return &Net{next: next, plan: plan, sleep: sleep, chance: chance}
}

// Offline switches the network off, or on again.
func (n *Net) Offline(off bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.offline = off
}

// Next decides the fates of the coming requests, before chance does.
func (n *Net) Next(fates ...Fate) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fates = append(n.fates, fates...)
}

// Stats reports what became of the requests so far.
func (n *Net) Stats() Stats {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stats
}

// RoundTrip implements http.RoundTripper.
func (n *Net) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := bodyOf(req)
	if err != nil {
		return nil, err
	}
	fate, wait, late := n.draw(req, body)
	if late != nil {
		n.deliver(late)
	}
	up := n.carrying(len(body))
	if n.tooLong(up) {
		fate, up = LoseRequest, n.plan.Patience
	}
	if err := n.pause(req.Context(), wait+up); err != nil {
		return nil, err
	}
	switch {
	case n.isOffline():
		return nil, ErrOffline
	case fate == LoseRequest:
		return nil, fmt.Errorf("%w before the server heard of it", ErrLost)
	}
	res, err := n.next.RoundTrip(withBody(req, body))
	if err != nil {
		return nil, err
	}
	if err := n.pause(req.Context(), wait); err != nil {
		_ = res.Body.Close() // nobody reads it
		return nil, err
	}
	return n.answer(req.Context(), res, fate, up)
}

// carrying is how long the network takes for so many bytes.
func (n *Net) carrying(bytes int) time.Duration {
	if n.plan.Pace == 0 {
		return 0
	}
	return time.Duration(bytes) * time.Second / time.Duration(n.plan.Pace)
}

func (n *Net) tooLong(d time.Duration) bool { return n.plan.Patience > 0 && d > n.plan.Patience }

// answer lets as much of the answer through as its fate allows.
func (n *Net) answer(ctx context.Context, res *http.Response, fate Fate, up time.Duration) (*http.Response, error) {
	text, err := io.ReadAll(res.Body)
	_ = res.Body.Close() // it was read
	if err != nil {
		return nil, err
	}
	down := n.carrying(len(text))
	if n.tooLong(up + down) {
		fate, down = LoseAnswer, n.plan.Patience-up
	}
	if err := n.pause(ctx, down); err != nil {
		return nil, err
	}
	if fate == LoseAnswer {
		return nil, fmt.Errorf("%w after the server had done it", ErrLost)
	}
	var left io.Reader = bytes.NewReader(text)
	if fate == CutAnswer {
		text = text[:len(text)/2]
		left = io.MultiReader(bytes.NewReader(text), cut{})
	}
	n.mu.Lock()
	n.stats.BytesDown += int64(len(text))
	n.mu.Unlock()
	res.Body = io.NopCloser(left)
	return res, nil
}

// cut is where an answer breaks off.
type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// draw decides a request's fate, how long it takes, and which old one comes
// before it.
func (n *Net) draw(req *http.Request, body []byte) (fate Fate, wait time.Duration, late *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stats.Requests++
	if n.offline {
		n.stats.Offline++
		return LoseRequest, 0, nil
	}
	n.stats.BytesUp += int64(len(body))
	fate = n.fate()
	if span := n.plan.Most - n.plan.Least; span >= 0 {
		wait = n.plan.Least + time.Duration(n.chance.Float64()*float64(span))
	}
	if len(n.late) > 0 && n.chance.Float64() < 0.5 {
		at := n.chance.IntN(len(n.late))
		late = n.late[at]
		n.late = append(n.late[:at:at], n.late[at+1:]...)
		n.stats.Again++
	}
	n.count(fate)
	if fate == Repeat && len(n.late) < maxLate {
		again := req.Clone(context.WithoutCancel(req.Context()))
		n.late = append(n.late, withBody(again, body))
	}
	return fate, wait, late
}

func (n *Net) fate() Fate {
	if len(n.fates) > 0 {
		fate := n.fates[0]
		n.fates = n.fates[1:]
		return fate
	}
	x := n.chance.Float64()
	for _, f := range []struct {
		fate   Fate
		chance float64
	}{
		{LoseRequest, n.plan.LoseRequest},
		{LoseAnswer, n.plan.LoseAnswer},
		{CutAnswer, n.plan.CutAnswer},
		{Repeat, n.plan.Repeat},
	} {
		if x < f.chance {
			return f.fate
		}
		x -= f.chance
	}
	return Through
}

func (n *Net) count(fate Fate) {
	switch fate {
	case LoseRequest:
		n.stats.Lost++
	case LoseAnswer:
		n.stats.Unheard++
	case CutAnswer:
		n.stats.Cut++
	case Through, Repeat:
	}
}

// deliver lets an old request arrive. Nobody waits for its answer.
func (n *Net) deliver(late *http.Request) {
	res, err := n.next.RoundTrip(late)
	if err == nil {
		_ = res.Body.Close() // nobody reads it
	}
}

// Stragglers lets all old requests arrive that are still under way.
func (n *Net) Stragglers() {
	n.mu.Lock()
	late := n.late
	n.late = nil
	n.stats.Again += len(late)
	n.mu.Unlock()
	for _, req := range late {
		n.deliver(req)
	}
}

func (n *Net) isOffline() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.offline
}

func (n *Net) pause(ctx context.Context, d time.Duration) error {
	if n.sleep == nil || d == 0 {
		return nil
	}
	return n.sleep(ctx, d)
}

func bodyOf(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer func() { _ = req.Body.Close() }() // it was read
	return io.ReadAll(req.Body)
}

// withBody is a request that can be sent, its body from the beginning.
func withBody(req *http.Request, body []byte) *http.Request {
	sent := req.Clone(req.Context())
	sent.Body = http.NoBody
	if len(body) > 0 {
		sent.Body = io.NopCloser(bytes.NewReader(body))
	}
	sent.ContentLength = int64(len(body))
	return sent
}
