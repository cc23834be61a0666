package socket

import (
	"encoding/binary"
	"io"
	"sync"

	"github.com/gorilla/websocket"
)

// violation is what a device does that does not speak websocket; the number is
// the close code with which it is told.
type violation int

func (violation) Error() string { return "these are no frames of a websocket" }

// said is what a device is saying. It is lent to a socket only while something
// comes, so that an idle one has no buffer.
type said struct {
	conn io.Reader
	b    []byte // in room: read, and not yet looked at
	kind int    // of a message that comes in pieces; 0 between two
	text []byte // its pieces so far
	room [maxSaidBytes + headBytes + maskBytes]byte
}

var ears = sync.Pool{New: func() any { return new(said) }}

// listenTo borrows an ear for a connection of which the first bytes have come.
func listenTo(conn io.Reader, first []byte) *said {
	s, _ := ears.Get().(*said)
	s.conn, s.kind, s.text = conn, 0, nil
	s.b = s.room[:copy(s.room[:], first)]
	return s
}

// over gives it back.
func (s *said) over() {
	s.conn, s.text = nil, nil
	ears.Put(s)
}

// more reports whether something has come that is not a whole message yet, or
// not looked at.
func (s *said) more() bool { return len(s.b) > 0 || s.kind != 0 }

// message is the next message, or a control frame, which may come between the
// pieces of one. The text is overwritten by the next.
func (s *said) message() (op int, text []byte, err error) {
	for {
		first, text, err := s.frame()
		if err != nil {
			return 0, nil, err
		}
		op, last := int(first&opBits), first&finBit != 0
		switch {
		case op == opClose || op == opPing || op == opPong:
			return op, text, nil
		case op != opMore && op != opText && op != opBytes, (op == opMore) != (s.kind != 0):
			return 0, nil, violation(websocket.CloseProtocolError)
		case op != opMore && last:
			return op, text, nil
		case op != opMore:
			s.kind = op
		}
		s.text = append(s.text, text...)
		if last {
			op, text = s.kind, s.text
			s.kind, s.text = 0, nil
			return op, text, nil
		}
	}
}

// frame is the next frame: its first byte and its text.
func (s *said) frame() (first byte, text []byte, err error) {
	if err := s.need(2); err != nil {
		return 0, nil, err
	}
	first, size, at := s.b[0], uint64(s.b[1]&lenBits), 2
	control := first&opBits >= controlOp
	if s.b[1]&maskBit == 0 || first&^(finBit|opBits) != 0 || control && (size >= len16 || first&finBit == 0) {
		return 0, nil, violation(websocket.CloseProtocolError)
	}
	switch size {
	case len16:
		at += 2
	case len64:
		at += 8
	}
	if err := s.need(at + maskBytes); err != nil {
		return 0, nil, err
	}
	switch size {
	case len16:
		size = uint64(binary.BigEndian.Uint16(s.b[2:]))
	case len64:
		size = binary.BigEndian.Uint64(s.b[2:])
	}
	if !control && size > uint64(maxSaidBytes-len(s.text)) {
		return 0, nil, violation(websocket.CloseMessageTooBig)
	}
	whole := at + maskBytes + int(size)
	if err := s.need(whole); err != nil {
		return 0, nil, err
	}
	mask, text := s.b[at:at+maskBytes], s.b[at+maskBytes:whole]
	for i := range text {
		text[i] ^= mask[i%maskBytes]
	}
	s.b = s.b[whole:]
	return first, text, nil
}

// need reads until so many bytes are there.
func (s *said) need(n int) error {
	if len(s.b) >= n {
		return nil
	}
	have := copy(s.room[:], s.b)
	for have < n {
		more, err := s.conn.Read(s.room[have:])
		have += more
		if err != nil && have < n {
			return err
		}
	}
	s.b = s.room[:have]
	return nil
}
