package push

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
)

// MaxToken is the longest token of a channel in bytes: Firebase's have some 200,
// and web push's, with its keys, some 500.
const MaxToken = 4096

// Registry keeps where devices can be reached.
type Registry struct {
	db       tables
	channels []Channel
	now      func() time.Time
}

// NewRegistry is one for some channels over a migrated database.
func NewRegistry(pool *Pool, channels []Channel, now func() time.Time) *Registry {
	return &Registry{db: tables{pool}, channels: channels, now: now}
}

// Register says that the caller's device can be reached by a channel from now
// on. What it said of that channel before is forgotten.
func (r *Registry) Register(ctx context.Context, who access.Caller, channel, token string) error {
	const op = "push.Register"

	switch {
	case !slices.Contains(Known, channel):
		return errs.New(op, errs.Invalid, "there is no such channel").Coded("channel").
			Of(errs.Field{Field: "channel", Detail: fmt.Sprintf("must be one of: %s", strings.Join(Known, ", "))})
	case token == "" || len(token) > MaxToken:
		return errs.New(op, errs.Invalid, "the address is empty or too long").Coded("address").
			Of(errs.Field{Field: "token", Detail: fmt.Sprintf("must have from 1 to %d bytes", MaxToken)})
	case who.Device.IsZero():
		return errs.New(op, errs.Denied, "only a device can be reached").Coded("replica")
	}
	token, err := r.proven(ctx, channel, token)
	if err != nil {
		return err
	}
	return r.db.save(ctx, who.Org, who.Person, route{Device: who.Device, Channel: channel, Token: token}, r.now())
}

// proven is the address itself, where a channel has people prove whose it is.
func (r *Registry) proven(ctx context.Context, channel, token string) (string, error) {
	for _, ch := range r.channels {
		proves, is := ch.(Resolver)
		if ch.Name() != channel || !is {
			continue
		}
		address, err := proves.Resolve(ctx, token)
		if err != nil {
			return "", errs.New("push.Register", errs.Invalid, "the channel knows nobody by this code").Coded("address").Because(err)
		}
		return address, nil
	}
	if channel == wechat {
		return "", errs.New("push.Register", errs.Invalid, "this server is not set up to ask WeChat who you are").Coded("channel")
	}
	return token, nil
}

// Forget says that the caller's device can be reached by a channel no longer.
func (r *Registry) Forget(ctx context.Context, who access.Caller, channel string) error {
	return r.db.drop(ctx, who.Org, who.Device, channel)
}

// Reachable are the channels by which the caller's device can be reached, and
// whether the server has what it takes to use each.
func (r *Registry) Reachable(ctx context.Context, who access.Caller) ([]Way, error) {
	all, err := r.db.channelsOf(ctx, who.Org, who.Person)
	if err != nil {
		return nil, err
	}
	ways := []Way{}
	for _, a := range all {
		if a.Device == who.Device {
			ways = append(ways, Way{Channel: a.Channel, Works: r.has(a.Channel)})
		}
	}
	return ways, nil
}

func (r *Registry) has(channel string) bool {
	return slices.ContainsFunc(r.channels, func(c Channel) bool { return c.Name() == channel })
}

// Way is one way to a device.
type Way struct {
	Channel string `json:"channel"`
	Works   bool   `json:"works" doc:"Whether the server is set up to send by it."`
}

// Known are the channels that a device may name.
var Known = []string{"fcm", wechat}

// Present says for a while who listens on one server, for all of them.
func (r *Registry) Present(ctx context.Context, node record.ID, listening map[record.OrgID][]record.ID) error {
	for org, people := range listening {
		if err := r.db.seen(ctx, org, node, people, r.now().Add(presentFor)); err != nil {
			return err
		}
	}
	return r.db.forgetAbsent(ctx, r.now())
}

// PresentEvery is how often a server says who listens there; what it has said
// holds for a little longer.
const (
	PresentEvery = 15 * time.Second
	presentFor   = 2 * PresentEvery
)
