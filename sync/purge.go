package sync

import (
	"context"
	"strconv"
	"time"

	"roadbook/access"
	"roadbook/record"
	"roadbook/store"
)

// Horizon is how long a device may be away and still be told what has gone: half
// a year, a season of a rep who is ill or abroad. One that stays longer compares
// what it has.
const Horizon = 180 * 24 * time.Hour

// What one step of a purge takes: a commit of some size, so that pushes hardly
// notice.
const (
	purgeAtOnce = 100
	indexAtOnce = 1000
	purgeRests  = 3 // times as long as a step took: pushes have three quarters of the disk to themselves
)

// Purged is what a purge has come to.
type Purged struct {
	Horizon record.Seq // as it is now
	Records int        // tombstones
	Index   int64      // rows that said that something had left, or where it was once
	Rest    int64
}

// Purge moves the horizon of an org to what is as old as keep, and deletes what
// nobody can ask for any more: tombstones, rows of what has left, grants that
// have ended. The log stays. It goes in small steps between which others commit,
// and may be interrupted and repeated.
func (e *Engine) Purge(ctx context.Context, org record.OrgID, keep time.Duration) (p Purged, err error) {
	if p.Horizon, err = e.moveHorizon(ctx, org, e.Now().Add(-keep)); err != nil || p.Horizon == 0 {
		return p, err
	}
	for after, more := record.NoID, true; more && err == nil; {
		err = e.paced(ctx, func() error {
			n, next, err := e.purgeTombs(ctx, org, after, p.Horizon)
			after, more = next, !next.IsZero()
			p.Records += n
			return err
		})
	}
	if err == nil {
		p.Index, err = e.purgeIndex(ctx, org, p.Horizon)
	}
	if err == nil {
		p.Rest, err = e.Store.PurgeRest(ctx, org, p.Horizon, indexAtOnce)
	}
	return p, err
}

// paced does one step and rests.
func (e *Engine) paced(ctx context.Context, step func() error) error {
	begun := e.Now()
	if err := step(); err != nil || e.Rest == nil {
		return err
	}
	return e.Rest(ctx, purgeRests*max(0, e.Now().Sub(begun)))
}

// moveHorizon moves the horizon, as a row of the log, if there is anything to
// move it to. What is not yet on a second machine keeps the vectors of its
// records: it may have to be given back.
func (e *Engine) moveHorizon(ctx context.Context, org record.OrgID, before time.Time) (horizon record.Seq, err error) {
	err = e.Store.Snapshot(ctx, org, func(tx store.Tx, _ store.Head) (err error) {
		horizon, err = tx.SeqAt(ctx, before)
		return err
	})
	if err != nil {
		return 0, err
	}
	err = e.submit(ctx, org, &job{who: access.Caller{Org: org}, run: func(w *work) error {
		if horizon <= w.head.Horizon {
			horizon = w.head.Horizon
			return nil
		}
		w.head.Horizon = horizon
		if e.Durable != nil {
			w.head.Floor = max(w.head.Floor, min(horizon, e.Durable(org)))
		}
		w.logOwn(w.next(), `[{"op":"horizon","set":{"seq":"`+horizon.String()+`"}}]`)
		return nil
	}})
	return horizon, err
}

// purgeTombs deletes some tombstones, as a row of the log: whoever remembers
// records must notice. It returns where to go on, nowhere at the end.
func (e *Engine) purgeTombs(ctx context.Context, org record.OrgID, after record.ID, upTo record.Seq) (n int, next record.ID, err error) {
	err = e.submit(ctx, org, &job{who: access.Caller{Org: org}, run: func(w *work) error {
		n, next = 0, record.NoID // a transaction may be run again
		ids, err := w.tx.Tombs(w.ctx, after, upTo, purgeAtOnce)
		if err != nil || len(ids) == 0 {
			return err
		}
		if len(ids) == purgeAtOnce {
			next = ids[len(ids)-1]
		}
		redirects := make(map[record.ID]bool, len(ids))
		for _, id := range ids {
			redirects[redirectID(id)] = true
		}
		if err := w.loadRecords(redirects); err != nil {
			return err
		}
		for _, id := range ids {
			if leads(w.records[redirectID(id)]) {
				continue // it is there again when the merge is undone
			}
			if rec, known := w.records[id]; known && rec != w.was[id] {
				continue // somebody has brought it back in this very transaction
			}
			w.records[id], w.was[id] = nil, nil
			w.purged = append(w.purged, id)
			n++
		}
		if n > 0 {
			w.logOwn(w.next(), `[{"op":"purge","set":{"records":`+strconv.Itoa(n)+`}}]`)
		}
		return nil
	}})
	return n, next, err
}

func (e *Engine) purgeIndex(ctx context.Context, org record.OrgID, upTo record.Seq) (purged int64, err error) {
	scopes, err := e.Store.ScopesOf(ctx, org)
	for _, scope := range scopes {
		for after, more := record.Seq(0), true; more && err == nil; more = after != 0 {
			err = e.paced(ctx, func() error {
				next, n, err := e.Store.PurgeIndex(ctx, org, scope, after, upTo, indexAtOnce)
				after, purged = next, purged+n
				return err
			})
		}
	}
	return purged, err
}

// Housekeep does for every org what is to be done now and then: it gives up what
// has been parked for too long, and conflicts that nobody decides, and purges.
func (e *Engine) Housekeep(ctx context.Context, keep time.Duration) error {
	late, err := e.Store.Expiring(ctx, e.Now())
	if err != nil {
		return err
	}
	for _, org := range late {
		for more := true; more; {
			if more, err = e.Expire(ctx, org); err != nil {
				return err
			}
		}
	}
	orgs, err := e.Store.Orgs(ctx)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		if _, err := e.ExpireConflicts(ctx, org); err != nil {
			return err
		}
		if _, err := e.Purge(ctx, org, keep); err != nil {
			return err
		}
	}
	return nil
}
