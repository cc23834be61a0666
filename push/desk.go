package push

import (
	"context"
	"strings"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/jobs"
	"roadbook/record"
	"roadbook/record/notice"
	"roadbook/sync"
)

// Delivery is what became of a notification at one device, or, without a device,
// as a whole.
type Delivery struct {
	Device     record.ID `json:"device,omitzero" doc:"Whose; a person's own id for a channel that reaches him and no device in particular. None: as a whole."`
	Channel    string    `json:"channel,omitempty"`
	State      string    `json:"state" doc:"sending, asked, waiting, sent, silenced, failed, unknown, held or gathered (sent with others); as a whole nowhere or lost."`
	Reason     string    `json:"reason,omitempty" doc:"What the channel said."`
	Unanswered int       `json:"unanswered,omitempty" doc:"How often it was sent since the channel last gave an answer."`
	PutOff     int       `json:"put_off,omitempty" doc:"How often the channel said: later."`
	At         time.Time `json:"at"`
}

// reached reports whether a device has it, or may.
func (d Delivery) reached() bool {
	return d.State == stateSent || d.State == stateHeld || d.State == stateGathered || d.State == stateSilenced || d.State == stateUnknown
}

// Undelivered is a notification that has reached nobody.
type Undelivered struct {
	Notification record.ID `json:"notification"`
	Person       record.ID `json:"person,omitzero"`
	Category     string    `json:"category,omitempty"`
	Code         string    `json:"code,omitempty"`
	State        string    `json:"state" doc:"nowhere: he has no device that can be reached. lost: no channel has taken it."`
	Reason       string    `json:"reason,omitempty"`
	At           time.Time `json:"at"`
	Over         string    `json:"over,omitempty" doc:"read, expired or gone: nobody need be told any more."`
}

// UndeliveredPage is a part of that list.
type UndeliveredPage struct {
	Undelivered []Undelivered `json:"undelivered"`
	After       string        `json:"after,omitempty"`
}

// Replayed is what became of asking to send something again.
type Replayed struct {
	Notification record.ID `json:"notification"`
	Result       string    `json:"result" doc:"replayed; read, expired or gone: nobody need be told any more; delivered: it has reached somebody."`
}

// Limits of the list.
const (
	defaultUndelivered = 50
	MaxUndelivered     = 200 // in a page
	MaxReplayed        = 100 // at once
)

// Deliveries tells somebody what became of a notification of his own.
func (c *Courier) Deliveries(ctx context.Context, who access.Caller, id record.ID) ([]Delivery, error) {
	n, _, err := c.told(ctx, who.Org, id)
	if err != nil {
		return nil, err
	}
	if n == nil || n.Kind.Name != notice.Kind || n.Owner != who.Person {
		return nil, errNobody("push.Deliveries")
	}
	return c.db.deliveries(ctx, who.Org, id)
}

// Undelivered lists for an administrator what has reached nobody, the newest
// first.
func (c *Courier) Undelivered(ctx context.Context, who access.Caller, after string, limit int) (p UndeliveredPage, err error) {
	before, err := parseMark(after)
	if err != nil {
		return p, err
	}
	if limit == 0 {
		limit = defaultUndelivered
	}
	if limit < 1 || limit > MaxUndelivered {
		return p, errs.New("push.Undelivered", errs.Invalid, "a page has from 1 to %d", MaxUndelivered).Coded("limit")
	}
	err = c.Engine.Look(ctx, who, func(s sync.Sight) error {
		if err := administers(s.Actor); err != nil {
			return err
		}
		all, err := c.db.undelivered(ctx, who.Org, before, limit)
		if err != nil {
			return err
		}
		for i := range all {
			n, err := recordIn(ctx, s, all[i].Notification)
			if err != nil {
				return err
			}
			if all[i].Over = overOf(n, c.Now()); n != nil {
				all[i].Person, all[i].Category, all[i].Code = n.Owner, n.Text("category"), n.Text("code")
			}
		}
		p.Undelivered = append([]Undelivered{}, all...)
		if len(all) == limit {
			last := all[limit-1]
			p.After = mark{last.At, last.Notification}.String()
		}
		return nil
	})
	return p, err
}

// Replay has notifications sent again that have reached nobody.
func (c *Courier) Replay(ctx context.Context, who access.Caller, ids []record.ID) (all []Replayed, err error) {
	if len(ids) == 0 || len(ids) > MaxReplayed {
		return nil, errs.New("push.Replay", errs.Invalid, "from 1 to %d notifications are sent again at once", MaxReplayed).Coded("limit")
	}
	over := map[record.ID]string{}
	err = c.Engine.Look(ctx, who, func(s sync.Sight) error {
		if err := administers(s.Actor); err != nil {
			return err
		}
		for _, id := range ids {
			n, err := recordIn(ctx, s, id)
			if err != nil {
				return err
			}
			over[id] = overOf(n, c.Now())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = c.db.inTx(ctx, func(tx Tx) error {
		all = nil
		for _, id := range ids {
			r := Replayed{Notification: id, Result: over[id]}
			if r.Result == "" {
				if r.Result, err = c.replay(ctx, tx, who.Org, id); err != nil {
					return err
				}
			}
			all = append(all, r)
		}
		return nil
	})
	return all, err
}

func (c *Courier) replay(ctx context.Context, tx Tx, org record.OrgID, id record.ID) (string, error) {
	undelivered, err := c.db.anew(ctx, tx, org, id)
	if err != nil || !undelivered {
		return "delivered", err
	}
	return "replayed", c.Jobs().Insert(ctx, tx, jobs.Due{Args: Deliver{Org: org, Notification: id, Waited: true}})
}

// Why nobody need be told of a notification any more.
const (
	overGone    = "gone"
	overExpired = "expired"
	overRead    = "read"
)

// overOf says why nobody need be told of a notification any more.
func overOf(n *record.Record, now time.Time) string {
	switch {
	case n == nil || n.Kind.Name != notice.Kind || n.State != record.Live:
		return overGone
	case notice.Expired(n, now):
		return overExpired
	case !notice.Waiting(n, now):
		return overRead
	}
	return ""
}

// administers refuses who is no administrator any more, whatever his token says.
func administers(a *access.Actor) error {
	if a.Active && access.May(a.Roles, access.Administer) {
		return nil
	}
	return errs.New("push", errs.Denied, "only an administrator may do this").Coded("role")
}

// mark is a place in the list.
type mark struct {
	at time.Time
	id record.ID
}

func (m mark) String() string { return m.at.UTC().Format(time.RFC3339Nano) + "/" + m.id.String() }

// parseMark reads a place; none is the beginning.
func parseMark(text string) (m mark, err error) {
	if text == "" {
		return mark{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), record.NoID}, nil
	}
	at, id, _ := strings.Cut(text, "/")
	m.at, err = time.Parse(time.RFC3339Nano, at)
	if err == nil {
		m.id, err = record.ParseID(id)
	}
	if err != nil {
		return m, errs.New("push.Undelivered", errs.Invalid, "this is no place in the list").Coded("page")
	}
	return m, nil
}
