package sync_test

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
)

// fuse cuts the connection to the database at the k-th thing that a server
// says to it: before it is said, or when the database has answered and the
// answer is on its way.
type fuse struct {
	mu    sync.Mutex
	left  int // 0: not armed
	after bool
	blown bool
}

var errCut = &net.OpError{Op: "write", Net: "unix", Err: syscall.EPIPE}

func (f *fuse) arm(k int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.blown = k, false
}

// spent disarms it and reports whether it has blown.
func (f *fuse) spent() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = 0
	return f.blown
}

// burns counts one word to the database and reports whether it is the last.
func (f *fuse) burns() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left == 0 {
		return false
	}
	f.left--
	f.blown = f.blown || f.left == 0
	return f.left == 0
}

// fused is a connection with a fuse.
type fused struct {
	net.Conn

	fuse *fuse
	dead bool // what is read next is lost
}

func (c *fused) Write(b []byte) (int, error) {
	if c.fuse.burns() {
		if !c.fuse.after {
			_ = c.Close()
			return 0, errCut
		}
		c.dead = true
	}
	return c.Conn.Write(b)
}

func (c *fused) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.dead {
		_ = c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

// unsteady cuts a connection now and then.
type unsteady struct {
	mu  sync.Mutex
	rng *rand.Rand
	cut int
}

func (u *unsteady) cuts() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.cut
}

// over gives a connection a fuse of random length.
func (u *unsteady) over(conn net.Conn) net.Conn {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.cut++
	f := &fuse{after: u.rng.IntN(2) == 0}
	f.arm(20 + u.rng.IntN(60))
	return &fused{Conn: conn, fuse: f}
}
