package device

import (
	"context"
	"sync"
	"sync/atomic"
)

// talk lets one talk with the server at a time. One that only waits for news
// gives way to any other.
type talk struct {
	mu      sync.Mutex
	wanted  atomic.Int32
	waiting atomic.Pointer[context.CancelFunc]
}

// Lock begins a talk, and ends a wait.
func (t *talk) Lock() {
	t.wanted.Add(1)
	defer t.wanted.Add(-1)
	if end := t.waiting.Load(); end != nil {
		(*end)()
	}
	t.mu.Lock()
}

// Unlock ends a talk.
func (t *talk) Unlock() { t.mu.Unlock() }

// wait begins a talk that gives way: its context ends when somebody else wants
// to talk. free says whether nobody does already.
func (t *talk) wait(ctx context.Context) (waiting context.Context, free bool) {
	t.mu.Lock()
	waiting, end := context.WithCancel(ctx)
	t.waiting.Store(&end)
	return waiting, t.wanted.Load() == 0
}

// waited ends it.
func (t *talk) waited() {
	(*t.waiting.Swap(nil))()
	t.mu.Unlock()
}
