// Package swarm is very many devices that listen, in one process: for tests and
// for the bench. They hold no records; each goes from cursor to cursor, and
// notices when something marked has reached it, or when a page does not go on
// from where it stands.
package swarm

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// Mark begins a text that the swarm looks for, in whatever field; a number of
// six digits follows it. Numbers grow.
const Mark = "mark-"

const markDigits = 6

// MarkText is the text of one mark.
func MarkText(n int) string {
	digits := strconv.Itoa(n)
	return Mark + "000000"[min(len(digits), markDigits):] + digits
}

// Limits of a swarm.
const (
	dialsAtOnce = 64
	dialWithin  = 30 * time.Second
	slowBuffer  = 2 << 10 // what the kernel takes for a device that reads byte by byte
)

// Seat is a device that is signed in and has pulled everything.
type Seat struct {
	Token   string `json:"token"`
	Cursor  string `json:"cursor"` // empty: it is only woken
	Replica string `json:"replica"`
	Slow    bool   `json:"slow,omitempty"` // it reads a byte a second
}

// Swarm is many devices on one server.
type Swarm struct {
	url    string
	now    func() time.Time
	events chan event
	done   context.Context //nolint:containedctx // the life of the swarm
	end    context.CancelFunc
	over   sync.WaitGroup

	bees []*bee
	Counts
}

// Counts are what has happened to the healthy devices so far.
type Counts struct {
	Open   atomic.Int64
	Pages  atomic.Int64
	Wakes  atomic.Int64
	Strays atomic.Int64 // pages that did not go on from where the device stood, and were left
	Closed atomic.Int64 // sockets that ended, and it was not us
	Slow   atomic.Int64 // slow ones that were cut
	Failed atomic.Int64 // sockets that could not be opened
}

// event is a mark that has reached a device.
type event struct {
	mark int
	at   time.Time
}

// New is a swarm that has not opened anything.
func New(url string, seats []Seat, now func() time.Time) *Swarm {
	s := &Swarm{url: url, now: now, events: make(chan event, 4*len(seats)+1024)}
	s.done, s.end = context.WithCancel(context.Background())
	for _, seat := range seats {
		s.bees = append(s.bees, &bee{s: s, Seat: seat})
	}
	return s
}

// Healthy is how many devices read what they are told.
func (s *Swarm) Healthy() (n int) {
	for _, b := range s.bees {
		if !b.Slow {
			n++
		}
	}
	return n
}

// Open opens the sockets that are not, some dozens at a time.
func (s *Swarm) Open() {
	var dialing sync.WaitGroup
	free := make(chan struct{}, dialsAtOnce)
	for _, b := range s.bees {
		free <- struct{}{}
		dialing.Go(func() {
			defer func() { <-free }()
			b.open()
		})
	}
	dialing.Wait()
}

// Storm breaks every socket off, as when a mast fails, and opens all of them
// again at once.
func (s *Swarm) Storm() {
	for _, b := range s.bees {
		b.leave()
	}
	s.Open()
}

// Await waits until a mark has reached so many devices, and returns when it
// reached each.
func (s *Swarm) Await(ctx context.Context, mark, devices int) []time.Time {
	var at []time.Time
	for len(at) < devices {
		select {
		case e := <-s.events:
			if e.mark == mark {
				at = append(at, e.at)
			}
		case <-ctx.Done():
			return at
		}
	}
	return at
}

// Close closes everything.
func (s *Swarm) Close() {
	s.end()
	for _, b := range s.bees {
		b.leave()
	}
	s.over.Wait()
}

// bee is one device.
type bee struct {
	Seat
	s    *Swarm
	mu   sync.Mutex
	conn *websocket.Conn
	over chan struct{} // closed when nobody reads from it any more
	mark int           // the last it has heard of
}

func (b *bee) open() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn != nil || b.s.done.Err() != nil {
		return
	}
	dialer := websocket.Dialer{HandshakeTimeout: dialWithin, ReadBufferSize: 1 << 10, WriteBufferSize: 512}
	if b.Slow {
		dialer.NetDialContext = dialNarrow
	}
	conn, res, err := dialer.DialContext(b.s.done, b.s.url, http.Header{"Authorization": {"Bearer " + b.Token}})
	if res != nil {
		_ = res.Body.Close()
	}
	if err == nil {
		err = b.say(conn)
	}
	if err != nil {
		b.s.Failed.Add(1)
		return
	}
	b.conn, b.over = conn, make(chan struct{})
	b.s.Counts.Open.Add(1)
	over := b.over
	b.s.over.Go(func() {
		defer close(over)
		if b.Slow {
			b.dribble(conn)
		} else {
			b.read(conn)
		}
	})
}

// say tells where the device stands, and is answered with what it has missed.
func (b *bee) say(conn *websocket.Conn) error {
	if b.Cursor == "" {
		return nil
	}
	return conn.WriteJSON(map[string]string{"t": "cursor", "cursor": b.Cursor, "replica": b.Replica})
}

// dialNarrow connects with as small a buffer as the kernel allows.
func dialNarrow(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(slowBuffer)
	}
	return conn, err
}

// leave breaks off without a word, and returns when nothing is read any more:
// a slow one reads until its next second.
func (b *bee) leave() {
	b.mu.Lock()
	over := b.over
	if b.conn != nil {
		_ = b.conn.Close()
		b.conn = nil
		b.s.Counts.Open.Add(-1)
	}
	b.mu.Unlock()
	if over != nil && !b.Slow {
		<-over
	}
}

// gone notices that the server has ended a socket.
func (b *bee) gone(conn *websocket.Conn, count *atomic.Int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn == conn {
		b.conn = nil
		b.s.Counts.Open.Add(-1)
		count.Add(1)
	}
	_ = conn.Close()
}

// dribble reads a byte a second.
func (b *bee) dribble(conn *websocket.Conn) {
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	one := make([]byte, 1)
	for {
		select {
		case <-b.s.done.Done():
			return
		case <-ticks.C:
		}
		if _, err := conn.NetConn().Read(one); err != nil {
			b.gone(conn, &b.s.Slow)
			return
		}
	}
}

var (
	changes = []byte(`{"t":"changes","from":"`)
	cursor  = []byte(`"cursor":"`)
	marker  = []byte(Mark)
)

// read goes from page to page.
func (b *bee) read(conn *websocket.Conn) {
	for {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			b.gone(conn, &b.s.Closed)
			return
		}
		at := b.s.now()
		if !bytes.HasPrefix(frame, changes) {
			b.s.Wakes.Add(1)
			_ = b.say(conn) // in place of a pull; if it fails, so does the next read
			continue
		}
		b.s.Pages.Add(1)
		if !b.take(frame, at) {
			b.s.Strays.Add(1)
			_ = b.say(conn)
		}
	}
}

// take goes on with a page, unless it is from where the device does not stand:
// one that was built before its last word was heard.
func (b *bee) take(frame []byte, at time.Time) bool {
	from, rest, _ := bytes.Cut(frame[len(changes):], []byte{'"'})
	if string(from) != b.Cursor {
		return false
	}
	if i := bytes.LastIndex(rest, cursor); i >= 0 {
		next, _, _ := bytes.Cut(rest[i+len(cursor):], []byte{'"'})
		b.Cursor = string(next)
	}
	i := bytes.LastIndex(rest, marker)
	if i < 0 || len(rest) < i+len(marker)+markDigits {
		return true
	}
	n, err := strconv.Atoi(string(rest[i+len(marker) : i+len(marker)+markDigits]))
	if err == nil && n > b.mark {
		b.mark = n
		b.s.events <- event{n, at}
	}
	return true
}
