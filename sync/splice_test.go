package sync_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

// fate is where in a statement the connection to the database is cut.
type fate string

const (
	before fate = "before it arrives"            // what stood in front of it has
	within fate = "when it has arrived"          // it may run, but nothing behind it is sent and nothing is heard
	behind fate = "when all of it has been sent" // everything runs, and nothing is heard
	frozen fate = "the server stands still"      // before the word that it is in, until it thaws
	halved fate = "it stands still in the midst" // when half of the statement has been sent, until it thaws
)

// splice cuts the connection at the n-th statement that a server sends. A
// commit is sent as many statements in one word, so it looks into the word:
// PostgreSQL gets the first part of it and then nothing.
type splice struct {
	mu    sync.Mutex
	fate  fate
	left  int // 0: not armed
	blown bool

	stands, thaw chan struct{} // of one that is frozen
	release      func()
}

func newFrozen(how fate) *splice {
	s := &splice{fate: how, stands: make(chan struct{}), thaw: make(chan struct{})}
	s.release = sync.OnceFunc(func() { close(s.thaw) })
	return s
}

// arm begins to count.
func (s *splice) arm(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left, s.blown = n, false
}

// spent ends that and reports whether it has cut.
func (s *splice) spent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = 0
	return s.blown
}

// counts reports whether a message is the one: a Query, or an Execute.
func (s *splice) counts(kind byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 || kind != 'Q' && kind != 'E' {
		return false
	}
	s.left--
	if s.left == 0 {
		s.blown = true
	}
	return s.left == 0
}

// spliced is a connection that is cut so.
type spliced struct {
	net.Conn

	splice  *splice
	greeted bool // the first message has no kind
	dead    bool // what is read next is lost
}

// Write implements net.Conn. The driver writes whole messages.
func (c *spliced) Write(b []byte) (int, error) {
	if !c.greeted {
		c.greeted = true
		return c.Conn.Write(b)
	}
	for at := 0; at < len(b); {
		size := 1 + int(binary.BigEndian.Uint32(b[at+1:]))
		if at+size > len(b) {
			return 0, fmt.Errorf("a part of a message: %d of %d bytes", len(b)-at, size)
		}
		end := at + size
		if c.splice.counts(b[at]) {
			return c.part(b, at, end)
		}
		at = end
	}
	return c.Conn.Write(b)
}

func (c *spliced) part(b []byte, at, end int) (int, error) {
	switch c.splice.fate {
	case before:
		_, _ = c.Conn.Write(b[:at])
	case within:
		_, _ = c.Conn.Write(b[:end])
	case frozen:
		close(c.splice.stands)
		<-c.splice.thaw
		return c.Conn.Write(b)
	case halved:
		half := (at + end) / 2
		if n, err := c.Conn.Write(b[:half]); err != nil {
			return n, err
		}
		close(c.splice.stands)
		<-c.splice.thaw
		n, err := c.Conn.Write(b[half:])
		return half + n, err
	default:
		c.dead = true
		return c.Conn.Write(b)
	}
	c.hangUp()
	return 0, errCut
}

// hangUp says no more, and waits until PostgreSQL has done what it was told and
// noticed. What it answered is lost.
func (c *spliced) hangUp() {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		_, _ = io.Copy(io.Discard, c.Conn)
	}
	_ = c.Close()
}

// Read implements net.Conn. It waits for the answer, so that what was sent has
// been done.
func (c *spliced) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.dead {
		_ = c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}
