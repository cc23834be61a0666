package socket

import (
	"context"
	"encoding/json"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/telemetry"
	"roadbook/version"
)

// socket is one device that listens.
type socket struct {
	hub   *Hub
	room  *room
	who   access.Caller
	until time.Time // when its token runs out
	conn  *websocket.Conn

	mu      sync.Mutex
	held    bool            // somebody writes, or it is not open yet
	head    record.Seq      // how far the log goes
	told    record.Seq      // up to here the device has been told, one way or the other
	cursor  string          // where the device stands; "" while only it knows
	asked   bool            // it has just said so: it may be behind
	replica version.Replica // under which it writes
	pinged  bool
	code    int // with which it is to be closed, 0 for not
}

// moved hears that the log goes further.
func (s *socket) moved(head record.Seq) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head = max(s.head, head)
	s.begin()
}

// end closes the socket when what is being written has been.
func (s *socket) end(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code == 0 {
		s.code = code
	}
	s.begin()
}

// drop cuts a socket without a word.
func (s *socket) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		_ = s.conn.Close()
	}
}

// begin starts a writer if there is something to say and nobody writes.
func (s *socket) begin() {
	if !s.held && s.due() {
		s.held = true
		go s.write()
	}
}

// open lets somebody write, now that there is somebody to write to.
func (s *socket) open(conn *websocket.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.held = conn, false
	s.begin()
}

func (s *socket) due() bool { return s.code != 0 || s.pinged || s.asked || s.head > s.told }

// task is the next thing to say.
type task struct {
	code    int
	pong    bool
	cursor  string // build a page from here
	replica version.Replica
	wake    record.Seq
}

// next takes the next task, or lets go of the socket.
func (s *socket) next() (t task, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.code != 0:
		return task{code: s.code}, true // and nobody writes after that
	case s.pinged:
		s.pinged = false
		return task{pong: true}, true
	case s.cursor != "" && s.due():
		s.asked, s.told = false, s.head
		return task{cursor: s.cursor, replica: s.replica, wake: s.head}, true
	case s.due():
		s.asked, s.told = false, s.head
		return task{wake: s.head}, true
	}
	s.held = false
	return t, false
}

// write says what there is to say, and ends.
func (s *socket) write() {
	for {
		t, more := s.next()
		if !more {
			return
		}
		var err error
		switch {
		case t.code != 0:
			s.close(t.code)
			return
		case t.pong:
			err = s.send(pong)
		case t.cursor != "":
			err = s.page(t)
		default:
			err = s.wake(t.wake)
		}
		if err != nil {
			s.cut(err)
			return
		}
	}
}

var pong = []byte(`{"t":"` + wire.LivePong + `"}`)

func (s *socket) wake(head record.Seq) error {
	s.hub.stats.Wakes.Add(1)
	frame := append([]byte(`{"t":"wake","seq":"`), strconv.FormatInt(int64(head), 10)...)
	return s.send(append(frame, `"}`...))
}

// page sends what a pull from where the device stands would answer. A device
// that is too far behind for one frame, or that must start over, is woken.
func (s *socket) page(t task) error {
	page, err := s.hub.pull(s.who, t)
	if err != nil {
		if kind := errs.KindOf(err); kind == errs.Internal {
			s.hub.Log.Error("a page for a socket", telemetry.KeyErr, err)
		}
		s.lost(t.cursor)
		return s.wake(t.wake)
	}
	if wire.Quiet(page) {
		return nil
	}
	place, ok := placeOf(page)
	if !ok || len(page) > maxFrameBytes {
		s.lost(t.cursor)
		return s.wake(t.wake)
	}
	if !s.stands(t.cursor, place) {
		return nil // it has said another cursor meanwhile
	}
	s.hub.stats.Frames.Add(1)
	return s.send(wire.AppendChanges(nil, t.cursor, page))
}

// stands moves the device on from one cursor to the next, if that is where it
// stands.
func (s *socket) stands(from, to string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cursor != from {
		return false
	}
	s.cursor = to
	return true
}

// lost leaves it to the device to say where it stands.
func (s *socket) lost(from string) { s.stands(from, "") }

// placeOf is the cursor with which a page goes on, if it is the last one.
func placeOf(page []byte) (cursor string, ok bool) {
	var p struct {
		Cursor   string `json:"cursor"`
		Complete bool   `json:"complete"`
		Filling  bool   `json:"filling"`
	}
	err := json.Unmarshal(page, &p)
	return p.Cursor, err == nil && p.Complete && !p.Filling
}

// pull builds a page, a few at a time.
func (h *Hub) pull(who access.Caller, t task) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), pullWithin)
	defer cancel()
	select {
	case h.pulls <- struct{}{}:
		defer func() { <-h.pulls }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if t.replica == "" {
		var err error
		if t.replica, err = h.Devices.Replica(ctx, who); err != nil {
			return nil, err
		}
	}
	return h.Line.Pull(ctx, who, &wire.PullRequest{Replica: t.replica, Cursor: t.cursor, MaxBytes: maxFrameBytes})
}

func (s *socket) send(frame []byte) error {
	if err := s.conn.SetWriteDeadline(s.hub.Now().Add(writeWithin)); err != nil {
		return err
	}
	return s.conn.WriteMessage(websocket.TextMessage, frame)
}

// close says goodbye. The device may not be there to hear it.
func (s *socket) close(code int) {
	deadline := s.hub.Now().Add(writeWithin)
	_ = s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reasons[code]), deadline)
	_ = s.conn.Close()
}

// cut ends a socket that does not take what it is told.
func (s *socket) cut(err error) {
	if slow, ok := err.(net.Error); ok && slow.Timeout() { //nolint:errorlint // gorilla hands it on as it is
		s.hub.stats.Slow.Add(1)
	}
	_ = s.conn.Close()
}

// read hears the device until it goes.
func (s *socket) read() {
	defer s.hub.leave(s)
	defer func() { _ = s.conn.Close() }()
	for {
		kind, text, err := s.conn.ReadMessage()
		if err != nil {
			return
		}
		var said wire.LiveRequest
		if kind != websocket.TextMessage || json.Unmarshal(text, &said) != nil || len(said.Replica) > wire.MaxName {
			s.end(CloseMalformed) // and hear on until that has been said
			continue
		}
		s.hear(said)
	}
}

func (s *socket) hear(said wire.LiveRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch said.T {
	case wire.LivePing:
		s.pinged = true
	case wire.LiveCursor:
		s.cursor, s.replica, s.asked = said.Cursor, said.Replica, said.Cursor != ""
	}
	s.begin()
}
