package socket

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"roadbook/access"
	"roadbook/record"
	"roadbook/sync/feed"
)

// room is the sockets of one org. One goroutine hears for all of them how far
// the log has come.
type room struct {
	hub   *Hub
	org   record.OrgID
	sub   *feed.Subscription
	empty chan struct{} // closed with the last socket

	mu      sync.Mutex
	head    record.Seq
	devices map[record.ID][]*socket
	people  map[record.ID]int // sockets of each
	kept    []*stretch        // of the log, the last ones
}

func newRoom(h *Hub, org record.OrgID) *room {
	return &room{
		hub: h, org: org, sub: h.Feed.Follow(org), empty: make(chan struct{}), devices: map[record.ID][]*socket{},
		people: map[record.ID]int{},
	}
}

func (r *room) close() {
	r.sub.Close()
	close(r.empty)
}

// watch tells everybody when the log has moved on.
func (r *room) watch() {
	for {
		select {
		case <-r.sub.Woken():
			r.moved(r.sub.Head())
		case <-r.sub.Done():
			return
		case <-r.empty:
			return
		}
	}
}

// add takes a socket in. One too many of a device closes its oldest.
func (r *room) add(s *socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	mine := r.devices[s.who.Device]
	if len(mine) >= maxPerDevice {
		mine[len(mine)-maxPerDevice].end(CloseReplaced)
	}
	r.devices[s.who.Device] = append(mine, s)
	r.people[s.who.Person]++
	s.head, s.told = r.head, r.head
}

// crowded reports whether a person has so many sockets, and not because of the
// device that comes now: that one's oldest gives way.
func (r *room) crowded(who access.Caller, most int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.people[who.Person] >= most && len(r.devices[who.Device]) < maxPerDevice
}

// remove reports whether nobody is left.
func (r *room) remove(s *socket) (empty bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	mine := slices.DeleteFunc(r.devices[s.who.Device], func(o *socket) bool { return o == s })
	if r.people[s.who.Person]--; r.people[s.who.Person] == 0 {
		delete(r.people, s.who.Person)
	}
	if len(mine) == 0 {
		delete(r.devices, s.who.Device)
	} else {
		r.devices[s.who.Device] = mine
	}
	return len(r.devices) == 0
}

// end closes the sockets of one device.
func (r *room) end(device record.ID, code int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.devices[device] {
		s.end(code)
	}
}

func (r *room) everybody() []*socket {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all()
}

func (r *room) all() []*socket {
	all := make([]*socket, 0, len(r.devices))
	for _, sockets := range r.devices {
		all = append(all, sockets...)
	}
	return all
}

// tellAtOnce is how many sockets a worker takes at once.
const tellAtOnce = 32

// tell tells sockets that the log goes further. A few workers do it, for one
// goroutine for each of ten thousand costs more than what it has to say.
func (r *room) tell(all []*socket, head record.Seq) {
	var taken atomic.Int64
	work := func() {
		p := lend(false)
		defer p.put()
		for {
			to := int(taken.Add(tellAtOnce))
			if to-tellAtOnce >= len(all) {
				return
			}
			for _, s := range all[to-tellAtOnce : min(to, len(all))] {
				if s.moved(head) {
					s.speak(p)
				}
			}
		}
	}
	var others sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (len(all)-1)/tellAtOnce+1) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
}
