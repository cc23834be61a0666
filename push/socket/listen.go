package socket

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"

	"github.com/gorilla/websocket"

	"roadbook/sync/wire"
)

// firstBytes are read without an ear: a ping is hardly longer.
const firstBytes = 32

// idle waits until the device says something. It does nothing else, so that its
// goroutine keeps the smallest stack there is: whatever needs more has a
// goroutine of its own, after which this one begins anew.
func (s *socket) idle() {
	n, err := s.conn.Read(s.first[:])
	if err != nil {
		go s.gone()
		return
	}
	go s.listen(n)
}

// gone leaves the room.
func (s *socket) gone() {
	_ = s.conn.Close()
	s.hub.leave(s)
}

// listen hears what the device says, of which the first bytes have come.
func (s *socket) listen(n int) {
	in := listenTo(s.conn, s.first[:n])
	defer in.over()
	for in.more() {
		op, text, err := in.message()
		if wrong, ok := errors.AsType[violation](err); ok {
			s.end(int(wrong))
			_, err = io.Copy(io.Discard, s.conn) // until that has been said
		}
		if err != nil {
			s.gone()
			return
		}
		s.hear(op, text)
	}
	go s.idle()
}

// hear takes in a message.
func (s *socket) hear(op int, text []byte) {
	switch op {
	case opClose:
		s.end(parting(text))
	case opPing:
		s.ping(text)
	case opPong:
	default:
		var said wire.LiveRequest
		if op != opText || json.Unmarshal(text, &said) != nil || len(said.Replica) > wire.MaxName {
			s.end(CloseMalformed) // and hear on until that has been said
			return
		}
		s.heed(said)
	}
}

// parting is the code with which a device is answered that says goodbye: its own.
func parting(text []byte) int {
	if len(text) == 0 {
		return websocket.CloseNoStatusReceived
	}
	if len(text) > 1 {
		code := int(binary.BigEndian.Uint16(text))
		if code >= websocket.CloseNormalClosure && code <= websocket.CloseUnsupportedData || code >= 3000 && code <= 4999 {
			return code
		}
	}
	return websocket.CloseProtocolError
}

// ping is answered with what it says; the last one counts.
func (s *socket) ping(text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.echo = append(make([]byte, 0, len(text)), text...)
	s.begin()
}

func (s *socket) heed(said wire.LiveRequest) {
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
