package sync

import (
	"context"
	"strings"

	"roadbook/access"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/pages"
	"roadbook/sync/wire"
)

// Seat is a device that is up to date and listens.
type Seat = pages.Seat

// Stretch is a piece of an org's log, read once for all who listen.
type Stretch = pages.Stretch

// Pull answers with the next page of what is new for a device. A device that
// asks to be shown something else than before, or whose person may see
// something else, has that put into the log first.
func (e *Engine) Pull(ctx context.Context, who access.Caller, r *wire.PullRequest) ([]byte, error) {
	return e.pages.Pull(ctx, who, r)
}

// Check compares what a device holds with what it must hold, and mends what
// differs.
func (e *Engine) Check(ctx context.Context, who access.Caller, r *wire.CheckRequest) ([]byte, error) {
	return e.pages.Check(ctx, who, r)
}

// Filling reports whether scopes are still being filled for whoever has this
// cursor, so that the next page is a long one.
func (e *Engine) Filling(who access.Caller, cursor string) bool {
	return e.pages.Filling(who, cursor)
}

// Sit is a pull of a device that goes on to listen. There is no seat for one
// that has more to pull.
func (e *Engine) Sit(ctx context.Context, who access.Caller, r *wire.PullRequest) ([]byte, *Seat, error) {
	return e.pages.Sit(ctx, who, r)
}

// Stretch reads what has happened in some scopes since a place in the log. It
// is nil if that is more than should be told unasked.
func (e *Engine) Stretch(ctx context.Context, org record.OrgID, from record.Seq, scopes []record.ScopeID) (*Stretch, error) {
	return e.pages.Stretch(ctx, org, from, scopes)
}

// Tell appends the frame with the page that a pull from where a device stands
// would answer, and says where it stands then. Nothing is appended if there is
// nothing for the device. ok is false if what was read for all is not enough
// for this one.
func (e *Engine) Tell(dst []byte, s *Seat, st *Stretch, most int) (frame []byte, next *Seat, ok bool) {
	return e.pages.Tell(e.ctx, dst, s, st, most)
}

// settleView puts into the log what a device is shown from now on.
func (e *Engine) settleView(ctx context.Context, who access.Caller, wish pages.Wish) error {
	return e.submit(ctx, who.Org, &job{who: who, run: func(w *work) error {
		if err := w.grantView(who, wish); err != nil {
			return err
		}
		return w.grantPins(who, wish.Pins)
	}})
}

// grantView settles what a device is shown from here on, if that has not been
// done meanwhile.
func (w *work) grantView(who access.Caller, wish pages.Wish) error {
	known, err := w.tx.Views(w.ctx, who.Device)
	if err != nil || len(known) == 0 {
		return err
	}
	for _, s := range w.shown {
		if s.Device == who.Device {
			known = append(known, s.View)
		}
	}
	actor, err := w.actor(who.Person)
	if err != nil {
		return err
	}
	now := wish.On(known.Now(), w.schema)
	now.Sight = pages.SightOf(w.schema, actor)
	if now.SameWant(known.Now()) && now.SameSight(known.Now()) {
		return nil
	}
	now.Seq = w.next()
	w.shown = append(w.shown, store.Shown{Device: who.Device, View: now})
	w.logOwn(now.Seq, `[{"op":"view","id":"`+who.Device.String()+`","set":{"from":"`+now.From.Text()+`","kinds":`+w.kindsText(now.Kinds)+`}}]`)
	return nil
}

// logOwn writes a row of the log that no mutation makes.
func (w *work) logOwn(seq record.Seq, body string) {
	writer := w.writers[w.head.Server]
	m := &record.Mutation{N: writer.N + 1, ID: w.rowID(writer)}
	w.append(writer, m, store.Entry{Seq: seq, Stamp: writer.Stamp, Result: record.Applied, Body: []byte(body)})
}

func (w *work) kindsText(kinds []int16) string {
	if kinds == nil {
		return "null"
	}
	return `["` + strings.Join(pages.KindNames(w.schema, kinds), `","`) + `"]`
}
