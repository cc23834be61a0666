package push

import (
	"context"
	"fmt"
	"slices"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/record/notice"
)

const (
	// MaxTemplates is what one tap is for: WeChat asks of no more at once.
	MaxTemplates = 3
	// keepForApprovals is how many of somebody's last consents only an approval may
	// spend.
	keepForApprovals = 2
	// wechat is the channel that needs them.
	wechat = "wechat"
)

// Consents are a ledger of what people have allowed to be sent to them: one tap is
// one message.
type Consents struct {
	db        tables
	templates []string
	now       func() time.Time
}

// NewConsents is a ledger over a migrated database, of some templates.
func NewConsents(pool *Pool, templates []string, now func() time.Time) *Consents {
	return &Consents{db: tables{pool}, templates: templates, now: now}
}

// Left is how many messages somebody still allows, by template.
type Left struct {
	Template string `json:"template"`
	Left     int    `json:"left"`
}

// Give says that the caller has tapped to allow a message of each of some
// templates. To say it again is to say it once.
func (c *Consents) Give(ctx context.Context, who access.Caller, tap record.ID, templates []string) ([]Left, error) {
	const op = "push.Give"
	if len(templates) == 0 || len(templates) > MaxTemplates || tap.IsZero() {
		return nil, errs.New(op, errs.Invalid, "a tap has a name, and from 1 to %d templates", MaxTemplates).Coded("consent")
	}
	for _, t := range templates {
		if !slices.Contains(c.templates, t) {
			return nil, errs.New(op, errs.Invalid, "there is no such template").Coded("consent").
				Of(errs.Field{Field: "templates", Detail: fmt.Sprintf("must be one of: %v", c.templates)})
		}
	}
	address, err := c.addressOf(ctx, who)
	if err != nil {
		return nil, err
	}
	if err := c.db.giveConsent(ctx, tap, templates, address, c.now()); err != nil {
		return nil, err
	}
	var all []Left
	for _, t := range c.templates {
		n, err := c.db.consentsLeft(ctx, address, t)
		if err != nil {
			return nil, err
		}
		all = append(all, Left{Template: t, Left: n})
	}
	return all, nil
}

// addressOf is how WeChat knows the caller on his device.
func (c *Consents) addressOf(ctx context.Context, who access.Caller) (string, error) {
	all, err := c.db.channelsOf(ctx, who.Org, who.Person)
	if err != nil {
		return "", err
	}
	for _, r := range all {
		if r.Device == who.Device && r.Channel == wechat {
			return r.Token, nil
		}
	}
	return "", errs.New("push.Give", errs.Missing, "this device is not reached by WeChat").Coded("consent")
}

// Spend takes a consent for a message. The last ones are kept for approvals.
func (c *Consents) Spend(ctx context.Context, address, template, category string) (tap record.ID, found bool, err error) {
	keep := keepForApprovals
	if notice.Category(category) == notice.Approval {
		keep = 0
	}
	return c.db.spendConsent(ctx, address, template, keep, c.now())
}

// Back gives back a consent for a message that WeChat has not taken.
func (c *Consents) Back(ctx context.Context, tap record.ID, template string) error {
	return c.db.consentBack(ctx, tap, template)
}

// Void ends somebody's consents: WeChat says that he allows nothing.
func (c *Consents) Void(ctx context.Context, address, template string) error {
	return c.db.voidConsents(ctx, address, template, c.now())
}
