package push

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"roadbook/access"
	"roadbook/jobs"
	"roadbook/record"
	"roadbook/record/notice"
	"roadbook/sync"
	"roadbook/telemetry"
)

const (
	// seenWithin is what somebody with a socket open gets to read a notification
	// there before his other devices ring.
	seenWithin = 60 * time.Second
	// maxUnanswered is how often something is sent at most to a channel that gives
	// no answer: it may have arrived each time.
	maxUnanswered = 2
	// sendWithin is how long a channel may take, its own tries among it.
	sendWithin = 10 * time.Second
	// againAfter is when something is tried again that a channel will not take now
	// and does not say until when.
	againAfter = time.Minute
)

// Deliver is the job of telling somebody of a notification.
type Deliver struct {
	Org          record.OrgID `json:"org"`
	Notification record.ID    `json:"notification"`
	Waited       bool         `json:"waited,omitempty"` // for him to read it on a socket
}

// Kind implements jobs.Args.
func (Deliver) Kind() string { return "push.deliver" }

// Silence is the job of taking a notification away where it has been shown: it
// was read elsewhere.
type Silence struct {
	Org          record.OrgID `json:"org"`
	Notification record.ID    `json:"notification"`
}

// Kind implements jobs.Args.
func (Silence) Kind() string { return "push.silence" }

// Devices knows who may not be told any more.
type Devices interface {
	// Ended lists those of an org's devices that are signed out or taken out of use.
	Ended(ctx context.Context, org record.OrgID, devices []record.ID) ([]record.ID, error)
}

// Config is what a courier is made of.
type Config struct {
	Pool     *Pool
	Engine   *sync.Engine
	Jobs     func() *jobs.Queue // it is made with what the courier can do
	Channels []Channel          // in the order in which they are tried
	Devices  Devices
	Now      func() time.Time
	Metrics  *telemetry.Metrics // may be nil
}

// Courier brings notifications to people's devices.
type Courier struct {
	Config
	db tables
}

// New is a courier over a migrated database.
func New(c Config) *Courier { return &Courier{Config: c, db: tables{c.Pool}} }

// Register tells the workers what the courier can do.
func (c *Courier) Register(w *jobs.Workers) {
	jobs.Handle(w, c.deliver)
	jobs.Handle(w, c.silence)
}

// notification reads a notification as it is now, nil if there is none.
func (c *Courier) notification(ctx context.Context, org record.OrgID, id record.ID) (n *record.Record, err error) {
	err = c.Engine.Look(ctx, access.Caller{Org: org}, func(s sync.Sight) error {
		rows, err := s.Tx.Records(ctx, []record.ID{id})
		if err != nil || len(rows) == 0 {
			return err
		}
		n, err = rows[0].Record(s.Schema)
		return err
	})
	return n, err
}

// deliver sends a notification to the devices of its person by the first channel
// that takes it, unless he has read it.
func (c *Courier) deliver(ctx context.Context, j jobs.Job[Deliver]) error {
	a := j.Args
	n, err := c.notification(ctx, a.Org, a.Notification)
	if err != nil || !notice.Waiting(n, c.Now()) {
		return err
	}
	if !a.Waited {
		there, err := c.db.present(ctx, a.Org, n.Owner, c.Now())
		if err != nil {
			return err
		}
		if there {
			a.Waited = true
			return c.db.inTx(ctx, func(tx Tx) error {
				return c.Jobs().Insert(ctx, tx, jobs.Due{Args: a, At: c.Now().Add(seenWithin)})
			})
		}
	}
	return c.send(ctx, a.Org, n)
}

// send tries the channels in their order. Those of one channel are told together.
func (c *Courier) send(ctx context.Context, org record.OrgID, n *record.Record) error {
	at, err := c.reachable(ctx, org, n.Owner)
	if err != nil {
		return err
	}
	m := messageOf(n)
	tried := false
	for _, ch := range c.Channels {
		to := at[ch.Name()]
		if len(to) == 0 {
			continue
		}
		tried = true
		taken, again, err := c.through(ctx, org, ch, m, to)
		switch {
		case err != nil:
			return err
		case again > 0:
			return jobs.Later(again)
		case taken:
			return nil
		}
	}
	if tried {
		return nil // each of them has said why not
	}
	return c.db.nowhere(ctx, org, n.ID, c.Now())
}

