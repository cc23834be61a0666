package push

import (
	"context"
	"time"

	"roadbook/access"
	"roadbook/api/words"
	"roadbook/jobs"
	"roadbook/record"
	"roadbook/record/notice"
	"roadbook/sync"
)

const (
	// gatherOver is how many that were held are still told one by one: more are one
	// message.
	gatherOver = 3
	// gatherAtMost is how many are told of in one message; the rest in another.
	gatherAtMost = 1000
	// rateOver is the time in which a device is told of no more than perDevice.
	rateOver = time.Hour
	// summaryFor is how long a message about several is worth sending.
	summaryFor = 24 * time.Hour
)

// perDevice is how often a device is told of something of each category within
// rateOver; what is more is gathered. Vendors throttle or drop what comes thicker,
// and people turn it off.
var perDevice = map[notice.Category]int{
	notice.Approval: 30, notice.Task: 20, notice.Reminder: 20, notice.Mention: 20, notice.Conflict: 10, notice.System: 10,
}

// otherwise is for a category that nobody has thought of.
const otherwise = 10

// mostOf is how much of a category a device is told.
func mostOf(category string) int {
	if n, known := perDevice[notice.Category(category)]; known {
		return n
	}
	return otherwise
}

// Gather is the job of telling somebody of what was held for him.
type Gather struct {
	Org    record.OrgID `json:"org"`
	Person record.ID    `json:"person"`
}

// Kind implements jobs.Args.
func (Gather) Kind() string { return "push.gather" }

// Summary is the job of telling of several notifications in one message.
type Summary struct {
	Org     record.OrgID `json:"org"`
	Person  record.ID    `json:"person"`
	Digest  record.ID    `json:"digest"`
	Count   int          `json:"count"`
	Device  record.ID    `json:"device,omitzero"` // only this one, by this channel
	Channel string       `json:"channel,omitempty"`
	Until   time.Time    `json:"until"` // when it is not worth sending any more
}

// Kind implements jobs.Args.
func (Summary) Kind() string { return "push.summary" }

// hold puts a notification off, for one device or all of them.
func (c *Courier) hold(ctx context.Context, org record.OrgID, n, person record.ID, r route, until time.Time) error {
	c.Metrics.Delivered(r.Channel, stateHeld)
	return c.db.inTx(ctx, func(tx Tx) error {
		first, err := c.db.hold(ctx, tx, org, n, person, r, until, c.Now())
		if err != nil || !first {
			return err
		}
		return c.Jobs().Insert(ctx, tx, jobs.Due{Args: Gather{Org: org, Person: person}, At: until})
	})
}

// gather tells of what was held, one by one if it is little, else together. What
// was held for a device that was told too much is always told together.
func (c *Courier) gather(ctx context.Context, j jobs.Job[Gather]) error {
	a := j.Args
	who, err := c.somebody(ctx, a.Org, a.Person)
	if err != nil {
		return err
	}
	now := c.Now()
	if end, quiet := who.quiet.Until(now); quiet {
		return jobs.Later(end.Sub(now)) // until then more may come to it
	}
	return c.db.inTx(ctx, func(tx Tx) error {
		if err := turn(ctx, tx, a.Org, a.Person); err != nil {
			return err
		}
		all, err := c.db.held(ctx, tx, a.Org, a.Person, now, gatherAtMost)
		if err != nil {
			return err
		}
		due, err := c.sort(ctx, tx, a, all, now)
		if err != nil {
			return err
		}
		if len(all) == gatherAtMost {
			due = append(due, jobs.Due{Args: a, At: now})
		}
		return c.Jobs().Insert(ctx, tx, due...)
	})
}

