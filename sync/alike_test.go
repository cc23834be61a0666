package sync_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync"
	"roadbook/sync/wire"
)

// seat pulls what is left, and listens from there.
func (p *phone) seat() *sync.Seat {
	p.w.t.Helper()
	p.pull()
	r := p.request()
	r.Digest = false
	_, seat, err := p.w.engine.Sit(p.w.t.Context(), p.who, &r)
	require.NoError(p.w.t, err)
	require.NotNil(p.w.t, seat)
	return seat
}

// since reads for some who listen what has happened since a place in the log.
func (w *world) since(from record.Seq, seats ...*sync.Seat) *sync.Stretch {
	w.t.Helper()
	var scopes []record.ScopeID
	for _, s := range seats {
		scopes = append(scopes, s.Scopes()...)
	}
	slices.Sort(scopes)
	st, err := w.engine.Stretch(w.t.Context(), w.org, from, slices.Compact(scopes))
	require.NoError(w.t, err)
	return st
}

// told is what a device is told of a stretch, which must be what a pull answers.
func (p *phone) told(s *sync.Seat, st *sync.Stretch) (page wire.LivePage) {
	p.w.t.Helper()
	frame, next, ok := p.w.engine.Tell(nil, s, st, 64<<10)
	require.True(p.w.t, ok)
	require.NotEmpty(p.w.t, frame)
	require.NoError(p.w.t, json.Unmarshal(frame, &page))
	require.Equal(p.w.t, s.Cursor(), page.From)
	require.Equal(p.w.t, next.Cursor(), page.Cursor)
	pulled := p.ask(wire.PullRequest{Replica: p.replica, Cursor: s.Cursor()})
	pulled.ServerTime = page.ServerTime
	require.Equal(p.w.t, pulled, page.PullAnswer)
	return page
}

// Devices that are alike get one page, each with a cursor of its own; whatever a
// page depends on, and be it one thing alone, keeps devices apart.
func TestTell_alike(t *testing.T) {
	t.Parallel()

	lins := func(w *world) (a, b *phone) { return w.phone("lin"), w.phone("lin") }
	remark := func(w *world, shop record.ID) { w.office("account", shop, values("remark", "好")) }
	tests := []struct {
		name    string
		devices func(w *world) (a, b *phone) // lin by default
		before  func(w *world, shop record.ID, b *phone)
		change  func(w *world, shop record.ID) // a remark by default
		between func(w *world)
		behind  bool // the first does not hear what was before
		shared  bool
		own     bool // the second has a pull of its own
	}{
		{name: "all is the same", shared: true},
		{name: "one has come later", shared: true, before: func(w *world, _ record.ID, _ *phone) { w.shops("zhou", 2) }},
		{name: "one was shown less for a while", shared: true, before: func(_ *world, _ record.ID, b *phone) {
			b.kinds = []string{"account"}
			b.pull()
			b.kinds = []string{}
		}},
		{name: "one wants other kinds", before: func(_ *world, _ record.ID, b *phone) { b.kinds = []string{"account", "contact"} }},
		{name: "one wants less of the past", before: func(_ *world, _ record.ID, b *phone) { b.from = "2026-11" }},
		{
			name: "one may see more fields", devices: func(w *world) (a, b *phone) { return w.phone("gao"), w.phone("chen") },
			change: func(w *world, _ record.ID) { w.office("user", w.person(w.org, "gao"), values("mobile", "13800138000")) },
		},
		{
			name: "one holds it through another scope", devices: func(w *world) (a, b *phone) { return w.phone("lin"), w.phone("zhou") },
			before: func(w *world, shop record.ID, _ *phone) {
				w.propose(w.org, record.Edit{
					Op: record.OpEdit, Kind: "account", ID: shop, Add: values("collaborators", []record.ID{w.person(w.org, "zhou")}),
				})
			},
		},
		{name: "one has heard the first half", behind: true, before: func(w *world, shop record.ID, _ *phone) {
			w.office("account", shop, values("short_name", "旺"))
		}},
		{
			name: "one has pinned something else", own: true,
			before: func(w *world, _ record.ID, b *phone) { b.pins = w.shops("lin", 1) },
		},
		{name: "more is durable meanwhile", between: func(w *world) {
			end := w.end().Seq
			w.engine.Durable = func(record.OrgID) record.Seq { return end - 1 }
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			w.engine.Durable = func(record.OrgID) record.Seq { return 1 }
			shop := w.shops("lin", 1)[0]
			devices, change := tt.devices, tt.change
			if devices == nil {
				devices = lins
			}
			if change == nil {
				change = remark
			}
			a, b := devices(w)
			its := a.seat()
			b.pull()
			if tt.before != nil {
				tt.before(w, shop, b)
			}
			others := b.seat()
			if !tt.behind {
				its = a.seat()
			}
			change(w, shop)
			st := w.since(its.Upto(), its, others)

			first := a.told(its, st)
			w.pass(time.Second)
			if tt.between != nil {
				tt.between(w)
			}
			if tt.own {
				_, _, ok := w.engine.Tell(nil, others, st, 64<<10)
				require.False(t, ok)
				return
			}
			second := b.told(others, st)

			require.Equal(t, tt.shared, second.ServerTime.Equal(first.ServerTime), "whether it is the same page")
		})
	}
}

