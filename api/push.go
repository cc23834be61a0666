package api

import (
	"context"

	"roadbook/access"
	"roadbook/api/contract"
	"roadbook/push"
)

// Ways are where devices can be reached when nobody looks at them: a
// push.Registry.
type Ways interface {
	Register(ctx context.Context, who access.Caller, channel, token string) error
	Forget(ctx context.Context, who access.Caller, channel string) error
	Reachable(ctx context.Context, who access.Caller) ([]push.Way, error)
}

type waysAsked struct{}

type waysRead struct {
	Body struct {
		Channels []push.Way `json:"channels"`
	}
}

// ways lists how the caller's device can be reached.
func (s *Server) ways(ctx context.Context, _ *waysAsked) (*waysRead, error) {
	return s.reach(ctx, func(context.Context, Ways) error { return nil })
}

type wayNamed struct{ Body contract.ChannelToken }

// register says that the caller's device can be reached by a channel.
func (s *Server) register(ctx context.Context, in *wayNamed) (*waysRead, error) {
	return s.reach(ctx, func(ctx context.Context, w Ways) error {
		return w.Register(ctx, callOf(ctx).who, in.Body.Channel, in.Body.Token)
	})
}

type wayGone struct{ Body contract.ChannelName }

// unregister says that it can be no longer.
func (s *Server) unregister(ctx context.Context, in *wayGone) (*waysRead, error) {
	return s.reach(ctx, func(ctx context.Context, w Ways) error { return w.Forget(ctx, callOf(ctx).who, in.Body.Channel) })
}

// reach does something about the ways to the caller's device, and lists them.
func (s *Server) reach(ctx context.Context, do func(context.Context, Ways) error) (*waysRead, error) {
	ways, err := s.Ways()
	if err != nil {
		return nil, err
	}
	if err := do(ctx, ways); err != nil {
		return nil, err
	}
	out := &waysRead{}
	out.Body.Channels, err = ways.Reachable(ctx, callOf(ctx).who)
	return out, err
}
