package swarm

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"
)

// Order is what a process that is a swarm is told, and Answer what it says. One
// of each is a line of JSON.
type Order struct {
	Do       string `json:"do"` // open, storm, await, close
	URL      string `json:"url,omitempty"`
	Seats    []Seat `json:"seats,omitempty"`
	Mark     int    `json:"mark,omitempty"`
	Devices  int    `json:"devices,omitempty"`
	SinceNS  int64  `json:"since_ns,omitempty"` // when it was sent
	WithinMS int    `json:"within_ms,omitempty"`
}

// Answer is how the swarm is, and how long a mark took.
type Answer struct {
	Open, Pages, Wakes, Strays, Closed, Slow, Failed int64

	Heard         int // devices that the mark has reached
	P50, P99, Max time.Duration
}

// ErrUnknown is an order that nobody knows.
var ErrUnknown = errors.New("no such order")

// Serve does what it is told until it is told to close, or in ends.
func Serve(ctx context.Context, in io.Reader, out io.Writer, now func() time.Time) error {
	orders, answers := json.NewDecoder(in), json.NewEncoder(out)
	var s *Swarm
	defer func() {
		if s != nil {
			s.Close()
		}
	}()
	for {
		var o Order
		if err := orders.Decode(&o); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		var at []time.Time
		switch {
		case o.Do == "open":
			s = New(o.URL, o.Seats, now)
			s.Open()
		case o.Do == "close" || s == nil:
			return nil
		case o.Do == "storm":
			s.Storm()
		case o.Do == "await":
			within, cancel := context.WithTimeout(ctx, time.Duration(o.WithinMS)*time.Millisecond)
			at = s.Await(within, o.Mark, o.Devices)
			cancel()
		default:
			return ErrUnknown
		}
		if err := answers.Encode(s.answer(at, time.Unix(0, o.SinceNS))); err != nil {
			return err
		}
	}
}

func (s *Swarm) answer(at []time.Time, since time.Time) Answer {
	a := Answer{
		Open: s.Counts.Open.Load(), Pages: s.Pages.Load(), Wakes: s.Wakes.Load(), Strays: s.Strays.Load(),
		Closed: s.Closed.Load(), Slow: s.Slow.Load(), Failed: s.Failed.Load(), Heard: len(at),
	}
	if len(at) == 0 {
		return a
	}
	slices.SortFunc(at, time.Time.Compare)
	took := func(share float64) time.Duration { return at[int(share*float64(len(at)-1))].Sub(since) }
	a.P50, a.P99, a.Max = took(0.5), took(0.99), took(1)
	return a
}
