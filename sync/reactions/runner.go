package reactions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync"
	"roadbook/sync/feed"
	"roadbook/sync/history"
	"roadbook/telemetry"
)

const (
	// atOnce is how many changes a reaction takes in one transaction.
	atOnce = 100
	// stride is how much of a log is looked through in one transaction for changes
	// that a reaction wants to see.
	stride = 10_000
	// maxTries is how often a change is tried that a reaction fails at. Then it is
	// kept for a person, and what comes after it is no longer held up.
	maxTries = 10
)

// Runner runs reactions.
type Runner struct {
	Engine    *sync.Engine
	Reactions []Reaction
	Now       func() time.Time
	Fault     func(error)        // told of what goes wrong
	Metrics   *telemetry.Metrics // may be nil
}

// Run reacts until ctx ends: to what the feed tells at once, and at each tick to
// what nobody has told, or another server has left.
func (r *Runner) Run(ctx context.Context, moved *feed.Everything, ticks <-chan time.Time) {
	for {
		r.catchUp(ctx)
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return
			case <-ticks:
				waiting = false
			case <-moved.Woken():
				for _, org := range moved.Moved() {
					r.org(ctx, org)
				}
			}
		}
	}
}

// catchUp reacts to whatever is left to react to.
func (r *Runner) catchUp(ctx context.Context) {
	names := make([]string, len(r.Reactions))
	for i, re := range r.Reactions {
		names[i] = re.Name()
	}
	orgs, err := r.Engine.Store.Behind(ctx, names)
	if err != nil {
		r.fault(ctx, err)
		return
	}
	for _, org := range orgs {
		r.org(ctx, org)
	}
}

// org lets every reaction come to the end of a log. One that fails does not hold
// up the others; the next tick tries again.
func (r *Runner) org(ctx context.Context, org record.OrgID) {
	for _, re := range r.Reactions {
		for more := true; more && ctx.Err() == nil; {
			var err error
			if more, err = r.Step(ctx, org, re); err != nil {
				r.fault(ctx, fmt.Errorf("the reaction %s to org %d: %w", re.Name(), org, err))
				more = false
			}
		}
	}
}

func (r *Runner) fault(ctx context.Context, err error) {
	if ctx.Err() == nil && r.Fault != nil {
		r.Fault(err)
	}
}

// Step lets a reaction go on by some changes, and reports whether there is more.
func (r *Runner) Step(ctx context.Context, org record.OrgID, re Reaction) (more bool, err error) {
	var failed error
	_, err = r.Engine.Store.React(ctx, org, re.Name(), func(in *store.Reacting) (store.Reached, error) {
		upTo := min(in.Head.Seq, in.At.Seq+stride)
		if upTo <= in.At.Seq {
			return in.At, nil
		}
		rows, err := in.EntriesAbout(ctx, re.Kinds(), in.At.Seq, upTo, atOnce)
		if err != nil {
			return in.At, err
		}
		if len(rows) == atOnce {
			upTo = rows[atOnce-1].Seq
		}
		more = upTo < in.Head.Seq
		s := &step{Runner: r, re: re, in: in}
		at, err := s.rows(ctx, rows, upTo)
		failed, more = s.failed, more && s.failed == nil
		return at, err
	})
	return more && err == nil, errors.Join(err, failed)
}

// step is some changes in hand.
type step struct {
	*Runner

	re     Reaction
	in     *store.Reacting
	failed error // at the row where it stops
}

// rows reacts to rows of the log and says how far it has come.
func (s *step) rows(ctx context.Context, rows []store.Entry, upTo record.Seq) (store.Reached, error) {
	if len(rows) == 0 {
		return store.Reached{Seq: upTo}, nil
	}
	schema, err := s.Engine.Schema(ctx, s.in.Tx, s.in.Head)
	if err != nil {
		return s.in.At, err
	}
	for i := range rows {
		e := &rows[i]
		err := s.row(ctx, e, view{tx: s.in.Tx, schema: schema})
		switch {
		case err == nil:
			s.Metrics.Fed(s.re.Name(), s.Now().Sub(e.Arrived))
			continue
		case ctx.Err() != nil || errs.KindOf(err) == errs.Busy: // the database's fault and not the row's
			return s.in.At, err
		}
		tries := 1
		if i == 0 {
			tries += s.in.At.Tries
		}
		if tries < maxTries {
			s.failed = fmt.Errorf("at %d, try %d of %d: %w", e.Seq, tries, maxTries, err)
			return store.Reached{Seq: e.Seq - 1, Tries: tries}, nil
		}
		s.fault(ctx, fmt.Errorf("the reaction %s to org %d has given up at %d: %w", s.re.Name(), s.in.Org, e.Seq, err))
		if err := s.in.Fail(ctx, s.re.Name(), e.Seq, err.Error(), s.Now()); err != nil {
			return s.in.At, err
		}
	}
	return store.Reached{Seq: upTo}, nil
}

// row reacts to one row.
func (s *step) row(ctx context.Context, e *store.Entry, v view) (err error) {
	defer func() {
		if said := recover(); said != nil {
			err = fmt.Errorf("panic: %v", said)
		}
	}()
	edits, err := history.Read(e.Body)
	if err != nil {
		return err
	}
	kinds := s.re.Kinds()
	if !slices.ContainsFunc(edits, func(l history.Logged) bool { return slices.Contains(kinds, l.Kind) }) {
		return nil
	}
	c := &Change{
		Org: s.in.Org, Seq: e.Seq, ID: e.ID, Person: e.Person, Typed: time.UnixMilli(e.Stamp.MS).UTC(), Arrived: e.Arrived, Edits: edits,
	}
	effects, err := s.re.React(ctx, v, c)
	if err != nil {
		return err
	}
	if len(effects.Edits) > 0 {
		if err := s.commit(ctx, c, effects.Edits); err != nil {
			return err
		}
	}
	for _, later := range effects.Later {
		if err := later(ctx, s.in.Jobs); err != nil {
			return err
		}
	}
	return nil
}

// commit writes what follows. It is on disk before the reaction moves on; if that
// is not, the engine knows it again.
func (s *step) commit(ctx context.Context, c *Change, edits [][]record.Edit) error {
	outcomes, err := s.Engine.Commit(ctx, c.Org, proposals(s.re.Name(), c, edits))
	if err != nil {
		return err
	}
	for _, o := range outcomes {
		if o.Result == record.Refused && o.Refusal.Code != "rewritten" { // committed before, from what stood then
			return fmt.Errorf("what follows from %d was refused: %s (%s)", c.Seq, o.Refusal.Detail, o.Refusal.Code)
		}
	}
	return nil
}
