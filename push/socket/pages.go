package socket

import (
	"context"
	"slices"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync"
	"roadbook/sync/wire"
	"roadbook/telemetry"
)

// Line builds pages: the engine.
type Line interface {
	// Sit is a pull of a device that goes on to listen.
	Sit(ctx context.Context, who access.Caller, r *wire.PullRequest) ([]byte, *sync.Seat, error)
	// Stretch reads, once for all who listen, what happened since a place in the log.
	Stretch(ctx context.Context, org record.OrgID, from record.Seq, scopes []record.ScopeID) (*sync.Stretch, error)
	// Tell appends the frame for one of them, if there is anything for it.
	Tell(dst []byte, s *sync.Seat, st *sync.Stretch, most int) (frame []byte, next *sync.Seat, ok bool)
}

type (
	seat    = sync.Seat
	stretch = sync.Stretch
)

// sit builds a page for one device alone, a few at a time.
func (h *Hub) sit(who access.Caller, t task) ([]byte, *seat, error) {
	ctx, cancel := context.WithTimeout(context.Background(), pullWithin)
	defer cancel()
	select {
	case h.pulls <- struct{}{}:
		defer func() { <-h.pulls }()
	case <-ctx.Done(): // a pull is let in by its turn, and this is none
		return nil, nil, errs.New("socket.sit", errs.Busy, "too many devices ask at once; pull instead").Because(ctx.Err())
	}
	if t.replica == "" {
		var err error
		if t.replica, err = h.Devices.Replica(ctx, who); err != nil {
			return nil, nil, err
		}
	}
	return h.Line.Sit(ctx, who, &wire.PullRequest{Replica: t.replica, Cursor: t.cursor, MaxBytes: maxFrameBytes})
}

// moved reads what has happened, if anybody can be told, and tells everybody
// that something has.
func (r *room) moved(head record.Seq) {
	from, scopes := r.interest()
	var st *stretch
	if len(scopes) > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), pullWithin)
		defer cancel()
		var err error
		if st, err = r.hub.Line.Stretch(ctx, r.org, from, scopes); err != nil {
			r.hub.Log.WarnContext(ctx, "what happened could not be read for those who listen", telemetry.KeyErr, err)
		}
	}
	r.tell(r.keep(st, head))
}

// keep keeps what has been read, and returns who is to be told and how far the
// log goes.
func (r *room) keep(st *stretch, head record.Seq) ([]*socket, record.Seq) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if st != nil {
		head = max(head, st.Head())
		r.kept = append(r.kept, st)
		r.kept = slices.Clone(r.kept[max(0, len(r.kept)-keptStretches):])
	}
	r.head = head
	return r.all(), head
}

// interest is from where on, and in which scopes, those who can be told have
// not heard everything.
func (r *room) interest() (from record.Seq, scopes []record.ScopeID) {
	in := map[record.ScopeID]bool{}
	from = r.head
	for _, s := range r.everybody() {
		its := s.seated()
		if its == nil {
			continue
		}
		if r.head == 0 && (from == 0 || its.Upto() < from) {
			from = its.Upto()
		}
		for _, scope := range its.Scopes() {
			in[scope] = true
		}
	}
	for scope := range in {
		scopes = append(scopes, scope)
	}
	slices.Sort(scopes)
	return from, scopes
}

// after is a stretch that goes on from a place in the log, if there is one.
func (r *room) after(upto record.Seq) *stretch {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, st := range r.kept {
		if st.From <= upto && upto < st.Head() {
			return st
		}
	}
	return nil
}
