package api_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
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
		time.Sleep(time.Second) // the server lingers before it hangs up
	})
}

func TestNewHTTPServer_limitsEverything(t *testing.T) {
	t.Parallel()

	s := api.NewHTTPServer(http.NotFoundHandler())

	require.Equal(t, 10*time.Second, s.ReadHeaderTimeout)
	require.Zero(t, s.ReadTimeout, "bodies have their own, which ends when they are here")
	require.Greater(t, s.WriteTimeout, time.Minute+55*time.Second)
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
