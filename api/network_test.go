package api_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/api"
	"roadbook/record"
	"roadbook/sync/wire"
)

// wires is a network in memory, whose clock is that of a synctest bubble.
type wires struct {
	accepted chan net.Conn
	closed   chan struct{}
}

func (w wires) Accept() (net.Conn, error) {
	select {
	case c := <-w.accepted:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w wires) Close() error   { close(w.closed); return nil }
func (w wires) Addr() net.Addr { return &net.IPAddr{} }

// dial opens a connection to a server for s. The test must say what it sends.
func dial(t *testing.T, s server) net.Conn {
	t.Helper()
	network := wires{make(chan net.Conn), make(chan struct{})}
	httpServer := api.NewHTTPServer(s.Handler())
	done := make(chan error, 1)
	go func() { done <- httpServer.Serve(network) }()
	ours, theirs := net.Pipe()
	network.accepted <- theirs
	t.Cleanup(func() {
		require.NoError(t, ours.Close())
		require.NoError(t, httpServer.Close())
		require.ErrorIs(t, <-done, http.ErrServerClosed)
		time.Sleep(time.Second) // the server lingers before it hangs up
	})
	return ours
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(c, text)
	require.NoError(t, err)
}

func receive(t *testing.T, c net.Conn) *http.Response {
	t.Helper()
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	return answer
}

const head = "POST /v1/sync/push HTTP/1.1\r\nHost: roadbook\r\nAuthorization: Bearer rep\r\n"

func TestNetwork_aBodyThatDoesNotArrive(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		c := dial(t, newServer(nil))
		start := time.Now()
		send(t, c, head+"Content-Length: 100\r\n\r\n{\"replica\":")

		answer := receive(t, c)

		require.Equal(t, http.StatusRequestTimeout, answer.StatusCode)
		require.Equal(t, time.Minute, time.Since(start))
		require.True(t, answer.Close)
		got := text(t, answer)
		require.Contains(t, got, `"kind":"busy","code":"slow"`)
	})
}

func TestNetwork_aSlowBodyInTimeIsServed(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		var at time.Time
		c := dial(t, newServer(func(c *api.Config) {
			c.Line = line{push: func(ctx context.Context, _ access.Caller, _ *wire.Push) (*wire.PushAnswer, error) {
				at = time.Now()
				time.Sleep(29 * time.Second) // past the minute that the body had
				return &wire.PushAnswer{Outcomes: []record.Outcome{}}, ctx.Err()
			}}
		}))
		start := time.Now()
		send(t, c, head+"Content-Length: 43\r\n\r\n")
		for _, half := range []string{goodPush[:20], goodPush[20:]} {
			time.Sleep(25 * time.Second)
			send(t, c, half)
		}

		answer := receive(t, c)

		require.Equal(t, http.StatusOK, answer.StatusCode, text(t, answer))
		require.Equal(t, 50*time.Second, at.Sub(start))
	})
}

// trickle sends a push of n bytes in pieces, so many a second, until it is all
// there or the server hangs up.
func trickle(c net.Conn, n, pace int) {
	if _, err := fmt.Fprintf(c, "%sContent-Length: %d\r\n\r\n", head, n); err != nil {
		return
	}
	body := padded(goodPush, n)
	for piece := range slices.Chunk(body, pace) {
		if _, err := c.Write(piece); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// A body that keeps coming at the pace of 2G is let through, whatever it takes;
// one that trickles to hold a connection open is cut, soon.
func TestNetwork_pace(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name    string
		n, pace int
		status  int
		took    time.Duration
	}{
		{"64 kbit/s", 2_000_000, 8_000, 200, 250 * time.Second},
		{"at the least pace", 1 << 20, 4 << 10, 200, 256 * time.Second},
		{"a third below it", 1 << 20, 2731, 408, 181 * time.Second},
		{"a byte a second", 1000, 1, 408, time.Minute},
		{"a push as large as may be, at 64 kbit/s", wire.MaxPushBytes, 8_000, 408, 10 * time.Minute},
		{"a push as large as a device makes, at 64 kbit/s", 4 << 20, 8_000, 200, 525 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			synctest.Test(t, func(t *testing.T) {
				c := dial(t, newServer(nil))
				start := time.Now()
				go trickle(c, tt.n, tt.pace)

				answer := receive(t, c)

				require.Equal(t, tt.status, answer.StatusCode)
				require.InDelta(t, tt.took.Seconds(), time.Since(start).Seconds(), 2)
				require.Equal(t, tt.status == 408, strings.Contains(text(t, answer), `"code":"slow"`))
			})
		})
	}
}

// Silence in the middle of a body ends it, however much had come before.
func TestNetwork_silence(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		c := dial(t, newServer(nil))
		start := time.Now()
		send(t, c, head+"Content-Length: 3000000\r\n\r\n"+string(padded(goodPush, 2_000_000)))

		answer := receive(t, c)

		require.Equal(t, http.StatusRequestTimeout, answer.StatusCode)
		require.Equal(t, time.Minute, time.Since(start))
	})
}

