package socket

import (
	"errors"
	"sync"
	"syscall"
)

// pen writes frames. It is lent to whoever writes, so that sockets have no
// buffers.
type pen struct {
	patient bool   // may wait for the device
	b       []byte // a frame; the first headBytes are for its head
	left    []byte // of it, what the kernel has not taken
	err     error
	try     func(fd uintptr) bool
}

// mostPen is as large a buffer as is kept.
const mostPen = 8 << 10

var pens = sync.Pool{New: func() any {
	p := &pen{b: make([]byte, headBytes, 1<<10)}
	p.try = p.write
	return p
}}

// lend gives a pen, to be given back with put.
func lend(patient bool) *pen {
	p, _ := pens.Get().(*pen)
	p.patient = patient
	return p
}

func (p *pen) put() {
	p.left, p.err = nil, nil
	if cap(p.b) <= mostPen {
		pens.Put(p)
	}
}

// begin is where a frame's text is appended.
func (p *pen) begin() []byte { return p.b[:headBytes] }

// errWait says that the device takes no more for now.
var errWait = errors.New("the device must be waited for")

// write hands to the kernel what it takes at once. Most devices take all of a
// frame, and then neither a timer nor a goroutine is needed.
func (p *pen) write(fd uintptr) bool {
	for len(p.left) > 0 {
		n, err := writeNow(fd, p.left)
		if n > 0 {
			p.left = p.left[n:]
			continue
		}
		if err != nil && err != syscall.EAGAIN && err != syscall.EINTR { //nolint:errorlint // of the kernel
			p.err = err
		}
		if err != syscall.EINTR { //nolint:errorlint // of the kernel
			return true
		}
	}
	return true
}

// send sends what was appended to begin. Whoever may not wait gets errWait, and
// what is left.
func (p *pen) send(s *socket, op int, b []byte) error {
	p.b = b
	p.left, p.err = framed(b, op), nil
	if s.raw != nil {
		if err := s.raw.Write(p.try); err != nil {
			return err
		}
	}
	switch {
	case p.err != nil:
		return p.err
	case len(p.left) == 0:
		return nil
	case !p.patient:
		return errWait
	}
	return s.press(p.left)
}
