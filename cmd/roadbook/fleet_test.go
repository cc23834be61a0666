package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	device "roadbook/clients/go"
	"roadbook/demo"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg"
)

// fleet is phones that type and push without a pause, whatever becomes of their
// server, and what each was told is accepted.
type fleet struct {
	t      *testing.T
	phones []*fleetPhone
	stop   context.CancelFunc
	work   errgroup.Group
}

type fleetPhone struct {
	*device.Device

	mu    sync.Mutex
	typed []record.ID // mutations, all of them
	acked int         // how many of those are accepted: pushes keep the order
	tries int         // pushes that have come to an end
	tasks []record.ID
}

// newFleet signs phones in at servers in turn and sets them to work.
func newFleet(t *testing.T, phones int, urls ...string) *fleet {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	f := &fleet{t: t, stop: stop}
	for i := range phones {
		d, err := device.Open(device.Config{
			BaseURL: urls[i%len(urls)], Now: now, NewID: newID, Sleep: sleepNow, Kind: "phone", Platform: "android 15", App: "1.0.0", Lang: "en",
			HTTP: &http.Client{Transport: &http.Transport{}, Timeout: patience},
		})
		require.NoError(t, err)
		t.Cleanup(func() { _ = d.Close() })
		require.NoError(t, d.SignIn(t.Context(), demo.Name, []string{"lin", "zhou", "wang"}[i%3], demo.Password))
		p := &fleetPhone{Device: d}
		f.phones = append(f.phones, p)
		f.work.Go(func() error { return p.toil(ctx) })
	}
	t.Cleanup(f.rest) // before they are closed
	return f
}

// sleepNow waits little: these phones are in a hurry.
func sleepNow(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(min(d, often)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// toil goes on until ctx ends. Trouble that may pass is what it is here for; all
// else ends it.
func (p *fleetPhone) toil(ctx context.Context) error {
	for round := 1; ctx.Err() == nil; round++ {
		if err := p.type3(round); err != nil {
			return err
		}
		_, err := p.Push(ctx)
		if err == nil && round%8 == 0 {
			_, err = p.Pull(ctx)
		}
		p.count()
		if err != nil && ctx.Err() == nil {
			if kind := errs.KindOf(err); kind != errs.Busy && kind != errs.Stale {
				return fmt.Errorf("a phone was told %s: %w", kind, err)
			}
		}
		_ = sleepNow(ctx, often) // so that they do not take the whole machine
	}
	return nil
}

// type3 makes two tasks and deletes one of before.
func (p *fleetPhone) type3(round int) error {
	if p.Status().Outbox > 200 {
		return nil // it has been offline for long; this test would only become slow
	}
	for i := range 2 {
		id, err := p.Mutate(func(t *device.Typing) error {
			p.tasks = append(p.tasks, t.Create("task", device.Values{"title": fmt.Sprintf("call %d.%d", round, i), "status": "open"}))
			return nil
		})
		if err != nil {
			return err
		}
		p.note(id)
	}
	if len(p.tasks) < 20 {
		return nil
	}
	id, err := p.Mutate(func(t *device.Typing) error {
		t.Delete("task", p.tasks[0])
		return nil
	})
	p.tasks = p.tasks[1:]
	p.note(id)
	return err
}

func (p *fleetPhone) note(mutation record.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.typed = append(p.typed, mutation)
}

// count finds out how far the server has said yes.
func (p *fleetPhone) count() {
	left := p.Status().Outbox
	p.mu.Lock()
	defer p.mu.Unlock()
	p.acked = len(p.typed) - left
	p.tries++
}

func (p *fleetPhone) tried() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tries
}

// accepted are the mutations that the phones have been told are accepted.
func (f *fleet) accepted() (all []record.ID) {
	for _, p := range f.phones {
		p.mu.Lock()
		all = append(all, p.typed[:p.acked]...)
		p.mu.Unlock()
	}
	return all
}

// acceptedAtLast is what they were told is accepted by somebody who is dead now:
// what he said last has arrived when each has found him dead.
func (f *fleet) acceptedAtLast() []record.ID {
	f.t.Helper()
	for _, p := range f.phones {
		from := p.tried()
		require.Eventually(f.t, func() bool { return p.tried() > from+1 }, patience, often, "a phone hangs")
	}
	return f.accepted()
}

// progress waits until so many more have been accepted.
func (f *fleet) progress(more int) {
	f.t.Helper()
	from := len(f.accepted())
	require.Eventually(f.t, func() bool { return len(f.accepted()) >= from+more }, 2*patience, often,
		"nothing is accepted any more")
}

// rest ends the work.
func (f *fleet) rest() {
	f.stop()
	if err := f.work.Wait(); err != nil {
		f.t.Error(err)
	}
}

// settle has every phone finish, and returns all that was typed.
func (f *fleet) settle() (typed []record.ID) {
	f.t.Helper()
	f.rest()
	for _, p := range f.phones {
		_, err := p.Sync(f.t.Context())
		require.NoError(f.t, err)
		require.Zero(f.t, p.Status().Outbox)
		require.Empty(f.t, p.Refused())
		typed = append(typed, p.typed...)
		for _, id := range p.tasks {
			_, there := p.Get(id)
			require.True(f.t, there, "what was typed is there")
		}
	}
	return typed
}

// inLog makes sure that each of some mutations is in the log once.
func inLog(t *testing.T, pool *pg.Pool, ids []record.ID) {
	t.Helper()
	var rows, different int
	require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		// Whatever the org and the name are: not as the servers look rows up, which here
		// would be the whole log for each of them.
		if _, err := tx.Exec(t.Context(), `SET LOCAL enable_hashjoin = on; SET LOCAL enable_seqscan = on`); err != nil {
			return err
		}
		return tx.QueryRow(t.Context(), `SELECT count(*), count(DISTINCT m.id)
			FROM mutations m JOIN unnest($1::uuid[]) u(id) ON u.id = m.id`, rawIDs(ids)).Scan(&rows, &different)
	}))
	require.Equal(t, len(ids), different, "what was accepted is lost")
	require.Equal(t, len(ids), rows, "something is there twice")
}

func rawIDs(ids []record.ID) [][16]byte {
	raw := make([][16]byte, len(ids))
	for i, id := range ids {
		raw[i] = id
	}
	return raw
}

// wholeLog makes sure that the log of the demo org has no gap and its chain
// holds.
func wholeLog(t *testing.T, pool *pg.Pool) {
	t.Helper()
	org, err := store.OrgByName(t.Context(), pool, demo.Name)
	require.NoError(t, err)
	require.NoError(t, store.New(pool).Snapshot(t.Context(), org.ID, func(tx store.Tx, head store.Head) error {
		chain := make([]byte, 32)
		for seq := record.Seq(1); seq <= head.Seq; seq++ {
			e, err := tx.Entry(t.Context(), seq)
			require.NoError(t, err, "the log has a gap")
			chain = e.Link(chain)
		}
		require.Equal(t, head.Chain, chain, "the chain of the log is broken")
		return nil
	}))
}
