package socket_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/push/socket"
	"roadbook/record"
	"roadbook/sync/feed"
	"roadbook/telemetry"
)

// still is a hub in a bubble: its clock stands still, its connections are pipes
// that hold nothing, and it has no database. Its devices say nothing of where
// they stand, so they are woken.
type still struct {
	t       *testing.T
	hub     *socket.Hub
	feed    *feed.Feed
	metrics *telemetry.Metrics
	dials   chan net.Conn
	seq     record.Seq
}

func newStill(t *testing.T) *still {
	t.Helper()
	s := &still{t: t, feed: feed.New(nil), metrics: telemetry.NewMetrics(telemetry.MetricsOptions{}), dials: make(chan net.Conn)}
	s.hub = socket.New(socket.Config{Feed: s.feed, Now: time.Now, Log: slog.New(slog.DiscardHandler), Metrics: s.metrics})
	server := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(s) }()
	t.Cleanup(func() {
		s.hub.Stop(t.Context()) // it has ended, so nobody is waited for
		_ = server.Close()
	})
	return s
}

func (s *still) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who := access.Caller{Org: 1, Person: newID(), Device: newID()}
	if err := s.hub.Serve(w, r, who); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	}
}

// Accept, Close and Addr make it a listener.
func (s *still) Accept() (net.Conn, error) {
	c, ok := <-s.dials
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (s *still) Close() error {
	close(s.dials)
	return nil
}

func (*still) Addr() net.Addr { return &net.IPAddr{} }

func (s *still) dial() *websocket.Conn {
	s.t.Helper()
	dialer := websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		s.dials <- there
		return here, nil
	}}
	conn, res, err := dialer.Dial("ws://still/", nil)
	require.NoError(s.t, err)
	require.NoError(s.t, res.Body.Close())
	s.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// happens is something of which everybody is woken.
func (s *still) happens() {
	s.seq++
	s.feed.Moved(1, s.seq)
}

func (s *still) wake(c *websocket.Conn) {
	s.t.Helper()
	_, text, err := c.ReadMessage()
	require.NoError(s.t, err)
	require.Contains(s.t, string(text), `"wake"`)
}

// open is how many sockets there are.
func (s *still) open() int64 {
	synctest.Wait()
	return s.hub.Stats().Open.Load()
}

const limit = 10 * time.Second

func TestSocket_takesTenSecondsAtMost(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		s := newStill(t)
		slow, healthy := s.dial(), s.dial()
		s.happens()
		s.wake(healthy)

		time.Sleep(limit - time.Millisecond)
		require.EqualValues(t, 2, s.open(), "in time")
		s.wake(slow)
		s.happens()
		s.wake(healthy)
		time.Sleep(limit - time.Millisecond)
		require.EqualValues(t, 2, s.open(), "each frame has its own ten seconds")
		time.Sleep(time.Millisecond)
		require.EqualValues(t, 1, s.open(), "too late")

		require.EqualValues(t, 1, s.hub.Stats().Slow.Load())
		text, _, err := s.metrics.Text()
		require.NoError(t, err)
		require.Contains(t, string(text), `roadbook_socket_dropped_total{reason="slow"} 1`)
		_, _, err = slow.ReadMessage()
		require.Error(t, err)
		s.happens()
		s.wake(healthy)
	})
}

func TestSocket_aFrameIsTakenWhole(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		s := newStill(t)
		slow, healthy := s.dial(), s.dial()
		s.happens()
		s.wake(healthy)

		for range 9 {
			time.Sleep(time.Second)
			_, err := io.ReadFull(slow.NetConn(), make([]byte, 1))
			require.NoError(t, err)
			require.EqualValues(t, 2, s.open())
		}
		time.Sleep(time.Second)

		require.EqualValues(t, 1, s.open(), "a byte a second is nothing")
		require.EqualValues(t, 1, s.hub.Stats().Slow.Load())
	})
}

// A device that has taken nothing for a while is not told of everything that
// happened, but once.
func TestSocket_whatHappensMeanwhileIsOneWake(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		s := newStill(t)
		slow := s.dial()
		for range 5 {
			s.happens()
			synctest.Wait()
		}

		s.wake(slow)
		_, text, err := slow.ReadMessage()

		require.NoError(t, err)
		require.JSONEq(t, `{"t":"wake","seq":"5"}`, string(text))
		require.EqualValues(t, 2, s.hub.Stats().Wakes.Load())
	})
}

func TestSocket_aGoodbyeThatNobodyTakes(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		s := newStill(t)
		deaf := s.dial()
		require.NoError(t, deaf.WriteMessage(websocket.BinaryMessage, []byte("x")))

		time.Sleep(limit - time.Millisecond)
		require.EqualValues(t, 1, s.open())
		time.Sleep(time.Millisecond)
		require.Zero(t, s.open())
	})
}
