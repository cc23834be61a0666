package bench

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"roadbook/sync"
)

const (
	purgePhones = 10 // that push while it goes on,
	purgeEach   = 100 * time.Millisecond
	purgeQuiet  = 5 // times as long as a memory takes to settle: pushes alone, to compare with
	purgeLook   = 100 * time.Millisecond
)

// takePurge has a server purge what was deleted half a year ago while a team
// goes on pushing, and compares how long a push takes with and without.
func takePurge(ctx context.Context, w *world) ([]Row, error) {
	w.halt()
	if err := w.bury(ctx); err != nil {
		return nil, err
	}
	if err := w.serve(ctx); err != nil {
		return nil, err
	}
	quiet := w.Now().Add(purgeQuiet * w.Size.Settle)
	alone, _, err := w.pushUntil(ctx, func(context.Context) (bool, error) { return w.Now().After(quiet), nil })
	if err != nil {
		return nil, err
	}
	w.halt()
	if err := w.age(ctx); err != nil {
		return nil, err
	}
	if err := w.serve(ctx); err != nil { // a server looks for what is to be purged as soon as it is there
		return nil, err
	}
	beside, took, err := w.pushUntil(ctx, w.isPurged)
	if err != nil {
		return nil, err
	}
	rate := row("purge of "+figure(float64(w.Size.Tombs))+" tombstones", "/s", float64(w.Size.Tombs)/took.Seconds())
	p99 := row("a push beside it, p99", "ms", quantile(beside, 0.99)).beside("without", []float64{quantile(alone, 0.99)})
	return []Row{
		rate.note("%s, beside %d pushes", took.Round(time.Second), len(beside)),
		p99.target("≤ 1.5 ×", p99.Ratio <= 1.5).note("p50 %.1f ms, without %.1f ms", quantile(beside, 0.5), quantile(alone, 0.5)),
	}, nil
}

// bury writes tombstones into the database as if the first visits of a rep had
// been deleted so many times over: to delete a million by the door that devices
// use would take longer than all else.
func (w *world) bury(ctx context.Context) error {
	const ofRep = `
		INSERT INTO records (org, kind, state, id, owner, root, scopes, entered, fields, meta, seq)
		SELECT r.org, r.kind, 1, n.id, r.owner, n.id, '{}', '{}', r.fields, r.meta, $2
		  FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, $3)) n
		 CROSS JOIN (SELECT * FROM records WHERE org = $1 AND id = $4) r`
	const left = `
		INSERT INTO scope_index (org, scope, seq, mark, rec, op, kind, month)
		SELECT r.org, s.id, r.seq, 1, r.id, 1, r.kind, 0
		  FROM records r
		  JOIN scopes s ON s.org = r.org AND s.name = 'owner:' || r.owner
		 WHERE r.org = $1 AND r.state = 1`
	w.Say("burying %d records", w.Size.Tombs)
	if _, err := w.pool.Exec(ctx, ofRep, w.org, w.head, w.Size.Tombs, [16]byte(w.accounts[0][0])); err != nil {
		return fmt.Errorf("burying records: %w", err)
	}
	if _, err := w.pool.Exec(ctx, left, w.org); err != nil {
		return fmt.Errorf("burying records: %w", err)
	}
	_, err := w.pool.Exec(ctx, `VACUUM ANALYZE records, scope_index`)
	return err
}

// age makes the log so old that the horizon moves to where it ends.
func (w *world) age(ctx context.Context) error {
	_, err := w.pool.Exec(ctx, `UPDATE mutations SET arrived = arrived - $2::interval WHERE org = $1`, w.org, sync.Horizon+time.Hour)
	return err
}

// isPurged reports whether nothing is left of what was buried.
func (w *world) isPurged(ctx context.Context) (gone bool, err error) {
	err = w.pool.QueryRow(ctx, `
		SELECT NOT EXISTS (SELECT 1 FROM records r WHERE r.org = $1 AND r.state = 1)
		   AND NOT EXISTS (SELECT 1 FROM scope_index i
		                     JOIN scopes s ON s.org = i.org AND s.id = i.scope
		                     JOIN records r ON r.org = i.org AND r.id = $3 AND s.name = 'owner:' || r.owner
		                    WHERE i.org = $1 AND i.seq = $2 AND i.op = 1)`, w.org, w.head, [16]byte(w.accounts[0][0])).Scan(&gone)
	return gone, err
}

// pushUntil has a part of the team push one mutation after the other until
// something is over, and says how long each took and all of it.
func (w *world) pushUntil(ctx context.Context, over func(context.Context) (bool, error)) (took []float64, all time.Duration, err error) {
	team, err := w.team(ctx, min(purgePhones, w.Size.Phones))
	if err != nil {
		return nil, 0, err
	}
	begun := w.Now()
	run, halt := context.WithCancel(ctx)
	defer halt()
	group, pushing := errgroup.WithContext(run)
	each := make([][]float64, len(team))
	for i, p := range team {
		group.Go(func() error {
			for {
				frame, err := p.frame(p.queue(7)[6:])
				if err != nil {
					return err
				}
				sent := w.Now()
				if err := p.push(ctx, frame); err != nil {
					return err
				}
				each[i] = append(each[i], ms(w.Now().Sub(sent)))
				if err := w.Sleep(pushing, purgeEach); err != nil {
					return nil //nolint:nilerr // that is how it ends
				}
			}
		})
	}
	for done := false; !done && err == nil; {
		if done, err = over(pushing); err == nil && !done {
			err = w.Sleep(pushing, purgeLook)
		}
	}
	all = w.Now().Sub(begun)
	halt()
	if failed := group.Wait(); failed != nil {
		err = failed
	}
	for _, some := range each {
		took = append(took, some...)
	}
	return took, all, err
}
