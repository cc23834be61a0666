package feed

import (
	"maps"
	"slices"

	"roadbook/record"
)

// Everything is a follower of all orgs.
type Everything struct {
	feed  *Feed
	woken chan struct{}
	heads map[record.OrgID]record.Seq
	moved map[record.OrgID]bool // since he last asked
}

// FollowAll tells of every org from now on. What a lost wake would have told has
// to be found out otherwise: nobody reads the heads of all orgs.
func (f *Feed) FollowAll() *Everything {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := &Everything{
		feed: f, woken: make(chan struct{}, 1),
		heads: map[record.OrgID]record.Seq{}, moved: map[record.OrgID]bool{},
	}
	f.everything = append(f.everything, a)
	return a
}

// tell is called with the feed locked.
func (a *Everything) tell(org record.OrgID, seq record.Seq) {
	if seq <= a.heads[org] {
		return
	}
	a.heads[org], a.moved[org] = seq, true
	select {
	case a.woken <- struct{}{}:
	default:
	}
}

// Woken receives when a log has moved since it last did.
func (a *Everything) Woken() <-chan struct{} { return a.woken }

// Moved lists the orgs whose logs have moved since it was last asked.
func (a *Everything) Moved() []record.OrgID {
	a.feed.mu.Lock()
	defer a.feed.mu.Unlock()
	orgs := slices.Sorted(maps.Keys(a.moved))
	clear(a.moved)
	return orgs
}
