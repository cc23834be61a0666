package device

import (
	"context"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

// How much is pushed at once. A frame that does not come through is halved the
// next time, one that does is doubled: in a lift it is a visit at a time, on
// the office network a whole day.
const (
	firstFrameBytes = 1 << 20
	leastFrameBytes = 16 << 10
	mostFrameBytes  = 4 << 20 // half of what the server takes
)

// maxIdle is how often in a row the server may answer without anything coming
// of it. One that goes on is broken, and would be asked for ever.
const maxIdle = 4

// maxShrunk is how often a frame may be too large before that is an error: by
// then it has been halved down to the least.
const maxShrunk = 10

// Push sends the outbox, in order. Whatever answer is lost, it may be called
// again: the same mutations go out again and have one effect. It stops at the
// first trouble that is not its own to deal with.
func (d *Device) Push(ctx context.Context) (Report, error) {
	d.net.Lock()
	defer d.net.Unlock()
	var r Report
	err := d.push(ctx, &r)
	return r, err
}

func (d *Device) push(ctx context.Context, r *Report) error {
	for idle := 0; idle < maxIdle; idle++ {
		if err := d.heal(ctx, r); err != nil {
			return err
		}
		frame := d.nextFrame()
		if frame == nil {
			return nil
		}
		before := r.progress()
		if err := d.pushFrame(ctx, frame, r); err != nil {
			return err
		}
		if r.progress() > before {
			idle = -1
		}
	}
	return internal("device.Push", "the server gives no verdict on what it is sent")
}

// pushFrame sends a frame of the outbox and does what the answer asks for.
func (d *Device) pushFrame(ctx context.Context, frame *wire.Push, r *Report) error {
	err := d.send(ctx, frame, r)
	p, ours := asProblem(err)
	switch {
	case err == nil || !ours:
		return err
	case p.Code == codeHole:
		return d.fillHole(ctx, frame, p.NextN, r)
	case d.isRestored(p):
		return d.change(func(b *batch) error {
			d.hear(p.Epoch, wire.Durable{}, version.Stamp{}, b)
			return nil
		})
	case p.Code == codeReplica:
		return d.giveUp(err)
	case p.Code == codeFork:
		return d.change(func(b *batch) error { return d.fork(&p.Problem, r, b) })
	}
	return d.soften(err, p, r)
}

// isRestored reports whether the server does not know us by this name because it
// was restored. Our journal makes it know us again.
func (d *Device) isRestored(p *problem) bool {
	return p.Code == codeReplica && p.Epoch != "" && p.Epoch != d.Status().Epoch
}

// soften deals with what any push may be told: that it is too large, or that
// the log is in another epoch. The next frame then is another.
func (d *Device) soften(err error, p *problem, r *Report) error {
	switch {
	case p.Code == codeSize && r.Shrunk < maxShrunk:
		r.Shrunk++
		return nil
	case errs.KindOf(err) == errs.Stale && p.Epoch != "":
		return d.change(func(b *batch) error {
			if p.Apart {
				d.markApart(b)
			}
			d.hear(p.Epoch, wire.Durable{}, version.Stamp{}, b)
			return nil
		})
	}
	return err
}

// send sends a frame and takes the verdicts in.
func (d *Device) send(ctx context.Context, frame *wire.Push, r *Report) error {
	answer := &wire.PushAnswer{}
	err := d.call(ctx, "/v1/sync/push", frame, answer)
	switch errs.CodeOf(err) {
	case codeOffline, codeSize, codeSlow:
		d.frameBytes = max(d.frameBytes/2, leastFrameBytes)
	}
	if err != nil {
		return err
	}
	d.frameBytes = min(d.frameBytes*2, mostFrameBytes)
	return d.change(func(b *batch) error {
		d.settleAll(answer.Outcomes, answer.Epoch, r, b)
		d.hear(answer.Epoch, answer.Durable, answer.High, b)
		return nil
	})
}

func (d *Device) settleAll(outcomes []record.Outcome, epoch string, r *Report, b *batch) {
	for i := range outcomes {
		d.settle(&outcomes[i], epoch, r, b)
	}
}

// nextFrame is the beginning of the outbox, nil if that is empty.
func (d *Device) nextFrame() *wire.Push {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if len(d.outbox) == 0 {
		return nil
	}
	return d.frame(d.id.Replica, d.outbox)
}

// frame makes a frame of the first of these entries: as many as fit, with n
// that follow each other, and always one.
func (d *Device) frame(replica version.Replica, entries []*entry) *wire.Push {
	first := entries[0]
	frame := &wire.Push{
		Replica: replica, Epoch: d.sight.Epoch, Prev: first.Prev.String(),
		SentMS: d.cfg.Now().UnixMilli(), Cursor: d.sight.Cursor,
	}
	room := d.frameBytes
	for i, en := range entries {
		room -= en.Bytes
		if i > 0 && (room < 0 || en.Mutation.N != first.Mutation.N+uint64(i)) || i == wire.MaxPush {
			break
		}
		m := en.Mutation
		if m.Again = en.again(); m.Returns() && frame.Lineage == nil {
			frame.Lineage = d.lineage(replica)
		}
		frame.Mutations = append(frame.Mutations, m)
	}
	return frame
}

// lineage is what a replica was before, for a server that has lost it.
func (d *Device) lineage(replica version.Replica) []wire.Ancestor {
	var out []wire.Ancestor
	for _, a := range d.id.Lineage {
		if a.Replica == replica {
			break
		}
		out = append(out, wire.Ancestor{Replica: a.Replica, Last: a.Last})
	}
	return out[max(0, len(out)-wire.MaxLineage):]
}
