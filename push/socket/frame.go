package socket

import (
	"encoding/binary"

	"github.com/gorilla/websocket"
)

// Frames are read and written here and not by gorilla, whose connections keep
// more than a kilobyte for each device and write by way of a timer: RFC 6455,
// 5.2. It still shakes hands, and is who we are tested against.
const (
	opMore  = 0
	opText  = websocket.TextMessage
	opBytes = websocket.BinaryMessage
	opClose = websocket.CloseMessage
	opPing  = websocket.PingMessage
	opPong  = websocket.PongMessage

	finBit    = 0x80
	opBits    = 0x0f
	maskBit   = 0x80
	lenBits   = 0x7f
	len16     = 126 // the length follows in two bytes …
	len64     = 127 // … or in eight
	controlOp = 8   // from here on; short, and in one piece
	maskBytes = 4
	headBytes = 10 // what is kept free for the head of a frame that we write
)

// framed puts the head of a frame before its text, which begins at headBytes,
// and returns the frame.
func framed(b []byte, op int) []byte {
	n, at := len(b)-headBytes, headBytes-2
	switch {
	case n < len16:
		b[at+1] = byte(n)
	case n <= 0xffff:
		at -= 2
		b[at+1] = len16
		binary.BigEndian.PutUint16(b[at+2:], uint16(n))
	default:
		at -= 8
		b[at+1] = len64
		binary.BigEndian.PutUint64(b[at+2:], uint64(n))
	}
	b[at] = finBit | byte(op)
	return b[at:]
}
