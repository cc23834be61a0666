package push

import (
	"context"

	"roadbook/jobs"
)

// For tests that do a courier's jobs one at a time.
const (
	MaxUnanswered = maxUnanswered
	Abandoned     = abandoned
	PutOffFor     = putOffFor
	AgainAfter    = againAfter
	AgainAtMost   = againAtMost

	KeepRead       = keepRead
	KeepUnread     = keepUnread
	KeepDeliveries = keepDeliveries
)

// DeliverLast is the last try of a job.
func (c *Courier) DeliverLast(ctx context.Context, d Deliver) error {
	return c.deliver(ctx, jobs.Job[Deliver]{Args: d, Try: jobs.MaxTries, Last: true})
}

func (c *Courier) Deliver(ctx context.Context, d Deliver) error {
	return c.deliver(ctx, jobs.Job[Deliver]{Args: d, Try: 1})
}

func (c *Courier) Silence(ctx context.Context, s Silence) error {
	return c.silence(ctx, jobs.Job[Silence]{Args: s, Try: 1})
}
