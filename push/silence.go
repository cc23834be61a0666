package push

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"roadbook/jobs"
)

// stillSending is when somebody is asked again to take away what was on its way
// to him the first time.
const stillSending = 5 * time.Second

// silence takes a notification away from the devices that show it. Who has
// answered is not asked again.
func (c *Courier) silence(ctx context.Context, j jobs.Job[Silence]) error {
	a := j.Args
	if err := c.db.reached(ctx, a.Org, a.Notification); err != nil {
		return err // he knows of it, whatever became of what was sent
	}
	shown, under, err := c.db.shown(ctx, a.Org, a.Notification, c.Now())
	if err != nil {
		return err
	}
	var failed []error
	for _, ch := range c.Channels {
		var to []Address
		for _, r := range shown {
			if _, finds := ch.(Finder); r.Channel == ch.Name() && (finds || r.Token != "") {
				to = append(to, Address{Device: r.Device, Token: r.Token, Receipt: r.receipt})
			}
		}
		if len(to) > 0 {
			failed = append(failed, c.hush(ctx, a, ch, to))
		}
	}
	failed = append(failed, c.silenceDigests(ctx, a))
	if err := errors.Join(failed...); err != nil {
		return err
	}
	if under {
		return jobs.Later(stillSending)
	}
	return nil
}

// silenceDigests takes away a message that has told of several, once all of them
// were read.
func (c *Courier) silenceDigests(ctx context.Context, a Silence) error {
	digests, err := c.db.digestsOf(ctx, a.Org, a.Notification)
	if err != nil {
		return err
	}
	for _, digest := range digests {
		members, err := c.db.gathered(ctx, a.Org, digest)
		if err != nil {
			return err
		}
		over, err := c.over(ctx, a.Org, members)
		if err != nil {
			return err
		}
		if slices.Contains(slices.Collect(maps.Values(over)), "") {
			continue // somebody must still be told of one
		}
		if err := c.silence(ctx, jobs.Job[Silence]{Args: Silence{Org: a.Org, Notification: digest}}); err != nil {
			return err
		}
	}
	return nil
}

// hush takes it away by one channel.
func (c *Courier) hush(ctx context.Context, s Silence, ch Channel, to []Address) error {
	within, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	var failed []error
	for i, a := range ch.Send(within, Message{ID: s.Notification, Read: true}, to) {
		if a.Again || a.Silent {
			failed = append(failed, fmt.Errorf("%s: %w", ch.Name(), a.Err))
			continue
		}
		failed = append(failed, c.db.answered(ctx, s.Org, s.Notification, to[i].Device, ch.Name(), stateSilenced, "", "", c.Now()))
	}
	return errors.Join(failed...)
}
