package api

import (
	"context"
	"time"

	"roadbook/access"
	"roadbook/api/crowd"
	"roadbook/record"
	"roadbook/sync/wire"
)

// Limits say how much is borne at once, of each class of request and of memory.
// Whoever comes on top waits for a while, and is then told when to come again.
type Limits struct {
	SignIn crowd.Limits
	Push   crowd.Limits
	Pull   crowd.Limits
	Fill   crowd.Limits // pulls of devices whose scopes are still being filled
	Read   crowd.Limits // by clients that are online; what they write is a push

	HeldBytes int64 // of bodies and answers, all together
}

// DefaultLimits are for two cores and a pool of 20 connections.
func DefaultLimits() Limits {
	return Limits{
		// people hashes as many passwords at once as half of the cores; the others
		// here are at the database, or next.
		SignIn: crowd.Limits{Served: 4, Waiting: 64, Within: 10 * time.Second, Usual: 100 * time.Millisecond},
		// The engine makes one transaction of what has queued up, so many at once
		// are cheaper than one after another.
		Push: crowd.Limits{Served: 256, Waiting: 1024, Within: 10 * time.Second, Usual: 250 * time.Millisecond},
		// Each of these holds a connection to the database. Fills are long pages, one after
		// another, for hours on the morning of a roll-out: they leave room for
		// those who work.
		Pull: crowd.Limits{Served: 8, Waiting: 512, Within: 10 * time.Second, Usual: 20 * time.Millisecond},
		Fill: crowd.Limits{Served: 3, Waiting: 128, Within: 15 * time.Second, Usual: 150 * time.Millisecond},
		Read: crowd.Limits{Served: 6, Waiting: 128, Within: 10 * time.Second, Usual: 20 * time.Millisecond},

		HeldBytes: 256 << 20,
	}
}

// filler is a line that can tell whose scopes are still being filled.
type filler interface {
	Filling(who access.Caller, cursor string) bool
}

// admit puts the queues in front of the line and of the sign-in.
func (s *Server) admit() {
	limits := DefaultLimits()
	if s.Limits != nil {
		limits = *s.Limits
	}
	s.held = crowd.NewStore(limits.HeldBytes)
	s.SignIn = &queuedSignIn{s.SignIn, crowd.NewClass(limits.SignIn, s.Now)}
	push := crowd.NewClass(limits.Push, s.Now)
	if online := s.Online; online != nil {
		read := crowd.NewClass(limits.Read, s.Now)
		s.Online = func() (Records, error) {
			next, err := online()
			return &queuedRecords{next, read, push}, err
		}
	}
	s.Line = &queuedLine{
		next: s.Line,
		push: push,
		pull: crowd.NewClass(limits.Pull, s.Now),
		fill: crowd.NewClass(limits.Fill, s.Now),
	}
}

// queuedLine lets devices to the line in their turn.
type queuedLine struct {
	next             Line
	push, pull, fill *crowd.Class
}

// Push implements Line.
func (q *queuedLine) Push(ctx context.Context, who access.Caller, p *wire.Push) (*wire.PushAnswer, error) {
	leave, err := q.push.Enter(ctx, who.Device)
	if err != nil {
		return nil, err
	}
	defer leave()
	return q.next.Push(ctx, who, p)
}

// Pull implements Line.
func (q *queuedLine) Pull(ctx context.Context, who access.Caller, r *wire.PullRequest) ([]byte, error) {
	leave, err := q.classOf(who, r).Enter(ctx, who.Device)
	if err != nil {
		return nil, err
	}
	defer leave()
	return q.next.Pull(ctx, who, r)
}

// Check implements Line. It is as much work as a long page.
func (q *queuedLine) Check(ctx context.Context, who access.Caller, r *wire.CheckRequest) ([]byte, error) {
	leave, err := q.fill.Enter(ctx, who.Device)
	if err != nil {
		return nil, err
	}
	defer leave()
	return q.next.Check(ctx, who, r)
}

func (q *queuedLine) classOf(who access.Caller, r *wire.PullRequest) *crowd.Class {
	if f, ok := q.next.(filler); r.Cursor == "" || ok && f.Filling(who, r.Cursor) {
		return q.fill
	}
	return q.pull
}

// queuedSignIn lets devices sign in in their turn. A refresh has no password
// to hash and needs no queue.
type queuedSignIn struct {
	SignIn

	queue *crowd.Class
}

// Login implements SignIn. A place is kept for an install: there is no device
// yet.
func (q *queuedSignIn) Login(ctx context.Context, r *wire.LoginRequest, remoteIP string) (*wire.LoginAnswer, error) {
	install, err := record.ParseID(r.Device.Install)
	if err != nil {
		install = record.NoID
	}
	leave, err := q.queue.Enter(ctx, install)
	if err != nil {
		return nil, err
	}
	defer leave()
	return q.SignIn.Login(ctx, r, remoteIP)
}
