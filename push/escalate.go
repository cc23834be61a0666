package push

import (
	"context"
	"slices"
	"time"

	"roadbook/access"
	"roadbook/api/words"
	"roadbook/jobs"
	"roadbook/record"
	"roadbook/record/notice"
	"roadbook/sync"
	"roadbook/sync/reactions"
	"roadbook/version"
)

// escalateAfter is how long somebody has to read what waits for him, before he is
// told by the next channel; and as long after the last before his manager is told,
// if the notification says so.
var escalateAfter = map[notice.Category]time.Duration{notice.Approval: time.Hour, notice.Task: 4 * time.Hour}

// managersDeep is how far up the tree of units a manager is looked for.
const managersDeep = 16

// Escalate is the job of seeing to it that what waits for somebody is read.
type Escalate struct {
	Org          record.OrgID  `json:"org"`
	Notification record.ID     `json:"notification"`
	After        time.Duration `json:"after"`
	Begun        time.Time     `json:"begun"`
}

// Kind implements jobs.Args.
func (Escalate) Kind() string { return "push.escalate" }

// escalate takes one step: the next channel, or else the manager.
func (c *Courier) escalate(ctx context.Context, j jobs.Job[Escalate]) error {
	a := j.Args
	n, who, err := c.told(ctx, a.Org, a.Notification)
	now := c.Now()
	if err != nil || !notice.Waiting(n, now) || !who.active {
		return err
	}
	if end, quiet := who.quiet.Until(now); quiet && !wakes(n) {
		return jobs.Later(end.Sub(now) + a.After) // the first channel has its turn when he is up
	}
	at, err := c.reachable(ctx, a.Org, who)
	if err != nil {
		return err
	}
	next, err := c.next(ctx, a, at)
	if err != nil {
		return err
	}
	if len(next) > 0 {
		o, err := c.try(ctx, a.Org, who, messageOf(n), at, next)
		switch {
		case err != nil:
			return err
		case o.again > 0:
			return jobs.Later(o.again)
		}
		if o.taken {
			if err := c.db.reached(ctx, a.Org, n.ID); err != nil {
				return err
			}
			return jobs.Later(a.After)
		}
	}
	if string(n.Raw("escalate")) != "true" {
		return nil
	}
	if rest := a.Begun.Add(2 * a.After).Sub(now); rest > 0 {
		return jobs.Later(rest)
	}
	return c.tellManager(ctx, a, n, who)
}

// next are the channels by which he has not been told.
func (c *Courier) next(ctx context.Context, a Escalate, at map[string][]Address) (next []Channel, err error) {
	all, err := c.db.deliveries(ctx, a.Org, a.Notification)
	for _, ch := range c.Channels {
		tried := slices.ContainsFunc(all, func(d Delivery) bool { return d.Channel == ch.Name() && d.State != stateWaiting })
		if len(at[ch.Name()]) > 0 && !tried {
			next = append(next, ch)
		}
	}
	return next, err
}

// tellManager makes a notification for whoever is above somebody: once, however
// often it is asked to.
func (c *Courier) tellManager(ctx context.Context, a Escalate, n *record.Record, who somebody) error {
	var manager somebody
	err := c.Engine.Look(ctx, access.Caller{Org: a.Org}, func(s sync.Sight) (err error) {
		manager, err = managerOf(ctx, s, who)
		return err
	})
	if err != nil || manager.id.IsZero() {
		return err
	}
	const code = "unread_below"
	at := a.Begun.Add(2 * a.After) // and not now: so it is the same however often
	up := notice.Notice{
		To: manager.id, Category: notice.Category(n.Text("category")), Code: code, Title: words.Notice(code, manager.lang),
		About: n.Text("about_kind"), Subject: n.Ref("subject"), By: who.id, At: at, Expires: at.Add(reactions.Worthwhile),
	}
	m := record.Mutation{ID: n.ID.Derive("escalated"), Stamp: version.StampAt(at), Edits: []record.Edit{up.Edit(n.ID)}}
	_, err = c.Engine.Commit(ctx, a.Org, []sync.Proposal{{Mutation: m}})
	return err
}

// managerOf is the first active person above somebody in the tree of units.
func managerOf(ctx context.Context, s sync.Sight, who somebody) (somebody, error) {
	unit := who.user.Ref("unit")
	for deep := 0; deep < managersDeep && !unit.IsZero(); deep++ {
		u, err := recordIn(ctx, s, unit)
		if err != nil || u == nil {
			return somebody{}, err
		}
		if m := u.Ref("manager"); !m.IsZero() && m != who.id {
			above, err := somebodyIn(ctx, s, m)
			if err != nil || above.active {
				return above, err
			}
		}
		unit = u.Ref("parent")
	}
	return somebody{}, nil
}
