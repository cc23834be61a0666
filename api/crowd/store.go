package crowd

import (
	"io"
	"sync/atomic"
	"time"
)

// storeAfter is when to come again if memory is short: by then a body has come
// through that was under way, or was cut off.
const storeAfter = 5 * time.Second

// Store counts the bytes that requests hold in memory, all together, and says
// no to more than there is room for. It bounds what a thousand slow senders, and
// takers, can make the server keep.
type Store struct {
	most int64
	held atomic.Int64
}

// NewStore has room for so many bytes.
func NewStore(most int64) *Store { return &Store{most: most} }

// Held is how many bytes are held.
func (s *Store) Held() int64 { return s.held.Load() }

// Share is what one request holds.
type Share struct {
	store *Store
	held  int64
}

// Share begins with nothing held.
func (s *Store) Share() *Share { return &Share{store: s} }

// Take holds n bytes more. What is over the limit is not held.
func (p *Share) Take(n int) error {
	if p.store.held.Add(int64(n)) > p.store.most {
		p.store.held.Add(-int64(n))
		return &Full{After: storeAfter}
	}
	p.held += int64(n)
	return nil
}

// Hold holds n bytes more that are there already, whether or not there is room.
func (p *Share) Hold(n int) {
	p.store.held.Add(int64(n))
	p.held += int64(n)
}

// Free gives everything back.
func (p *Share) Free() {
	p.store.held.Add(-p.held)
	p.held = 0
}

// Reader holds what is read of r.
func (p *Share) Reader(r io.Reader) io.Reader { return &reader{p, r} }

type reader struct {
	share *Share
	from  io.Reader
}

func (r *reader) Read(b []byte) (int, error) {
	n, err := r.from.Read(b)
	if short := r.share.Take(n); short != nil {
		return 0, short
	}
	return n, err
}
