package socket

import (
	"net"
	"sync"
	"syscall"

	"roadbook/access"
	"roadbook/record"
	"roadbook/version"
)

// socket is one device that listens.
type socket struct {
	hub  *Hub
	room *room
	who  access.Caller
	conn net.Conn
	raw  syscall.RawConn // of conn, nil if it has none

	mu      sync.Mutex
	held    bool            // somebody writes, or it is not open yet
	pinged  bool            // it waits for a pong of ours
	head    record.Seq      // how far the log goes
	told    record.Seq      // up to here the device has been told, one way or the other
	asked   string          // the cursor that the device has just said: it may be behind
	replica version.Replica // under which it writes
	seat    *seat           // where it stands; nil while only it knows
	echo    []byte          // what it wants to hear back in a websocket's own pong
	code    int             // with which it is to be closed, 0 for not

	first [firstBytes]byte // of what it says next
}

// moved hears that the log goes further, and reports whether whoever says so is
// to write.
func (s *socket) moved(head record.Seq) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head = max(s.head, head)
	if s.held || !s.due() {
		return false
	}
	s.held = true
	return true
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
func (s *socket) open(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := conn.(syscall.Conn); ok {
		s.raw, _ = c.SyscallConn()
	}
	s.conn, s.held = conn, false
	s.begin()
}

func (s *socket) due() bool {
	return s.code != 0 || s.pinged || s.echo != nil || s.asked != "" || s.head > s.told
}

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
	echo    []byte
	cursor  string // read a page from here
	replica version.Replica
	seat    *seat // tell this one what has happened
	head    record.Seq
}

// next takes the next task, or lets go of the socket. One for which one must
// wait is left to somebody patient, who begins at once.
func (s *socket) next(patient bool) (t task, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t = task{replica: s.replica, head: s.head}
	switch {
	case (s.code != 0 || s.asked != "") && !patient:
		go s.write()
		return t, false
	case s.code != 0:
		t.code = s.code // and nobody writes after that
	case s.echo != nil:
		t.echo, s.echo = s.echo, nil
	case s.pinged:
		s.pinged, t.pong = false, true
	case s.asked != "":
		t.cursor = s.asked
		s.asked, s.told, s.seat = "", s.head, nil
	case s.head > s.told && s.seat != nil:
		t.seat = s.seat
	case s.head > s.told:
		s.told = s.head
	default:
		s.held = false
		return t, false
	}
	return t, true
}

// stands keeps where the device stands, unless it has said something else.
func (s *socket) stands(at *seat) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked != "" {
		return false
	}
	s.seat = at
	s.told = max(s.told, at.Upto())
	return true
}

// ask has a page read as if the device had said where it stands, unless it has
// meanwhile.
func (s *socket) ask(cursor string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == "" {
		s.asked, s.seat = cursor, nil
	}
}

// lost forgets where the device stands: it is woken.
func (s *socket) lost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told, s.seat = max(s.told, s.head), nil
}
