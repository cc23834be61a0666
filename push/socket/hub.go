// Package socket is the websocket hub: it tells devices that listen what a pull
// would answer them now, or only that they should pull. Nobody depends on it: a
// frame that is lost, late or doubled costs a pull and nothing else.
//
// An idle socket is one goroutine that waits, and little memory. Whatever happens
// is said by a few workers that never wait; what must wait, for the device or the
// database, has a goroutine of its own meanwhile. There is one writer at a time,
// and a device that does not take what it is told holds up nobody else.
// DESIGN.md has the rest.
package socket

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"roadbook/access"
	"roadbook/record"
	"roadbook/sync/feed"
	"roadbook/telemetry"
	"roadbook/version"
)

// Every is how often sockets are looked through for sign-ins that have ended:
// one that another server has ended is open for so long.
const Every = 30 * time.Second

// Devices knows who may listen no longer, and under which name one writes.
type Devices interface {
	// Ended lists those of an org's devices that are signed out or taken out of use.
	Ended(ctx context.Context, org record.OrgID, devices []record.ID) ([]record.ID, error)
	// Replica is the name under which a device writes.
	Replica(ctx context.Context, who access.Caller) (version.Replica, error)
}

// Config is what a hub is made of.
type Config struct {
	Line    Line
	Devices Devices
	Feed    *feed.Feed
	Now     func() time.Time // of tokens and of the network
	Log     *slog.Logger
	Metrics *telemetry.Metrics // may be nil

	Most      int // sockets of the server; 0 is the usual number
	PerPerson int // sockets of a person; 0 is the usual number
}

// Hub is all sockets of a server.
type Hub struct {
	Config
	upgrader websocket.Upgrader
	pulls    chan struct{}
	stats    Stats

	mu       sync.Mutex
	rooms    map[record.OrgID]*room
	stopping bool
	open     sync.WaitGroup // sockets
	watching sync.WaitGroup // rooms
}

// Stats count what a hub does.
type Stats struct {
	Open   atomic.Int64 // sockets now
	Wakes  atomic.Int64 // sent
	Frames atomic.Int64 // pages sent
	Shared atomic.Int64 // of those, built from what was read once for all
	Slow   atomic.Int64 // sockets that were cut because they took nothing
}

// New is a hub without sockets.
func New(c Config) *Hub {
	h := &Hub{Config: c, pulls: make(chan struct{}, pullsAtOnce), rooms: map[record.OrgID]*room{}}
	h.upgrader = websocket.Upgrader{
		WriteBufferPool:  &sync.Pool{}, // it writes nothing after its answer
		HandshakeTimeout: writeWithin,
		Error:            refused,
		// A token is needed that no page of somebody else's has, and no cookie helps.
		CheckOrigin: anyOrigin,
	}
	h.Metrics.SocketsMost(cmp.Or(h.Most, maxSockets))
	return h
}

// Stats are what the hub has done so far.
func (h *Hub) Stats() *Stats { return &h.stats }

// join lets a socket hear of its org, unless there are too many.
func (h *Hub) join(s *socket) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[s.who.Org]
	if err := h.place(r, s.who); err != nil {
		return err
	}
	if r == nil {
		r = newRoom(h, s.who.Org)
		h.rooms[s.who.Org] = r
		h.watching.Go(r.watch)
	}
	s.room = r
	r.add(s)
	h.stats.Open.Add(1)
	h.Metrics.SocketOpened()
	h.open.Add(1)
	return nil
}

// leave forgets a socket, and its org's room with the last one.
func (h *Hub) leave(s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.room.remove(s) {
		s.room.close()
		delete(h.rooms, s.who.Org)
	}
	h.stats.Open.Add(-1)
	h.Metrics.SocketClosed()
	h.open.Done()
}

// all are the rooms at this moment.
func (h *Hub) all() []*room {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*room, 0, len(h.rooms))
	for _, r := range h.rooms {
		list = append(list, r)
	}
	return list
}

// People are those who listen on this server, by org.
func (h *Hub) People() map[record.OrgID][]record.ID {
	all := map[record.OrgID][]record.ID{}
	for _, r := range h.all() {
		r.mu.Lock()
		all[r.org] = slices.Collect(maps.Keys(r.people))
		r.mu.Unlock()
	}
	return all
}

// Run closes, at each tick, the sockets whose tokens have run out or whose
// devices have been signed out by any server, until ctx ends.
func (h *Hub) Run(ctx context.Context, ticks <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
			for _, r := range h.all() {
				h.sweep(ctx, r)
			}
		}
	}
}

func (h *Hub) sweep(ctx context.Context, r *room) {
	now := h.Now()
	var devices []record.ID
	for _, s := range r.everybody() {
		if !s.who.Until.IsZero() && !now.Before(s.who.Until) {
			s.end(CloseExpired)
		} else {
			devices = append(devices, s.who.Device)
		}
	}
	if len(devices) == 0 {
		return
	}
	ended, err := h.Devices.Ended(ctx, r.org, devices)
	if err != nil {
		h.Log.WarnContext(ctx, "whose sign-in has ended could not be read", telemetry.KeyErr, err)
		return
	}
	for _, d := range ended {
		r.end(d, CloseSignedOut)
	}
}

// SignedOut closes a device's sockets on this server at once.
func (h *Hub) SignedOut(org record.OrgID, device record.ID) {
	h.mu.Lock()
	r := h.rooms[org]
	h.mu.Unlock()
	if r != nil {
		r.end(device, CloseSignedOut)
	}
}

// Stop closes every socket, so that its device comes back to another server,
// and returns when all are gone; those that do not take it in time are cut.
func (h *Hub) Stop(ctx context.Context) {
	h.mu.Lock()
	h.stopping = true
	h.mu.Unlock()
	for _, r := range h.all() {
		for _, s := range r.everybody() {
			s.end(CloseStopping)
		}
	}
	gone := make(chan struct{})
	go func() {
		h.open.Wait()
		h.watching.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return
	case <-ctx.Done():
	}
	for _, r := range h.all() {
		for _, s := range r.everybody() {
			s.drop()
		}
	}
	<-gone
}