// Who takes an answer at the pace of 2G gets all of it; who does not take it is
// cut off.
func TestNetwork_aSlowTaker(t *testing.T) {
	t.Parallel()

	page := append(append([]byte(`{"changes":["`), noisy(900_000)...), `"]}`...)
	for pace, whole := range map[int]bool{8_000: true, 4 << 10: true, 1_000: false, 0: false} {
		t.Run(strconv.Itoa(pace), func(t *testing.T) {
			t.Parallel()

			synctest.Test(t, func(t *testing.T) {
				c := dial(t, newServer(func(c *api.Config) {
					c.Line = line{pull: func(context.Context, access.Caller, *wire.PullRequest) ([]byte, error) { return page, nil }}
				}))
				send(t, c, strings.Replace(head, "push", "pull", 1)+"Content-Length: 30\r\n\r\n"+goodPull)
				start := time.Now()
				answer := receive(t, slowly{c, pace})

				got, err := io.ReadAll(answer.Body)

				require.Equal(t, whole, err == nil && len(got) == len(page), "%v after %v", err, time.Since(start))
				require.LessOrEqual(t, time.Since(start), 10*time.Minute)
			})
		})
	}
}

// slowly is read at a pace; at none it is left alone for a while before each
// piece.
type slowly struct {
	net.Conn

	pace int
}

func (s slowly) Read(p []byte) (int, error) {
	if s.pace == 0 {
		time.Sleep(5 * time.Minute)
		return s.Conn.Read(p)
	}
	time.Sleep(time.Second)
	return s.Conn.Read(p[:min(len(p), s.pace)])
}

func TestNetwork_aHandlerThatTakesTooLong(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		c := dial(t, newServer(func(c *api.Config) {
			c.Line = line{pull: func(ctx context.Context, _ access.Caller, _ *wire.PullRequest) ([]byte, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}}
		}))
		start := time.Now()
		send(t, c, strings.Replace(head, "push", "pull", 1)+"Content-Length: 30\r\n\r\n"+goodPull)

		answer := receive(t, c)

		require.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
		require.Equal(t, 55*time.Second, time.Since(start), "30 seconds and what a pull may wait")
		require.Contains(t, text(t, answer), `"code":"timeout"`)
	})
}

func TestNetwork_aPushIsJudgedEvenIfNobodyWaits(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		judged := make(chan error, 1)
		s := newServer(func(c *api.Config) {
			c.Line = line{push: func(ctx context.Context, _ access.Caller, _ *wire.Push) (*wire.PushAnswer, error) {
				time.Sleep(time.Second)
				judged <- ctx.Err()
				<-ctx.Done()
				return nil, ctx.Err()
			}}
		})
		ctx, leave := context.WithCancel(t.Context())
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "/v1/sync/push", strings.NewReader(goodPush))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer rep")
		leave()
		start := time.Now()

		s.Handler().ServeHTTP(&gone{}, request)

		require.NoError(t, <-judged)
		require.Equal(t, 30*time.Second, time.Since(start), "but not for ever")
		require.Contains(t, s.log.String(), "the answer was not taken")
	})
}

// gone is a client that does not take its answer.
type gone struct{ header http.Header }

func (g *gone) Header() http.Header {
	if g.header == nil {
		g.header = http.Header{}
	}
	return g.header
}
func (g *gone) WriteHeader(int)           {}
func (g *gone) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestNetwork_headersAreLimited(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		c := dial(t, newServer(nil))
		go func() {
			// The server hangs up in the middle, so this may fail.
			_, err := io.Copy(c, io.MultiReader(strings.NewReader(head+"X-Long: "), bytes.NewReader(bytes.Repeat([]byte("x"), 64<<10)), strings.NewReader("\r\n\r\n")))
			if err != nil {
				t.Log(err)
			}
		}()

		require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, receive(t, c).StatusCode)
	})
}

func TestNewHTTPServer_limitsEverything(t *testing.T) {
	t.Parallel()

	s := api.NewHTTPServer(http.NotFoundHandler())

	require.Equal(t, 10*time.Second, s.ReadHeaderTimeout)
	require.Zero(t, s.ReadTimeout, "bodies have their own, which ends when they are here")
	require.Equal(t, 20*time.Minute+55*time.Second, s.WriteTimeout)
	require.Positive(t, s.IdleTimeout)
	require.Equal(t, 16<<10, s.MaxHeaderBytes)
}

// brittle breaks while it is written to.
type brittle struct{ gone }

func (b *brittle) Write([]byte) (int, error) { panic("the connection fell apart") }

func TestNetwork_halfAnAnswerIsCutOff(t *testing.T) {
	t.Parallel()

	s := newServer(nil)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/healthz", nil)
	require.NoError(t, err)

	require.PanicsWithValue(t, http.ErrAbortHandler, func() { s.Handler().ServeHTTP(&brittle{}, request) })
	require.Contains(t, s.log.String(), "the connection fell apart")
}
