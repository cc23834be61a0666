package reminders

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg"
	"roadbook/sync"
)

const (
	// PassEvery is how often the rules of an org are applied to all of its records:
	// time goes by without anybody changing anything. What is changed is looked at
	// at once.
	PassEvery = time.Hour
	// pageSize is how many records are looked at in one transaction, and maxPages
	// how many of these one org gets before it is another's turn.
	pageSize = 500
	maxPages = 40
)

// Applying is the job of applying the rules of an org to records that have changed.
type Applying struct {
	Org     record.OrgID `json:"org"`
	Records []record.ID  `json:"records"`
}

// Kind implements jobs.Args.
func (Applying) Kind() string { return "reminders.apply" }

// Apply applies the rules of an org to some records, and to the follow-ups of the
// customers among them: whether these are overdue is seen by when the customer was
// contacted.
func (s *Service) Apply(ctx context.Context, org record.OrgID, ids []record.ID) error {
	return s.db.inTx(ctx, func(tx pg.Tx) error {
		e := &evaluation{Service: s, org: org, now: s.Now()}
		err := e.evaluate(ctx, tx, func(v sync.Sight) ([]store.Row, error) {
			rows, err := v.Tx.Records(ctx, ids)
			kind := v.Schema.Kind("follow_up")
			if err != nil || kind == nil || !slices.ContainsFunc(e.watches, func(w *watch) bool { return w.kind == kind }) {
				return rows, err
			}
			more, err := v.Tx.ChildrenOf(ctx, ids, kind, pageSize)
			return append(rows, more...), err
		})
		if err == nil && e.failed > 0 {
			err = errors.New(e.why)
		}
		return err
	})
}

// Passes goes on with looking through the records of all orgs whose turn it is.
func (s *Service) Passes(ctx context.Context) error {
	orgs, err := s.db.passes(ctx, s.Now())
	if err != nil {
		return err
	}
	var failed []error
	for _, org := range orgs {
		for range maxPages {
			more, err := s.page(ctx, org)
			if err != nil {
				failed = append(failed, fmt.Errorf("the rules of org %d: %w", org, err))
			}
			if err != nil || !more {
				break
			}
		}
	}
	return errors.Join(failed...)
}

// page applies the rules to the next records of an org, and reports whether there
// are more.
func (s *Service) page(ctx context.Context, org record.OrgID) (more bool, err error) {
	err = s.db.inTx(ctx, func(tx pg.Tx) error {
		now := s.Now()
		p, free, err := lockPass(ctx, tx, org, now)
		if err != nil || !free {
			return err
		}
		e := &evaluation{Service: s, org: org, now: now, primes: !p.Primed}
		n := 0
		err = e.evaluate(ctx, tx, func(v sync.Sight) ([]store.Row, error) {
			rows, err := v.Tx.RecordsAfter(ctx, p.After, pageSize)
			if n = len(rows); n > 0 {
				p.After = rows[n-1].ID
			}
			return rows, err
		})
		if err != nil {
			return err
		}
		more = n == pageSize || !p.Primed
		next := now
		if n < pageSize {
			p.After = record.NoID
			if p.Primed {
				next = now.Add(PassEvery)
			}
			p.Primed = true
		}
		return movePass(ctx, tx, p, next, e.failed, e.why)
	})
	return more, err
}
