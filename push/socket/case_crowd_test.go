package socket_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"roadbook/push/socket/swarm"
	"roadbook/record"
)

// sockets is how many the crowd has, unless ROADBOOK_SOCKETS names more:
// 10,000 take some minutes.
const sockets = 200

// TestChild_swarm is the process of the clients: it does what the test next to
// it says.
func TestChild_swarm(t *testing.T) {
	if os.Getenv("ROADBOOK_CHILD") != "swarm" {
		t.Skip("a process of TestCase_aCrowdOfSockets")
	}
	require.NoError(t, swarm.Serve(t.Context(), os.Stdin, os.Stderr, time.Now))
}

// crowd is very many devices, in a process of their own.
type crowd struct {
	t       testing.TB
	o       *org
	product record.ID
	orders  *json.Encoder
	answers *json.Decoder
	healthy int
	mark    int
}

func (o *org) crowd(t testing.TB) *crowd {
	t.Helper()
	c := &crowd{t: t, o: o, product: newID()}
	o.commit(record.Edit{Op: record.OpCreate, Kind: "product", ID: c.product, Set: values("name", "酱油", "code", "P1")})
	cmd := exec.CommandContext(context.Background(), os.Args[0], "-test.run=^TestChild_swarm$", "-test.timeout=30m")
	cmd.Env = append(os.Environ(), "ROADBOOK_CHILD=swarm")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	c.orders, c.answers = json.NewEncoder(in), json.NewDecoder(out)
	return c
}

func (c *crowd) tell(o swarm.Order) (a swarm.Answer) {
	c.t.Helper()
	require.NoError(c.t, c.orders.Encode(o))
	require.NoError(c.t, c.answers.Decode(&a))
	return a
}

// seats are so many devices of three people, one in a hundred of them slow.
func (c *crowd) seats(n int) []swarm.Seat {
	c.t.Helper()
	seats := make([]swarm.Seat, n)
	var work errgroup.Group
	work.SetLimit(4)
	for i := range seats {
		work.Go(func() error {
			d := c.o.device([]string{"lin", "zhou", "chen"}[i%3])
			seats[i] = swarm.Seat{Token: d.token, Cursor: d.cursor, Replica: string(d.replica), Slow: i%100 == 99}
			return nil
		})
	}
	require.NoError(c.t, work.Wait())
	for _, s := range seats {
		if !s.Slow {
			c.healthy++
		}
	}
	return seats
}

// change marks what everybody holds, and returns when.
func (c *crowd) change() time.Time {
	c.t.Helper()
	c.mark++
	begun := time.Now()
	c.o.commit(record.Edit{Op: record.OpEdit, Kind: "product", ID: c.product, Set: values("name", swarm.MarkText(c.mark))})
	return begun
}

// reaches makes sure that the last change comes to everybody who listens.
func (c *crowd) reaches(since time.Time, what string) swarm.Answer {
	c.t.Helper()
	a := c.tell(swarm.Order{
		Do: "await", Mark: c.mark, Devices: c.healthy, SinceNS: since.UnixNano(), WithinMS: int(patience.Milliseconds()),
	})
	require.Equal(c.t, c.healthy, a.Heard, "%s: %+v", what, a)
	require.Zero(c.t, a.Closed, "%s: healthy sockets were closed: %+v", what, a)
	require.Zero(c.t, a.Failed, "%s: %+v", what, a)
	c.t.Logf("%s: p50 %v, p99 %v, last %v", what, a.P50, a.P99, a.Max)
	return a
}

// Case 15: ten thousand sockets, some of which read a byte a second, a storm of
// those who come back, and bombs. No healthy one is closed or misses a page.
func TestCase_aCrowdOfSockets(t *testing.T) {
	t.Parallel()

	n := sockets
	if more, err := strconv.Atoi(os.Getenv("ROADBOOK_SOCKETS")); err == nil {
		n = more
	}
	s := newServer(t)
	o := s.newOrg("acme")
	c := o.crowd(t)
	seats := c.seats(n)
	before := weigh()
	c.tell(swarm.Order{Do: "open", URL: "ws" + s.http.URL[len("http"):] + "/v1/sync/live", Seats: seats})
	c.reaches(c.change(), "the first change")
	if n > sockets {
		t.Logf("an idle socket is %v", weigh().less(before, n))
	}

	const changes = 5
	spent := processor(t)
	for range changes {
		c.reaches(c.change(), "a change")
	}
	t.Logf("%v of the server's processor time for a socket and a change", (processor(t)-spent)/time.Duration(changes*n))
	for range 50 {
		c.change()
	}
	c.reaches(c.change(), "fifty at once and one more")

	bombs := make(chan struct{})
	go func() {
		defer close(bombs)
		c.bombs()
	}()
	storm := make(chan swarm.Answer, 1)
	go func() { storm <- c.tell(swarm.Order{Do: "storm"}) }()
	for range 10 {
		c.change()
	}
	<-bombs
	require.Zero(t, (<-storm).Failed)
	c.reaches(c.change(), "after a storm")
	stats := s.hub.Stats()
	t.Logf("%d pages, %d of them from what was read for all, %d wakes, %d cut for being slow",
		stats.Frames.Load(), stats.Shared.Load(), stats.Wakes.Load(), stats.Slow.Load())
}

// bombs are a body that grows when it is unpacked, and frames that pretend to
// be compressed.
func (c *crowd) bombs() {
	d := c.o.device("lin")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.Copy(z, io.LimitReader(spaces{}, 32<<20))
	_ = z.Close()
	for range 4 {
		r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.o.s.http.URL+"/v1/sync/push", bytes.NewReader(packed.Bytes()))
		if err != nil {
			return
		}
		r.Header.Set("Authorization", "Bearer "+d.token)
		r.Header.Set("Content-Encoding", "gzip")
		if res, err := http.DefaultClient.Do(r); err == nil {
			_ = res.Body.Close()
		}
		conn, res, err := d.dial(d.token)
		if err != nil {
			return
		}
		_ = res.Body.Close()
		_, _ = conn.NetConn().Write([]byte{0xc1, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}) // 4 GB, compressed
		_, _, _ = conn.ReadMessage()
		_ = conn.Close()
		if conn, res, err := d.dial(d.token); err == nil {
			_ = res.Body.Close()
			_ = conn.WriteMessage(websocket.TextMessage, bytes.Repeat([]byte(" "), 1<<20))
			_ = conn.Close()
		}
	}
}

type spaces struct{}

func (spaces) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

// processor is the time that this process has had of it: what remains true when
// others want it too.
func processor(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// weight is what a process holds.
type weight struct {
	heap, stacks, rss int64
}

func weigh() weight {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	w := weight{heap: int64(m.HeapAlloc), stacks: int64(m.StackInuse)}
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		fields := strings.Fields(string(text))
		pages, _ := strconv.ParseInt(fields[1], 10, 64)
		w.rss = pages * int64(os.Getpagesize())
	}
	return w
}

func (w weight) less(o weight, n int) string {
	each := func(a, b int64) float64 { return float64(a-b) / float64(n) / 1024 }
	return fmt.Sprintf("%.1f KB on the heap, %.1f KB of stacks, %.1f KB resident", each(w.heap, o.heap), each(w.stacks, o.stacks), each(w.rss, o.rss))
}