// reachable are somebody's devices by channel, without those that are signed out.
func (c *Courier) reachable(ctx context.Context, org record.OrgID, person record.ID) (map[string][]Address, error) {
	all, err := c.db.channelsOf(ctx, org, person)
	if err != nil {
		return nil, err
	}
	devices := make([]record.ID, len(all))
	for i, r := range all {
		devices[i] = r.Device
	}
	ended, err := c.Devices.Ended(ctx, org, devices)
	if err != nil {
		return nil, err
	}
	at := map[string][]Address{}
	for _, r := range all {
		if !slices.Contains(ended, r.Device) {
			at[r.Channel] = append(at[r.Channel], Address{Device: r.Device, Token: r.Token})
		}
	}
	return at, nil
}

// through sends by one channel. Each address is claimed before and answered for
// after, so that whoever takes the job up from a server that died knows what may
// have arrived.
func (c *Courier) through(ctx context.Context, org record.OrgID, ch Channel, m Message, all []Address) (taken bool, again time.Duration, err error) {
	var to []Address
	for _, a := range all {
		state, err := c.db.claim(ctx, org, m.ID, a.Device, ch.Name(), c.Now())
		switch {
		case err != nil:
			return false, 0, err
		case state == stateSending:
			to = append(to, a)
		case state == stateSent:
			taken = true
		}
	}
	if len(to) == 0 {
		return taken, 0, nil
	}
	within, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	var failed []error
	for i, a := range ch.Send(within, m, to) {
		state, reason := stateSent, ""
		switch {
		case a.Silent:
			failed = append(failed, fmt.Errorf("%s has not answered: %w", ch.Name(), a.Err))
			c.Metrics.Delivered(ch.Name(), stateUnknown)
			continue // and is asked once more
		case a.Err == nil:
			taken = true
		case a.Again:
			state, reason = stateWaiting, a.Err.Error()
			again = max(again, cmp.Or(a.After, againAfter))
		default:
			state, reason = stateFailed, a.Err.Error()
		}
		c.Metrics.Delivered(ch.Name(), state)
		failed = append(failed, c.db.answered(ctx, org, m.ID, to[i].Device, ch.Name(), state, reason, c.Now()))
		if a.Gone {
			failed = append(failed, c.db.bury(ctx, org, to[i].Device, ch.Name(), c.Now()))
		}
	}
	return taken, again, errors.Join(failed...)
}

// silence takes a notification away from the devices that show it.
func (c *Courier) silence(ctx context.Context, j jobs.Job[Silence]) error {
	shown, err := c.db.shown(ctx, j.Args.Org, j.Args.Notification)
	if err != nil {
		return err
	}
	for _, ch := range c.Channels {
		var to []Address
		for _, r := range shown {
			if r.Channel == ch.Name() {
				to = append(to, Address{Device: r.Device, Token: r.Token})
			}
		}
		if len(to) == 0 {
			continue
		}
		within, cancel := context.WithTimeout(ctx, sendWithin)
		answers := ch.Send(within, Message{ID: j.Args.Notification, Read: true}, to)
		cancel()
		for i, a := range answers {
			if a.Again || a.Silent {
				return fmt.Errorf("%s: %w", ch.Name(), a.Err)
			}
			if err := c.db.answered(ctx, j.Args.Org, j.Args.Notification, to[i].Device, ch.Name(), stateSilenced, "", c.Now()); err != nil {
				return err
			}
		}
	}
	return nil
}

// messageOf is what of a notification goes through a channel.
func messageOf(n *record.Record) Message {
	m := Message{ID: n.ID, Category: n.Text("category"), Title: n.Text("title"), Collapse: n.Text("collapse")}
	if len(m.Collapse) > notice.MaxCollapse {
		m.Collapse = n.ID.String()
	}
	m.Expires, _ = time.Parse(time.RFC3339, n.Text("expires_at")) // no time is none
	return m
}
