package socket

import (
	"bytes"
	"encoding/binary"
	"net"
	"strconv"
	"time"

	"github.com/gorilla/websocket"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/telemetry"
)

// write says what there is to say, however long it takes, and ends.
func (s *socket) write() {
	p := lend(true)
	defer p.put()
	s.speak(p)
}

// speak says what there is to say. What must wait for the device or for the
// database goes on in a goroutine of its own if the pen is not patient.
func (s *socket) speak(p *pen) {
	for {
		t, more := s.next(p.patient)
		if !more {
			return
		}
		switch err := s.say(p, t); {
		case err == errWait: //nolint:errorlint // it is ours and nobody wraps it
			go s.finish(bytes.Clone(p.left))
			return
		case err != nil:
			s.cut(err)
			return
		case t.code != 0:
			return
		}
	}
}

func (s *socket) say(p *pen, t task) error {
	switch {
	case t.code != 0:
		s.close(p, t.code)
		return nil
	case t.echo != nil:
		return p.send(s, opPong, append(p.begin(), t.echo...))
	case t.pong:
		return p.send(s, opText, append(p.begin(), pong...))
	case t.cursor != "":
		return s.read(p, t)
	case t.seat != nil:
		return s.tell(p, t)
	}
	return s.wake(p, t.head)
}

const pong = `{"t":"` + wire.LivePong + `"}`

func (s *socket) wake(p *pen, head record.Seq) error {
	s.hub.stats.Wakes.Add(1)
	s.hub.Metrics.Woke("socket", 1)
	b := append(p.begin(), `{"t":"wake","seq":"`...)
	return p.send(s, opText, append(strconv.AppendInt(b, int64(head), 10), `"}`...))
}

// read sends what a pull from where the device stands would answer. A device
// that is too far behind for one frame, or that must start over, is woken.
func (s *socket) read(p *pen, t task) error {
	page, at, err := s.hub.sit(s.who, t)
	if err != nil && errs.KindOf(err) == errs.Internal {
		s.hub.Log.Error("a page for a socket", telemetry.KeyErr, err)
	}
	if err != nil || at == nil || len(page) > maxFrameBytes {
		return s.wake(p, t.head)
	}
	if !s.stands(at) || wire.Quiet(page) {
		return nil
	}
	s.hub.stats.Frames.Add(1)
	return p.send(s, opText, wire.AppendChanges(p.begin(), t.cursor, page))
}

// tell sends what has happened next, as it was read for all; what that is not
// enough for is asked for. A device that has been behind for too long is woken.
func (s *socket) tell(p *pen, t task) error {
	st := s.room.after(t.seat.Upto())
	if st == nil {
		s.lost()
		return s.wake(p, t.head)
	}
	frame, next, ok := s.hub.Line.Tell(p.begin(), t.seat, st, maxFrameBytes)
	if !ok {
		s.ask(t.seat.Cursor())
		return nil
	}
	if !s.stands(next) || len(frame) == headBytes {
		return nil // it has said another cursor meanwhile, or there is nothing for it
	}
	s.hub.stats.Frames.Add(1)
	s.hub.stats.Shared.Add(1)
	return p.send(s, opText, frame)
}

// press waits for the device to take what is left of a frame.
func (s *socket) press(left []byte) error {
	if err := s.conn.SetWriteDeadline(s.hub.Now().Add(writeWithin)); err != nil {
		return err
	}
	if _, err := s.conn.Write(left); err != nil {
		return err
	}
	return s.conn.SetWriteDeadline(time.Time{})
}

// finish sends the rest of a frame, and what has become due meanwhile.
func (s *socket) finish(left []byte) {
	if err := s.press(left); err != nil {
		s.cut(err)
		return
	}
	s.write()
}

// close says goodbye. The device may not be there to hear it.
func (s *socket) close(p *pen, code int) {
	b := p.begin()
	if code != websocket.CloseNoStatusReceived {
		b = append(binary.BigEndian.AppendUint16(b, uint16(code)), reasons[code]...)
	}
	if reason := reasons[code]; reason != "" {
		s.hub.Metrics.SocketDropped(reason)
	}
	_ = p.send(s, opClose, b)
	_ = s.conn.Close()
}

// cut ends a socket that does not take what it is told.
func (s *socket) cut(err error) {
	if slow, ok := err.(net.Error); ok && slow.Timeout() { //nolint:errorlint // the connection hands it on as it is
		s.hub.stats.Slow.Add(1)
		s.hub.Metrics.SocketDropped("slow")
	}
	_ = s.conn.Close()
}
