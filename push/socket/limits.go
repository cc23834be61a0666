package socket

import (
	"cmp"
	"time"

	"roadbook/access"
	"roadbook/errs"
)

// Limits of sockets.
const (
	maxSockets    = 50_000           // of a server, unless it is told another number: what 650 MB hold
	maxPerPerson  = 16               // of a person, unless told another: four devices with all that each may have
	maxPerDevice  = 4                // of a device: a socket that broke unnoticed is still there when the next one comes
	maxSaidBytes  = 1 << 10          // a cursor has 160 characters, a replica 128
	maxFrameBytes = 64 << 10         // of a page that comes unasked; a longer one is worth a pull, compressed
	writeWithin   = 10 * time.Second // to take a frame: 64 KB at the 5 KB/s of 2G would be 13, most are under 2 KB
	pullWithin    = 30 * time.Second // to read a page, when many come back at once
	pullsAtOnce   = 6                // pages read for one socket alone, at once: pushes need connections too
	keptStretches = 16               // of an org's log, for sockets that are a little behind
	sendBuffer    = 32 << 10         // of the kernel, for a device that takes nothing

	// Whoever finds no place comes again after the first and before the last,
	// each after a time of its own. Meanwhile it pulls with a wait.
	fullFor    = time.Minute
	fullSpread = 2 * time.Minute
)

// full refuses a socket for which there is no place, before it is one.
type full struct {
	error
	after time.Duration
}

func (f *full) Unwrap() error { return f.error }

// RetryAfter is when to come again.
func (f *full) RetryAfter() time.Duration { return f.after }

// place reports whether there is one for a socket. A device that has as many as
// it may takes the place of its oldest.
func (h *Hub) place(r *room, who access.Caller) error {
	switch {
	case h.stopping:
		h.Metrics.SocketRefused("stopping")
		return errs.New("socket.place", errs.Busy, "the server is stopping; try again in a moment").Coded("stopping")
	case h.stats.Open.Load() >= int64(cmp.Or(h.Most, maxSockets)):
		h.Metrics.SocketRefused("server")
		return &full{errs.New("socket.place", errs.Busy, "too many devices listen here; pull instead").Coded("sockets"), fullAfter(who)}
	case r != nil && r.crowded(who, cmp.Or(h.PerPerson, maxPerPerson)):
		h.Metrics.SocketRefused("person")
		return &full{errs.New("socket.place", errs.Limited, "this person listens on too many devices; pull instead").
			Coded("own_sockets"), fullAfter(who)}
	}
	return nil
}

// fullAfter is when somebody is to come again: chance enough lies in what its
// device is called.
func fullAfter(who access.Caller) time.Duration {
	return fullFor + fullSpread*time.Duration(who.Device[len(who.Device)-1])/256
}
