package device

import (
	"context"
	"time"

	"roadbook/errs"
	"roadbook/record"
)

// Limits of a sync.
const (
	maxAttempts = 8                      // of which nothing comes; with the waits between them about two minutes
	firstWait   = 500 * time.Millisecond // doubled each time
	mostWait    = 30 * time.Second
	leastLate   = time.Second // over which those spread who were told the same second
	maxTurns    = 40          // appointments with a crowded server, which keeps our place
	maxRounds   = 4           // of push and pull, while something is left to push
)

// Report is what came of talking to the server.
type Report struct {
	Outcomes   []record.Outcome // verdicts on what was typed, each once
	Pages      int              // pulled
	Changes    int              // in those
	Repushed   int              // verdicts given anew, on what the journal gave back to a restored server
	Relabelled int              // mutations that got another name
	Restarts   int              // pulls begun anew
	Attempts   int              // that did not come through
	Shrunk     int              // frames that were too large
	NotPinned  []record.ID      // accounts that the last page would not pin: they are not there for this person
}

// progress grows whenever something has come of a push.
func (r *Report) progress() int {
	return len(r.Outcomes) + r.Repushed + r.Relabelled + r.Shrunk
}

// Sync pushes, pulls, and does so again if something is left to push. Trouble
// that may pass is waited for, longer each time, and as long as the server asks
// for. What was done before an error stays done.
func (d *Device) Sync(ctx context.Context) (Report, error) {
	d.net.Lock()
	defer d.net.Unlock()
	var r Report
	err := d.patiently(ctx, &r, mayPass, func() error { return d.round(ctx, &r) })
	if err == nil {
		d.refreshSieves(ctx)
	}
	return r, err
}

// patiently tries until something comes through, or is not worth another try.
func (d *Device) patiently(ctx context.Context, r *Report, worth func(error) bool, try func() error) error {
	wait, turns := firstWait, 0
	for attempt := 1; ; attempt++ {
		before := r.progress() + r.Pages
		err := try()
		if r.progress()+r.Pages > before {
			attempt, wait = 1, firstWait // what has come through is not sent again
		}
		if errs.CodeOf(err) == codeCrowded && turns < maxTurns {
			attempt--
			turns++
		}
		if err == nil || !worth(err) || d.cfg.Sleep == nil || attempt == maxAttempts {
			return err
		}
		r.Attempts++
		if err := d.pause(ctx, wait, err); err != nil {
			return err
		}
		wait = min(wait*2, mostWait)
	}
}

// round pushes and pulls until nothing is left. A push that the server will
// not have does not keep the news away.
func (d *Device) round(ctx context.Context, r *Report) error {
	for range maxRounds {
		pushErr := d.push(ctx, r)
		if mayPass(pushErr) || ctx.Err() != nil {
			return pushErr
		}
		if err := d.pull(ctx, 0, r); err != nil {
			return err
		}
		if pushErr != nil {
			return pushErr
		}
		if d.Status().Outbox == 0 {
			return nil
		}
	}
	return nil // somebody types faster than the network carries; the next sync goes on
}

// pause waits before the next attempt: as long as the server asks for and never
// less, or else a part of wait that chance draws. Whoever was asked to wait for
// so many whole seconds comes a little later than that, or all who were told the
// same would come in the same instant.
func (d *Device) pause(ctx context.Context, wait time.Duration, cause error) error {
	after := RetryAfter(cause)
	if d.cfg.Spread != nil {
		spread := d.cfg.Spread()
		wait = time.Duration(float64(wait) * spread)
		if after > 0 {
			after += time.Duration(float64(max(leastLate, after/8)) * spread)
		}
	}
	return d.cfg.Sleep(ctx, max(wait, after))
}
