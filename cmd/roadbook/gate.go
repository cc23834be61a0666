package main

import (
	"context"
	"sync/atomic"

	"roadbook/access"
	"roadbook/api"
	"roadbook/errs"
	"roadbook/push/socket"
	"roadbook/record"
	"roadbook/sync"
	"roadbook/sync/wire"
	dots "roadbook/version" // version is a command here
)

// gate stands in front of the parts that answer requests until they are there.
// The server listens from its first moment on, so that a taken port is told at
// once and a load balancer sees something alive; until the gate opens, whoever
// asks is told to come again.
type gate struct {
	parts   atomic.Pointer[parts]
	leaving atomic.Bool
}

// parts are what requests are answered with.
type parts struct {
	line    api.Line
	filling func(who access.Caller, cursor string) bool
	live    socket.Line
	signIn  api.SignIn
	people  socket.Devices
	online  api.Records
	ways    api.Ways
	deliver api.Deliveries
	consent api.Consents
	approve api.Approvals
	ping    func(context.Context) error
}

var (
	_ api.Line   = (*gate)(nil)
	_ api.SignIn = (*gate)(nil)

	_ socket.Line    = (*gate)(nil)
	_ socket.Devices = (*gate)(nil)
)

func (g *gate) open(p *parts) { g.parts.Store(p) }

// leave says to whoever asks that the server is about to stop. Who comes all
// the same is served. It reports whether anybody was served until now.
func (g *gate) leave() bool {
	g.leaving.Store(true)
	return g.parts.Load() != nil
}

func (g *gate) pass() (*parts, error) {
	if p := g.parts.Load(); p != nil {
		return p, nil
	}
	return nil, errs.New("roadbook.gate", errs.Busy, "the server is starting; please try again in a moment").Coded("starting")
}

// Ready is nil when requests can be served.
func (g *gate) Ready(ctx context.Context) error {
	p, err := g.pass()
	if err != nil {
		return err
	}
	if g.leaving.Load() {
		return errs.New("roadbook.gate", errs.Busy, "the server is about to stop; please try again in a moment").Coded("stopping")
	}
	return p.ping(ctx)
}

// Push implements api.Line.
func (g *gate) Push(ctx context.Context, who access.Caller, push *wire.Push) (*wire.PushAnswer, error) {
	p, err := g.pass()
	if err != nil {
		return nil, err
	}
	return p.line.Push(ctx, who, push)
}

// Pull implements api.Line.
func (g *gate) Pull(ctx context.Context, who access.Caller, r *wire.PullRequest) ([]byte, error) {
	p, err := g.pass()
	if err != nil {
		return nil, err
	}
	return p.line.Pull(ctx, who, r)
}

// Check implements api.Line.
func (g *gate) Check(ctx context.Context, who access.Caller, r *wire.CheckRequest) ([]byte, error) {
	p, err := g.pass()
	if err != nil {
		return nil, err
	}
	return p.line.Check(ctx, who, r)
}

// Filling tells api which pulls are long.
func (g *gate) Filling(who access.Caller, cursor string) bool {
	p := g.parts.Load()
	return p != nil && p.filling(who, cursor)
}

// Online is who serves clients without a store.
func (g *gate) Online() (api.Records, error) {
	p, err := g.pass()
	if err != nil {
		return nil, err
	}
	return p.online, nil
}

// Ways are the ways to people's devices.
func (g *gate) Ways() (api.Ways, error) {
	p, err := g.pass()
	if err != nil {
		return nil, err
	}
	return p.ways, nil
}

// Consents are what people allow to be sent to them.
func (g *gate) Consents() (api.Consents, error) {
	p, err := g.pass()
	if err != nil {
		return nil, err
	}
	return p.consent, nil
}

// Deliveries know what became of telling people.
func (g *gate) Deliveries() (api.Deliveries, error) {
	p, err := g.pass()
	if err != nil {
		return nil, err
	}
	return p.deliver, nil
}

// Approvals are decided online.
func (g *gate) Approvals() (api.Approvals, error) {
	p, err := g.pass()
	if err != nil {
		return nil, err
	}
	return p.approve, nil
}

// Login implements api.SignIn.
func (g *gate) Login(ctx context.Context, r *wire.LoginRequest, remoteIP string) (*wire.LoginAnswer, error) {
	p, err := g.pass()
	if err != nil {
		return nil, err
	}
	return p.signIn.Login(ctx, r, remoteIP)
}

// Refresh implements api.SignIn.
func (g *gate) Refresh(ctx context.Context, r *wire.RefreshRequest) (*wire.RefreshAnswer, error) {
	p, err := g.pass()
	if err != nil {
		return nil, err
	}
	return p.signIn.Refresh(ctx, r)
}

// Logout implements api.SignIn.
func (g *gate) Logout(ctx context.Context, who access.Caller) error {
	p, err := g.pass()
	if err != nil {
		return err
	}
	return p.signIn.Logout(ctx, who)
}

// Caller implements api.SignIn.
func (g *gate) Caller(ctx context.Context, token string) (access.Caller, error) {
	p, err := g.pass()
	if err != nil {
		return access.Caller{}, err
	}
	return p.signIn.Caller(ctx, token)
}

// Ended implements socket.Devices.
func (g *gate) Ended(ctx context.Context, org record.OrgID, devices []record.ID) ([]record.ID, error) {
	p, err := g.pass()
	if err != nil {
		return nil, err
	}
	return p.people.Ended(ctx, org, devices)
}

// Replica implements socket.Devices.
func (g *gate) Replica(ctx context.Context, who access.Caller) (dots.Replica, error) {
	p, err := g.pass()
	if err != nil {
		return "", err
	}
	return p.people.Replica(ctx, who)
}

// Sit implements socket.Line.
func (g *gate) Sit(ctx context.Context, who access.Caller, r *wire.PullRequest) ([]byte, *sync.Seat, error) {
	p, err := g.pass()
	if err != nil {
		return nil, nil, err
	}
	return p.live.Sit(ctx, who, r)
}

// Stretch implements socket.Line.
func (g *gate) Stretch(ctx context.Context, org record.OrgID, from record.Seq, scopes []record.ScopeID) (*sync.Stretch, error) {
	p, err := g.pass()
	if err != nil {
		return nil, err
	}
	return p.live.Stretch(ctx, org, from, scopes)
}

// Tell implements socket.Line.
func (g *gate) Tell(dst []byte, s *sync.Seat, st *sync.Stretch, most int) ([]byte, *sync.Seat, bool) {
	p, err := g.pass()
	if err != nil {
		return nil, nil, false
	}
	return p.live.Tell(dst, s, st, most)
}
