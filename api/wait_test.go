package api_test

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/api"
	"roadbook/record"
	"roadbook/sync/feed"
	"roadbook/sync/wire"
)

const (
	quiet      = `{"changes":[],"cursor":"c2","complete":true,"filling":false}`
	news       = `{"changes":[{"kind":"account"}],"cursor":"c3","complete":true,"filling":false}`
	longerThan = 10 * time.Second
)

// reader is a line of which a pull finds news from some pull on.
type reader struct {
	line
	pulls  atomic.Int32
	from   int32
	pulled chan int32
}

func (*reader) Check(context.Context, access.Caller, *wire.CheckRequest) ([]byte, error) {
	return nil, nil
}

func (r *reader) Pull(context.Context, access.Caller, *wire.PullRequest) ([]byte, error) {
	n := r.pulls.Add(1)
	r.pulled <- n
	if n >= r.from {
		return []byte(news), nil
	}
	return []byte(quiet), nil
}

// waiting is a server with a pull in hand.
func waiting(t *testing.T, from int32, ms string) (*feed.Feed, *reader, <-chan string) {
	t.Helper()
	f, r := feed.New(nil), &reader{from: from, pulled: make(chan int32, 16)}
	s := newServer(func(c *api.Config) { c.News, c.Line = f, r })
	got := make(chan string, 1)
	go func() {
		answer := s.ask(t, http.MethodPost, "/v1/sync/pull", "rep", []byte(`{"replica":"k7f2","cursor":"c1","wait_ms":`+ms+`}`))
		body, _ := io.ReadAll(answer.Body)
		got <- string(body)
	}()
	select {
	case <-r.pulled:
	case <-time.After(longerThan):
		require.Fail(t, "nobody pulls")
	}
	return f, r, got
}

func answered(t *testing.T, got <-chan string, want string) {
	t.Helper()
	select {
	case page := <-got:
		require.Equal(t, want, page)
	case <-time.After(longerThan):
		require.Fail(t, "no answer")
	}
}

func TestPull_waitsForNews(t *testing.T) {
	t.Parallel()

	f, _, got := waiting(t, 2, "25000")
	require.Empty(t, got)
	f.Moved(8, 1) // another org's
	require.Empty(t, got)

	f.Moved(7, 5)

	answered(t, got, news)
}

func TestPull_goesOnWaitingWhenTheNewsIsNotItsOwn(t *testing.T) {
	t.Parallel()

	f, r, got := waiting(t, 4, "25000")

	for seq := record.Seq(5); seq < 8; seq++ {
		f.Moved(7, seq)
		require.Equal(t, int32(seq-3), <-r.pulled)
	}

	answered(t, got, news)
}

func TestPull_doesNotWait(t *testing.T) {
	t.Parallel()

	_, _, got := waiting(t, 1, "25000")
	answered(t, got, news)
	_, _, got = waiting(t, 2, "0")
	answered(t, got, quiet)
}

func TestPull_waitsNoLongerThanItWasAsked(t *testing.T) {
	t.Parallel()

	_, _, got := waiting(t, 2, "1")
	answered(t, got, quiet)
}

func TestPull_isAnsweredWhenTheServerStops(t *testing.T) {
	t.Parallel()

	f, _, got := waiting(t, 2, "25000")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	f.Run(ctx, nothing{}, nil)

	answered(t, got, quiet)
}

// nothing is where nothing happens.
type nothing struct{}

func (nothing) Listen(ctx context.Context, _ func(), _ func(record.OrgID, record.Seq)) error {
	<-ctx.Done()
	return ctx.Err()
}

func (nothing) Heads(context.Context, []record.OrgID) (map[record.OrgID]record.Seq, error) {
	return map[record.OrgID]record.Seq{}, nil
}