// sort says how what was held is told. What somebody has read meanwhile is not.
func (c *Courier) sort(ctx context.Context, tx Tx, a Gather, all []held, now time.Time) (due []jobs.Due, err error) {
	ids := make([]record.ID, len(all))
	for i, h := range all {
		ids[i] = h.notification
	}
	over, err := c.over(ctx, a.Org, ids)
	if err != nil {
		return nil, err
	}
	by := map[route][]held{}
	var order []route
	for _, h := range all {
		to := route{Device: h.device, Channel: h.channel}
		if why := over[h.notification]; why != "" {
			if err := c.letGo(ctx, tx, a.Org, h, why); err != nil {
				return nil, err
			}
			continue
		}
		if by[to] == nil {
			order = append(order, to)
		}
		by[to] = append(by[to], h)
	}
	for _, to := range order {
		some := by[to]
		if to.Device.IsZero() && len(some) <= gatherOver {
			if err := c.db.gather(ctx, tx, a.Org, some, record.NoID, now); err != nil {
				return nil, err
			}
			for _, h := range some {
				due = append(due, jobs.Due{Args: Deliver{Org: a.Org, Notification: h.notification}, At: now})
			}
			continue
		}
		s := Summary{Org: a.Org, Person: a.Person, Count: len(some), Until: now.Add(summaryFor)}
		s.Digest = some[0].notification.Derive("digest " + to.Device.String() + now.UTC().Format(time.RFC3339Nano))
		if !to.Device.IsZero() {
			s.Device, s.Channel = to.Device, to.Channel
		}
		if err := c.db.gather(ctx, tx, a.Org, some, s.Digest, now); err != nil {
			return nil, err
		}
		due = append(due, jobs.Due{Args: s, At: now})
	}
	return due, nil
}

// letGo holds something no longer of which nobody need be told any more.
func (c *Courier) letGo(ctx context.Context, tx Tx, org record.OrgID, h held, why string) error {
	if err := c.db.gather(ctx, tx, org, []held{h}, record.NoID, c.Now()); err != nil || why != overExpired || !h.device.IsZero() {
		return err
	}
	c.Metrics.Delivered("", stateLost)
	return c.db.verdictIn(ctx, tx, org, h.notification, stateLost, "its time ran out in quiet hours", c.Now())
}

// over says of notifications why nobody need be told of them any more, nothing of
// those of which somebody must.
func (c *Courier) over(ctx context.Context, org record.OrgID, ids []record.ID) (map[record.ID]string, error) {
	why := map[record.ID]string{}
	for _, id := range ids {
		why[id] = overGone
	}
	err := c.Engine.Look(ctx, access.Caller{Org: org}, func(s sync.Sight) error {
		rows, err := s.Tx.Records(ctx, ids)
		if err != nil {
			return err
		}
		for i := range rows {
			n, err := rows[i].Record(s.Schema)
			if err != nil {
				return err
			}
			why[n.ID] = overOf(n, c.Now())
		}
		return nil
	})
	return why, err
}

// summary tells of several notifications in one message. If it comes to nothing
// each of them has reached nobody.
func (c *Courier) summary(ctx context.Context, j jobs.Job[Summary]) error {
	a := j.Args
	err := c.sum(ctx, a)
	if err == nil || jobs.IsLater(err) || !j.Last {
		return err
	}
	if kept := c.lostAll(ctx, a, err.Error()); kept != nil {
		return kept
	}
	return err
}

func (c *Courier) sum(ctx context.Context, a Summary) error {
	who, err := c.somebody(ctx, a.Org, a.Person)
	if err != nil || !who.active {
		return err
	}
	if !c.Now().Before(a.Until) {
		return c.lostAll(ctx, a, "its time ran out")
	}
	at, err := c.reachable(ctx, a.Org, who)
	if err != nil {
		return err
	}
	if !a.Device.IsZero() {
		at = only(at, a.Channel, a.Device)
	}
	m := Message{
		ID: a.Digest, Category: string(notice.System), Title: words.Digest(a.Count, who.lang), Collapse: "digest-" + a.Person.String(), Expires: a.Until,
		free: true,
	}
	o, err := c.try(ctx, a.Org, who, m, at, c.Channels)
	switch {
	case err != nil:
		return err
	case o.again > 0:
		return jobs.Later(o.again)
	case o.taken:
		return nil
	}
	return c.lostAll(ctx, a, o.reason)
}

// only is one device at one channel, if it is still there.
func only(at map[string][]Address, channel string, device record.ID) map[string][]Address {
	for _, a := range at[channel] {
		if a.Device == device {
			return map[string][]Address{channel: {a}}
		}
	}
	return nil
}

func (c *Courier) lostAll(ctx context.Context, a Summary, reason string) error {
	all, err := c.db.gathered(ctx, a.Org, a.Digest)
	for _, n := range all {
		if err == nil {
			err = c.lost(ctx, a.Org, n, reason)
		}
	}
	return err
}
