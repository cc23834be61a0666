package main

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"roadbook/demo"
	"roadbook/errs"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/sync"
)

// ahead is how many batches are made while one is being committed.
const ahead = 4

// founder makes orgs with the demo's people and records. Everything goes
// through the door that everybody uses, so what it makes has passed every
// check, and a machine that founds quickly also syncs quickly.
type founder struct {
	pool   *people.Pool
	people *people.Service
	engine *sync.Engine
	tell   func(done, all int) // how far it has come
}

// found makes the org called name, or goes on with one whose making was
// interrupted; one that is whole it leaves alone. The org's day is the one on
// which it was begun, so that going on makes what beginning would have made.
func (f *founder) found(ctx context.Context, name string, size demo.Options) (made int, err error) {
	org, err := f.org(ctx, name)
	if err != nil {
		return 0, err
	}
	begun, err := store.BeginningOf(ctx, f.pool, org)
	if err != nil || begun.Whole {
		return 0, err
	}
	size.Midnight = demo.Midnight(begun.At)
	plan := demo.New(size)
	if err := f.publish(ctx, org); err != nil {
		return 0, err
	}
	if err := f.fill(ctx, org, plan); err != nil {
		return 0, fmt.Errorf("founding the org %s: %w", name, err)
	}
	return plan.Records(), store.MarkWhole(ctx, f.pool, org)
}

// fill writes everything. To do it twice is to do it once.
func (f *founder) fill(ctx context.Context, org record.OrgID, plan *demo.Org) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, p := range demo.People() { // hashing keeps one core busy, records the other
		group.Go(func() error {
			return f.people.SetPassword(ctx, org, demo.PersonID(p.Login), p.Login, demo.Password)
		})
	}
	group.Go(func() error { return f.commit(ctx, org, plan) })
	return group.Wait()
}

// org finds the org, or begins it. Of two servers that begin one at the same
// time, both go on with the one that is there then.
func (f *founder) org(ctx context.Context, name string) (record.OrgID, error) {
	for {
		org, err := store.OrgByName(ctx, f.pool, name)
		if errs.KindOf(err) != errs.Missing {
			return org.ID, err
		}
		id, err := f.people.CreateOrg(ctx, name)
		if errs.KindOf(err) != errs.Clash {
			return id, err
		}
	}
}

func (f *founder) publish(ctx context.Context, org record.OrgID) error {
	log, err := store.LogOf(ctx, f.pool, org)
	if err != nil || log.Schema == shipped.Schema().Version {
		return err
	}
	return f.engine.Publish(ctx, org, shipped.Schema())
}

// commit writes all records in order, a batch to a transaction; what an
// interrupted founding has written already is passed over.
func (f *founder) commit(ctx context.Context, org record.OrgID, plan *demo.Org) error {
	group, ctx := errgroup.WithContext(ctx)
	batches := make(chan []sync.Proposal, ahead)
	group.Go(func() error {
		defer close(batches)
		for batch := range inBatches(plan.Proposals()) {
			select {
			case batches <- batch:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	group.Go(func() error { return f.commitAll(ctx, org, batches, plan.Records()) })
	return group.Wait()
}

func (f *founder) commitAll(ctx context.Context, org record.OrgID, batches <-chan []sync.Proposal, all int) error {
	done, again := 0, true
	for batch := range batches {
		var err error
		if again {
			again, err = f.committed(ctx, org, batch)
		}
		if err == nil && !again {
			err = f.commitBatch(ctx, org, batch)
		}
		if err != nil {
			return err
		}
		done += len(batch)
		f.tell(done, all)
	}
	return nil
}

// committed reports whether a batch is in the log already. Batches are
// committed in order, so the first that is not ends the search.
func (f *founder) committed(ctx context.Context, org record.OrgID, batch []sync.Proposal) (bool, error) {
	ids := make([]record.ID, len(batch))
	for i := range batch {
		ids[i] = batch[i].Mutation.ID
	}
	n, err := store.Accepted(ctx, f.pool, org, ids)
	return n == len(batch), err
}

func (f *founder) commitBatch(ctx context.Context, org record.OrgID, batch []sync.Proposal) error {
	outcomes, err := f.engine.Commit(ctx, org, batch)
	if err != nil {
		return err
	}
	for i, o := range outcomes {
		if o.Result == record.Refused {
			return refusedError(batch[i].Mutation, o.Refusal)
		}
	}
	return nil
}

// refusedError is for us: what the demo proposes, nobody may refuse. Only a
// founding that another version of the program began, or with other numbers,
// can meet it.
func refusedError(m record.Mutation, r *record.Refusal) error {
	e := m.Edits[0]
	detail := fmt.Sprintf("%s %s %s: %s (%s, %s)", e.Op, e.Kind, e.ID, r.Detail, r.Kind, r.Code)
	for _, f := range r.Fields {
		detail += fmt.Sprintf("; %s %s", f.Field, f.Detail)
	}
	return errs.New("roadbook.found", errs.Internal, "a record of the demo was refused, which must not happen: %s. If another "+
		"version of Roadbook began this org, or with another number of records, begin one under another name; where it is "+
		"the only one, moving the data folder away starts anew", detail)
}
