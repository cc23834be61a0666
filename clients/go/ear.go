package device

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"roadbook/sync/wire"
)

// ear is one socket, while it is open.
type ear struct {
	d     *Device
	conn  *websocket.Conn
	heard func(Report, error)

	alive atomic.Bool // something has come since the last ping
	mouth sync.Mutex  // one writes at a time
}

// watch pings, and gives the socket up when nobody answers or ctx ends.
func (s *ear) watch(ctx context.Context) {
	defer func() { _ = s.conn.Close() }()
	ticks := time.NewTicker(pingEvery)
	defer ticks.Stop()
	for {
		s.alive.Store(false)
		if s.say(ctx, wire.LiveRequest{T: wire.LivePing}) != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			if !s.alive.Load() {
				return
			}
		}
	}
}

// say sends one frame. The deadline comes from a context, so that it is on the
// clock of the network and not on the device's own.
func (s *ear) say(ctx context.Context, frame wire.LiveRequest) error {
	ctx, cancel := context.WithTimeout(ctx, sayWithin)
	defer cancel()
	deadline, _ := ctx.Deadline()
	s.mouth.Lock()
	defer s.mouth.Unlock()
	if err := s.conn.SetWriteDeadline(deadline); err != nil {
		return err
	}
	return s.conn.WriteJSON(frame)
}

// hear says where the device is, and takes in what comes.
func (s *ear) hear(ctx context.Context) error {
	if err := s.where(ctx); err != nil {
		return err
	}
	for {
		_, text, err := s.conn.ReadMessage()
		if err != nil {
			return err
		}
		s.alive.Store(true)
		if err := s.take(ctx, text); err != nil {
			return err
		}
	}
}

// take takes in one frame.
func (s *ear) take(ctx context.Context, text []byte) error {
	var frame struct {
		T    string `json:"t"`
		From string `json:"from"`
	}
	if err := json.Unmarshal(text, &frame); err != nil {
		return err
	}
	switch frame.T {
	case wire.LiveChanges:
		page := &wire.PullAnswer{}
		if err := read(text, page); err != nil {
			return err
		}
		taken, err := s.d.Receive(frame.From, page)
		if taken || err != nil {
			s.heard(Report{Outcomes: page.Outcomes, Pages: 1, Changes: len(page.Changes)}, err)
			return err
		}
		if frame.From != s.d.place().Cursor {
			return s.where(ctx) // a pull was faster
		}
		return s.pull(ctx) // it cannot be applied as it is: pages are staged, a journal is to be healed
	case wire.LiveWake:
		return s.pull(ctx)
	}
	return nil
}

func (s *ear) pull(ctx context.Context) error {
	r, err := s.d.Pull(ctx)
	s.heard(r, err)
	if err != nil {
		return err
	}
	return s.where(ctx)
}

// where says how far the device is.
func (s *ear) where(ctx context.Context) error { return s.say(ctx, s.d.place()) }

func (d *Device) place() wire.LiveRequest {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return wire.LiveRequest{T: wire.LiveCursor, Cursor: d.cursor(), Replica: d.id.Replica}
}