// A verdict is told to the device that waits for it and to nobody else, whoever
// is told first.
func TestTell_verdicts(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	a, b, c := w.phone("lin"), w.phone("lin"), w.phone("lin")
	shop := w.shops("lin", 1, a, b, c)[0]
	seats := []*sync.Seat{a.seat(), b.seat(), c.seat()}
	b.edit(shop, values("remark", "好"))
	b.push()
	st := w.since(seats[0].Upto(), seats...)

	require.Empty(t, a.told(seats[0], st).Outcomes)
	require.Len(t, b.told(seats[1], st).Outcomes, 1)
	require.Empty(t, c.told(seats[2], st).Outcomes)
}

// Whose parked mutations are settled is told so by a pull of his own, though
// another device that is like his has a page already.
func TestTell_settled(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, other := w.phone("lin"), w.phone("chen"), w.phone("chen")
	lin.sync()
	chen.sync()
	other.sync()
	backup := w.backup()
	shop := lin.create("account", values("name", "兴旺"))
	linAll := slices.Clone(lin.outbox)
	lin.sync()
	chen.sync()
	chen.edit(shop, values("short_name", "旺"))
	all := slices.Clone(chen.outbox)
	chen.sync()
	epoch := chen.epoch
	w.restored(backup)
	require.Equal(t, []record.Result{record.Parked}, results(chen.give(chen.journal(all, epoch, 1))))
	chen.restart()
	other.restart()
	its, others := chen.seat(), other.seat()

	require.Equal(t, []record.Result{record.Applied}, results(lin.give(lin.journal(linAll, epoch, 1))))
	st := w.since(min(its.Upto(), others.Upto()), its, others)

	require.NotEmpty(t, other.told(others, st).Changes)
	_, _, ok := w.engine.Tell(nil, its, st, 64<<10)
	require.False(t, ok)
}

// A device that has been away beyond the horizon, through an epoch, or while
// something happened that was not read, is told nothing, whatever was made for
// others.
func TestTell_elsewhere(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	a, b := w.phone("lin"), w.phone("lin")
	shop := w.shops("lin", 1, a, b)[0]
	away := b.seat()
	w.shops("zhou", 3)
	here := a.seat()
	w.pass(keep + time.Second)
	_, err := w.engine.Purge(t.Context(), w.org, keep)
	require.NoError(t, err)
	w.office("account", shop, values("remark", "好"))

	st := w.since(away.Upto(), here, away)
	require.NotEmpty(t, a.told(here, st).Changes)
	_, _, ok := w.engine.Tell(nil, away, st, 64<<10)
	require.False(t, ok, "the horizon has passed it")

	early := a.seat()
	w.office("account", shop, values("short_name", "旺"))
	late := w.phone("lin")
	here = late.seat()
	w.office("account", shop, values("remark", "好好"))
	st = w.since(here.Upto(), here, early)
	require.NotEmpty(t, late.told(here, st).Changes)
	_, _, ok = w.engine.Tell(nil, early, st, 64<<10)
	require.False(t, ok, "it has not heard what was before")

	here = a.seat()
	_, err = w.engine.NewEpoch(t.Context(), w.org, "a test")
	require.NoError(t, err)
	end := w.end().Seq
	require.Nil(t, w.since(here.Upto(), here))
	w.office("account", shop, values("remark", "更好"))
	_, _, ok = w.engine.Tell(nil, here, w.since(end, here), 64<<10)
	require.False(t, ok, "it stands in another epoch")
}
