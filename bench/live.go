package bench

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"roadbook/push/socket/swarm"
	"roadbook/record"
	"roadbook/version"
)

const (
	marksTaken = 40 // in each run
	markEach   = 10 * time.Millisecond
	heardIn    = 10 * time.Second
	loadRate   = 1_000 // mutations a second, one in each push
)

// takeLive is how long it takes from the sending of a push until another
// device has what it says, when nothing else happens and beside a load.
func takeLive(ctx context.Context, w *world) ([]Row, error) {
	idle, err := w.fromPhoneToPhone(ctx)
	if err != nil {
		return nil, err
	}
	load, halt := context.WithCancel(ctx)
	group, load := errgroup.WithContext(load)
	sent := new(atomic.Int64)
	if err := w.load(load, group, sent); err != nil {
		halt()
		return nil, err
	}
	sent.Store(0)
	begun := w.Now()
	loaded, err := w.fromPhoneToPhone(ctx)
	rate := float64(sent.Load()) / w.Now().Sub(begun).Seconds()
	halt()
	if failed := group.Wait(); failed != nil && ctx.Err() == nil && load.Err() == nil {
		return nil, failed
	}
	if err != nil {
		return nil, err
	}
	p50, p99 := quantile(idle, 0.5), quantile(idle, 0.99)
	busy50, busy99 := quantile(loaded, 0.5), quantile(loaded, 0.99)
	return []Row{
		one("push sent to another device has it, p50", "ms", p50).target("≤ 2", p50 <= 2),
		one("the same, p99", "ms", p99).target("≤ 8", p99 <= 8),
		one("under load, p50", "ms", busy50).target("≤ 4", busy50 <= 4).note("%s writes/s", figure(rate)),
		one("under load, p99", "ms", busy99).target("≤ 15", busy99 <= 15),
	}, nil
}

func one(name, unit string, v float64) Row { return row(name, unit, v) }

// fromPhoneToPhone has one device of a rep write and another of his listen.
func (w *world) fromPhoneToPhone(ctx context.Context) (took []float64, err error) {
	writer, err := w.signIn(ctx, login(0))
	if err != nil {
		return nil, err
	}
	listener, err := w.signIn(ctx, login(0))
	if err != nil {
		return nil, err
	}
	held, err := listener.sync(ctx, "", "")
	if err != nil {
		return nil, err
	}
	s := swarm.New(w.live(), []swarm.Seat{{Token: listener.token, Cursor: held.cursor, Replica: string(listener.replica)}}, w.Now)
	s.Open()
	defer s.Close()
	for range w.Runs * marksTaken {
		frame, err := writer.frame([]record.Edit{w.marked("account", "short_name", w.accounts[0][0])})
		if err != nil {
			return nil, err
		}
		begun := w.Now()
		if err := writer.push(ctx, frame); err != nil {
			return nil, err
		}
		within, cancel := context.WithTimeout(ctx, heardIn)
		at := s.Await(within, w.mark, 1)
		cancel()
		if len(at) == 0 {
			return nil, fmt.Errorf("a change did not reach the other device in %s", heardIn)
		}
		took = append(took, ms(at[0].Sub(begun)))
		if err := w.Sleep(ctx, markEach); err != nil {
			return nil, err
		}
	}
	return took, nil
}

func (w *world) live() string {
	return "ws" + strings.TrimPrefix(w.url, "http") + "/v1/sync/live"
}

// marked is an edit that the swarm notices.
func (w *world) marked(kind, field string, id record.ID) record.Edit {
	w.mark++
	return record.Edit{
		Op: record.OpEdit, Kind: kind, ID: id, Seen: version.Vector{version.Log: uint64(w.head)},
		Set: record.Values{}.With(field, text(swarm.MarkText(w.mark))),
	}
}

// load has the team write one mutation after the other, so many a second in
// all, until ctx ends.
func (w *world) load(ctx context.Context, group *errgroup.Group, sent *atomic.Int64) error {
	team, err := w.team(ctx, w.Size.Phones)
	if err != nil {
		return err
	}
	each := time.Duration(len(team)) * time.Second / loadRate
	for i, p := range team {
		group.Go(func() error {
			next := w.Now().Add(each * time.Duration(i) / time.Duration(len(team)))
			for {
				if err := w.Sleep(ctx, next.Sub(w.Now())); err != nil {
					return nil //nolint:nilerr // that is how it ends
				}
				next = next.Add(each)
				frame, err := p.frame(p.queue(7)[6:])
				if err == nil {
					err = p.push(ctx, frame)
				}
				if err != nil {
					return err
				}
				sent.Add(1)
			}
		})
	}
	return nil
}
