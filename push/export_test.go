package push

import (
	"context"
	"time"

	"roadbook/jobs"
	"roadbook/record/notice"
)

// For tests that do a courier's jobs one at a time.
const (
	MaxUnanswered = maxUnanswered
	Abandoned     = abandoned
	PutOffFor     = putOffFor
	AgainAfter    = againAfter
	AgainAtMost   = againAtMost

	GatherOver = gatherOver
	RateOver   = rateOver

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

func (c *Courier) Gather(ctx context.Context, g Gather) error {
	return c.gather(ctx, jobs.Job[Gather]{Args: g, Try: 1})
}

func (c *Courier) Summary(ctx context.Context, s Summary, last bool) error {
	return c.summary(ctx, jobs.Job[Summary]{Args: s, Try: 1, Last: last})
}

func (c *Courier) Escalate(ctx context.Context, e Escalate) error {
	return c.escalate(ctx, jobs.Job[Escalate]{Args: e, Try: 1})
}

// PerDevice is how much of a category a device is told.
func PerDevice(category string) int { return mostOf(category) }

// EscalateAfter is how long a category waits for its person.
func EscalateAfter(c notice.Category) time.Duration { return escalateAfter[c] }
