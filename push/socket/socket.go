package socket

import (
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
	asked   string          // the cursor that the device has just said: it may be behind
	replica version.Replica // under which it writes
	seat    *seat           // where it stands; nil while only it knows
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

func (s *socket) due() bool { return s.code != 0 || s.pinged || s.asked != "" || s.head > s.told }

// seated is where the device stands, if that is known.
func (s *socket) seated() *seat {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seat
}

// task is the next thing to say.
type task struct {
	code    int
	pong    bool
	cursor  string // read a page from here
	replica version.Replica
	seat    *seat // tell this one what has happened
	head    record.Seq
}

// next takes the next task, or lets go of the socket.
func (s *socket) next() (t task, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t = task{replica: s.replica, head: s.head}
	switch {
	case s.code != 0:
		t.code = s.code // and nobody writes after that
	case s.pinged:
		s.pinged, t.pong = false, true
	case s.asked != "":
		t.cursor = s.asked
		s.asked, s.told, s.seat = "", s.head, nil
	case s.head > s.told:
		s.told, t.seat = s.head, s.seat
	default:
		s.held = false
		return t, false
	}
	return t, true
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
			err = s.read(t)
		case t.seat != nil:
			err = s.tell(t)
		default:
			err = s.wake(t.head)
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
	s.hub.Metrics.Woke("socket", 1)
	frame := append([]byte(`{"t":"wake","seq":"`), strconv.FormatInt(int64(head), 10)...)
	return s.send(append(frame, `"}`...))
}

// read sends what a pull from where the device stands would answer. A device
// that is too far behind for one frame, or that must start over, is woken.
func (s *socket) read(t task) error {
	page, seat, err := s.hub.sit(s.who, t)
	if err != nil && errs.KindOf(err) == errs.Internal {
		s.hub.Log.Error("a page for a socket", telemetry.KeyErr, err)
	}
	if err != nil || seat == nil || len(page) > maxFrameBytes {
		return s.wake(t.head)
	}
	if !s.stands(seat) || wire.Quiet(page) {
		return nil
	}
	return s.page(t.cursor, page)
}

// tell sends what has happened, as it was read for all, or else as a pull
// reads it. A device that has been behind for too long is woken.
func (s *socket) tell(t task) error {
	for at := t.seat; at.Upto() < t.head; {
		st := s.room.after(at.Upto())
		if st == nil {
			s.stands(nil)
			return s.wake(t.head)
		}
		page, next, ok := s.hub.Line.Tell(at, st, maxFrameBytes)
		if !ok {
			t.cursor = at.Cursor()
			return s.read(t)
		}
		if !s.stands(next) {
			return nil // it has said another cursor meanwhile
		}
		if page != nil {
			s.hub.stats.Shared.Add(1)
			if err := s.page(at.Cursor(), page); err != nil {
				return err
			}
		}
		at = next
	}
	return nil
}

func (s *socket) page(from string, page []byte) error {
	s.hub.stats.Frames.Add(1)
	return s.send(wire.AppendChanges(nil, from, page))
}

// stands keeps where the device stands, unless it has said something else.
func (s *socket) stands(at *seat) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked != "" {
		return false
	}
	if s.seat = at; at != nil {
		s.told = max(s.told, at.Upto())
	}
	return true
}

func (s *socket) send(frame []byte) error {
	if err := s.conn.SetWriteDeadline(s.hub.Now().Add(writeWithin)); err != nil {
		return err
	}
	return s.conn.WriteMessage(websocket.TextMessage, frame)
}

// close says goodbye. The device may not be there to hear it.
func (s *socket) close(code int) {
	s.hub.Metrics.SocketDropped(reasons[code])
	deadline := s.hub.Now().Add(writeWithin)
	_ = s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reasons[code]), deadline)
	_ = s.conn.Close()
}

// cut ends a socket that does not take what it is told.
func (s *socket) cut(err error) {
	if slow, ok := err.(net.Error); ok && slow.Timeout() { //nolint:errorlint // gorilla hands it on as it is
		s.hub.stats.Slow.Add(1)
		s.hub.Metrics.SocketDropped("slow")
	}
	_ = s.conn.Close()
}

// listen hears the device until it goes.
func (s *socket) listen() {
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
		s.asked, s.replica, s.seat = said.Cursor, said.Replica, nil
	}
	s.begin()
}
