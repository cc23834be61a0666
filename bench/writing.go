package bench

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"roadbook/record"
)

// takePush is a whole team that comes back into the network at once.
func takePush(ctx context.Context, w *world) ([]Row, error) {
	if err := w.makeBare(ctx); err != nil {
		return nil, err
	}
	team, err := w.team(ctx, w.Size.Phones)
	if err != nil {
		return nil, err
	}
	if _, err := w.round(ctx, team); err != nil { // the first one warms up
		return nil, err
	}
	count := float64(w.Size.Phones * w.Size.Queue)
	var rate, bare, server, postgres []float64
	for range w.Runs {
		limit, err := w.upsertRate(ctx)
		if err != nil {
			return nil, err
		}
		before, err := w.processors(ctx)
		if err != nil {
			return nil, err
		}
		took, err := w.round(ctx, team)
		if err != nil {
			return nil, err
		}
		cost, err := w.spentSince(ctx, before)
		if err != nil {
			return nil, err
		}
		rate, bare = append(rate, count/took.Seconds()), append(bare, limit)
		server = append(server, float64(cost.server.Microseconds())/count)
		postgres = append(postgres, float64(cost.postgres.Microseconds())/count)
	}
	r := row(fmt.Sprintf("merged mutations over HTTP, %d phones × %d", w.Size.Phones, w.Size.Queue), "/s", rate...).beside("bare upsert", bare)
	return []Row{
		r.target("≥ 25,000 and ≥ 0.30", r.Value >= 25_000 && r.Ratio >= 0.3),
		row("processor time of the server for a mutation", "µs", server...),
		row("processor time of PostgreSQL for a mutation", "µs", postgres...),
	}, nil
}

// team signs so many reps in.
func (w *world) team(ctx context.Context, n int) ([]*phone, error) {
	team := make([]*phone, n)
	for i := range team {
		p, err := w.signIn(ctx, login(i))
		if err != nil {
			return nil, err
		}
		p.rep = i
		team[i] = p
	}
	return team, nil
}

// round has every phone push its queue at the same time.
func (w *world) round(ctx context.Context, team []*phone) (time.Duration, error) {
	frames := make([][]byte, len(team))
	for i, p := range team {
		var err error
		if frames[i], err = p.frame(p.queue(w.Size.Queue)); err != nil {
			return 0, err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	begun := w.Now()
	for i, p := range team {
		group.Go(func() error { return p.push(ctx, frames[i]) })
	}
	err := group.Wait()
	return w.Now().Sub(begun), err
}

// takeSingle is one phone on its own: a queue, and one mutation.
func takeSingle(ctx context.Context, w *world) ([]Row, error) {
	team, err := w.team(ctx, 1)
	if err != nil {
		return nil, err
	}
	p := team[0]
	send := func(edits []record.Edit) (float64, error) {
		frame, err := p.frame(edits)
		if err != nil {
			return 0, err
		}
		begun := w.Now()
		err = p.push(ctx, frame)
		return ms(w.Now().Sub(begun)), err
	}
	var queue, one, disk []float64
	for i := range 20 * w.Runs {
		if i%2 == 0 {
			took, err := send(p.queue(w.Size.Queue))
			if err != nil {
				return nil, err
			}
			queue = append(queue, took)
		}
		sync, err := w.syncTime()
		if err != nil {
			return nil, err
		}
		took, err := send(p.queue(7)[6:])
		if err != nil {
			return nil, err
		}
		one, disk = append(one, took), append(disk, ms(sync))
	}
	many, single := row(fmt.Sprintf("one phone's queue of %d", w.Size.Queue), "ms", queue...), row("one mutation", "ms", one...).beside("fsync", disk)
	return []Row{many.target("≤ 12", many.Value <= 12), single.target("≤ 1", single.Value <= 1)}, nil
}
