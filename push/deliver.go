package push

import (
	"context"
	"slices"
	"time"

	"roadbook/errs"
	"roadbook/jobs"
	"roadbook/record"
	"roadbook/record/notice"
)

// seenWithin is what somebody with a socket open gets to read a notification
// there before his other devices ring.
const seenWithin = 60 * time.Second

// deliver sends a notification to the devices of its person by the first channel
// that takes it, unless he has read it. What comes to nothing is kept where it can
// be seen.
func (c *Courier) deliver(ctx context.Context, j jobs.Job[Deliver]) error {
	err := c.tell(ctx, j.Args)
	if err != nil && j.Last && !jobs.IsLater(err) {
		if kept := c.lost(ctx, j.Args.Org, j.Args.Notification, err.Error()); kept != nil {
			return kept
		}
	}
	return err
}

func (c *Courier) tell(ctx context.Context, a Deliver) error {
	n, who, err := c.told(ctx, a.Org, a.Notification)
	now := c.Now()
	switch {
	case err != nil:
		return err
	case notice.Expired(n, now):
		return c.expired(ctx, a.Org, n.ID)
	case !notice.Waiting(n, now), !who.active:
		return nil
	}
	if !a.Waited {
		there, err := c.db.present(ctx, a.Org, n.Owner, now)
		if err != nil {
			return err
		}
		if there {
			a.Waited = true
			return c.db.inTx(ctx, func(tx Tx) error {
				return c.Jobs().Insert(ctx, tx, jobs.Due{Args: a, At: now.Add(seenWithin)})
			})
		}
	}
	if end, quiet := who.quiet.Until(now); quiet && !wakes(n) {
		return c.hold(ctx, a.Org, n.ID, n.Owner, route{Channel: digestChannel}, end)
	}
	return c.send(ctx, a.Org, n, who)
}

// wakes reports whether a notification is worth waking somebody for.
func wakes(n *record.Record) bool {
	return n.Text("category") == string(notice.Approval) && string(n.Raw("urgent")) == "true"
}

// send tries the channels in their order, and keeps what came of it.
func (c *Courier) send(ctx context.Context, org record.OrgID, n *record.Record, who somebody) error {
	at, err := c.reachable(ctx, org, who)
	if err != nil {
		return err
	}
	o, err := c.try(ctx, org, who, messageOf(n), at, c.Channels)
	switch {
	case err != nil:
		return err
	case o.again > 0:
		return jobs.Later(o.again)
	case o.taken:
		return c.db.reached(ctx, org, n.ID)
	case o.tried:
		return c.lost(ctx, org, n.ID, o.reason)
	}
	c.Metrics.Delivered("", stateNowhere)
	return c.db.verdict(ctx, org, n.ID, stateNowhere, "", c.Now())
}

// try sends by the first of some channels that takes it. Those of one channel are
// told together.
func (c *Courier) try(
	ctx context.Context, org record.OrgID, who somebody, m Message, at map[string][]Address, channels []Channel,
) (o went, err error) {
	for _, ch := range channels {
		to := at[ch.Name()]
		if len(to) == 0 {
			continue
		}
		w, err := c.through(ctx, org, who, ch, m, to)
		w.tried = true
		if err != nil || w.again > 0 || w.taken {
			return w, err
		}
		o = w
	}
	return o, nil
}

// lost keeps that a notification has reached nobody.
func (c *Courier) lost(ctx context.Context, org record.OrgID, n record.ID, reason string) error {
	c.Metrics.Delivered("", stateLost)
	return c.db.verdict(ctx, org, n, stateLost, reason, c.Now())
}

// expired keeps that a notification came to nobody while it was news.
func (c *Courier) expired(ctx context.Context, org record.OrgID, n record.ID) error {
	all, err := c.db.deliveries(ctx, org, n)
	if err != nil || slices.ContainsFunc(all, Delivery.reached) {
		return err
	}
	return c.lost(ctx, org, n, "its time ran out")
}

// reachable are somebody's devices by channel, without those that are signed out.
func (c *Courier) reachable(ctx context.Context, org record.OrgID, who somebody) (map[string][]Address, error) {
	all, err := c.db.channelsOf(ctx, org, who.id)
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
	for _, ch := range c.Channels {
		if token := found(ch, who.user); token != "" {
			at[ch.Name()] = append(at[ch.Name()], Address{Device: who.id, Token: token})
		}
	}
	return at, nil
}

// found is where a channel finds somebody by itself, if it does.
func found(ch Channel, user *record.Record) string {
	if f, finds := ch.(Finder); finds && user != nil {
		return f.Find(user)
	}
	return ""
}

// messageOf is what of a notification goes through a channel.
func messageOf(n *record.Record) Message {
	m := Message{ID: n.ID, Category: n.Text("category"), Title: n.Text("title"), Collapse: n.Text("collapse")}
	if len(m.Collapse) > notice.MaxCollapse {
		m.Collapse = n.ID.String()
	}
	if r := []rune(m.Title); len(r) > MaxTitle {
		m.Title = string(r[:MaxTitle-1]) + "…"
	}
	m.free = wakes(n)
	m.Expires, _ = time.Parse(time.RFC3339, n.Text("expires_at")) // no time is none
	return m
}

// errNobody is for whoever asks about a notification that is not his, or not there.
func errNobody(op string) error {
	return errs.New(op, errs.Missing, "there is no such notification").Coded("missing")
}
