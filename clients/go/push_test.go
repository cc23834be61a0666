package device_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/clients/go/badnet"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

func TestPush_lostAnswer(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	id := p.create("account", device.Values{"name": "Acme"})
	require.NoError(t, p.Edit("account", id, func(dr *device.Draft) { dr.Inc("points", 5) }))

	for _, fate := range []badnet.Fate{badnet.LoseRequest, badnet.LoseAnswer, badnet.CutAnswer} {
		p.net.Next(fate)
		_, err := p.Push(t.Context())
		require.Equal(t, errs.Busy, errs.KindOf(err))
		require.Equal(t, 2, p.Status().Outbox, "a lost answer takes nothing out of the outbox")
	}
	p.reopen()
	r := p.push()

	require.Len(t, r.Outcomes, 2)
	require.True(t, r.Outcomes[0].Repeated)
	sent := s.pushes()
	require.Len(t, sent, 3)
	require.Equal(t, sent[0].Mutations, sent[1].Mutations, "the same again")
	require.Equal(t, sent[0].Mutations, sent[2].Mutations, "the same again")
	require.JSONEq(t, "5", string(s.records[id].fields["points"]), "one effect")
	require.Zero(t, p.Status().Outbox)
	require.Empty(t, p.push().Outcomes)
}

func TestPush_refused(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.refuse = func(m *record.Mutation) *record.Refusal {
		if m.Edits[0].Set.Text("name") == "bad" {
			return &record.Refusal{Kind: errs.Invalid, Code: "required", Detail: "a customer needs an address"}
		}
		return nil
	}
	p := signedIn(t, s)
	p.give(s, page("c1", full(acme, 7, "name", "Acme")))
	p.set(acme, "name", "bad")
	p.set(acme, "remark", "good")
	created := p.create("account", device.Values{"name": "bad"})

	p.push()
	p.reopen()

	require.Equal(t, "Acme", p.text(acme, "name"), "rolled back")
	require.Equal(t, "good", p.text(acme, "remark"), "its neighbour stands")
	_, there := p.Get(created)
	require.False(t, there)
	view, _ := p.Get(acme)
	require.Equal(t, "a customer needs an address", view.Refused)
	refused := p.Refused()
	require.Len(t, refused, 2)
	require.Equal(t, "bad", refused[0].Mutation.Edits[0].Set.Text("name"), "what was typed is kept")
	require.Equal(t, "required", refused[0].Refusal.Code)

	require.NoError(t, p.Dismiss(refused[0].Mutation.ID))
	p.reopen()
	require.Len(t, p.Refused(), 1)
	view, _ = p.Get(acme)
	require.Empty(t, view.Refused)
}

// The overlay stays until a complete pull has passed the verdict.
func TestPush_overlayStaysUntilPulled(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	id := p.create("account", device.Values{"name": "Acme", "points": 1})
	p.push()
	require.Equal(t, "Acme", p.text(id, "name"))
	s.next("/v1/sync/pull",
		answer(&wire.PullAnswer{Cursor: "c1", Epoch: "e1"}), // incomplete
		answer("this is no page"))
	_, err := p.Pull(t.Context())
	require.Error(t, err)
	p.reopen()
	view, ok := p.Get(id)
	require.True(t, ok)
	require.True(t, view.Pending)

	p.give(s, page("c2"))

	_, ok = p.Get(id)
	require.False(t, ok, "the pull is the truth, whatever it says")
	require.Zero(t, p.Status().Settled)
	require.Equal(t, 1, p.Status().Journal, "it is not known to be safe")
}

func TestPush_framesShrinkAndGrow(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	long := strings.Repeat("x", 50_000)
	for range 30 {
		p.create("account", device.Values{"name": long})
	}
	for range wire.MaxPush + 1 {
		p.create("account", nil)
	}
	for range 5 {
		p.net.Next(badnet.LoseAnswer)
		_, err := p.Push(t.Context())
		require.Error(t, err)
	}
	p.push()
	require.Zero(t, p.Status().Outbox)
	sent := s.pushes()
	require.Less(t, len(sent[4].Mutations), len(sent[0].Mutations), "a frame that is lost is smaller the next time")
	for _, f := range sent {
		require.LessOrEqual(t, len(f.Mutations), wire.MaxPush)
	}
}

func TestPush_tooLarge(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.create("account", nil)
	tooLarge := problem(http.StatusRequestEntityTooLarge, wire.Problem{Kind: "invalid", Code: "size"})
	s.next("/v1/sync/push", tooLarge, tooLarge)
	p.push()
	require.Zero(t, p.Status().Outbox)
}

// Below what was acknowledged, a hole means that the server has lost it.
func TestPush_holeBelowTheJournal(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	for range 3 {
		p.create("account", device.Values{"name": "Acme", "points": 1})
	}
	lost := s.backup()
	p.push()
	s.restore(lost)
	id := p.create("account", nil)

	r := p.push()

	require.Equal(t, 3, r.Repushed)
	require.Len(t, s.records, 4)
	require.NotNil(t, s.records[id])
	again := s.pushes()[2].Mutations[0].Again
	require.NotNil(t, again, "with the proof of the first verdict")
	require.Equal(t, "e1", again.Epoch)
	require.NotEmpty(t, again.Receipt)
	require.Zero(t, p.Status().Outbox)
}

// If only the later mutations of a push got their verdicts, from a pull, what
// fills the hole below them lies in the outbox.
func TestPush_holeBelowTheOutbox(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	empty := s.backup()
	p.create("account", nil)
	p.net.Next(badnet.LoseAnswer)
	_, err := p.Push(t.Context())
	require.Error(t, err)
	p.pull() // a first sync, which brings no verdicts
	p.create("account", nil)
	p.net.Next(badnet.LoseAnswer)
	_, err = p.Push(t.Context())
	require.Error(t, err)
	p.pull()
	require.Equal(t, uint64(1), p.last().N)
	require.Equal(t, 1, p.Status().Journal)
	s.restore(empty)

	_, err = p.Sync(t.Context())

	require.NoError(t, err)
	require.Len(t, s.records, 2)
	require.Zero(t, p.Status().Outbox)
	require.Empty(t, p.Status().Lineage)
}

// A hole that no journal can fill ends the replica and loses nothing.
func TestPush_holeThatNothingFills(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	empty := s.backup()
	p.create("account", nil)
	s.durable = wire.Durable{Epoch: "e1", Seq: 101}
	p.push()
	require.Zero(t, p.Status().Journal, "it was said to be safe")
	s.restore(empty)
	id := p.create("account", nil)

	_, err := p.Push(t.Context())
	require.Equal(t, "hole", errs.CodeOf(err))
	p.reopen()
	require.NoError(t, p.SignIn(t.Context(), "demo", "lin", "secret"))
	p.push()

	require.Equal(t, version.Replica("fresh1e2"), p.Status().Replica)
	require.NotNil(t, s.records[id])
}

func TestPush_journalIsTrimmedByEpochAndSeq(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.create("account", nil)
	s.durable = wire.Durable{Epoch: "e0", Seq: 200}
	p.push()
	require.Equal(t, 1, p.Status().Journal, "a seq of another epoch says nothing")
	p.create("account", nil)
	s.durable = wire.Durable{Epoch: "e1", Seq: 101}
	p.push()
	require.Equal(t, 1, p.Status().Journal)
	s.durable = wire.Durable{Epoch: "e1", Seq: 102}
	p.pull()
	require.Zero(t, p.Status().Journal)
}

// A server that has lost the very name of the replica gets the outbox under
// another.
func TestPush_nameThatTheServerHasLost(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	id := p.create("account", nil)
	s.next("/v1/sync/push", problem(http.StatusForbidden, wire.Problem{Kind: "denied", Code: "replica"}))
	_, err := p.Push(t.Context())
	require.Equal(t, errs.Clash, errs.KindOf(err))
	require.NoError(t, p.SignIn(t.Context(), "demo", "lin", "secret"))
	p.push()
	require.Equal(t, version.Replica("fresh1e1"), p.Status().Replica)
	require.NotNil(t, s.records[id])
}

// A clone and its original write as one replica until the server notices.
func TestPush_fork(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.create("account", device.Values{"name": "both"})
	p.push()
	twin := p.twin()
	p.create("account", device.Values{"name": "original"})
	p.push()
	one := twin.create("account", device.Values{"name": "clone"})
	twin.set(one, "name", "clone, edited")
	typed := twin.Outbox()

	r := twin.push()

	require.Equal(t, 2, r.Relabelled)
	require.Equal(t, version.Replica("fresh1e1"), twin.Status().Replica)
	require.Len(t, twin.Status().Lineage, 1)
	require.Len(t, s.records, 3, "every edit survives")
	sent := s.pushes()
	last := sent[len(sent)-1]
	require.Empty(t, last.Prev)
	for i, m := range last.Mutations {
		require.Equal(t, uint64(i+1), m.N)
		require.Equal(t, typed[i].ID, m.ID)
		require.Equal(t, typed[i].Stamp, m.Stamp)
		require.Equal(t, typed[i].After, m.After)
	}
	twin.reopen()
	twin.create("account", nil)
	require.Equal(t, uint64(3), twin.last().N)
	twin.push()
}

// After a restore a twin may have taken the n of what was acknowledged: the
// fork begins there, and not where the server stumbled.
func TestPush_forkInTheJournal(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.create("account", device.Values{"name": "both", "points": 1})
	p.push()
	empty := s.backup()
	twin := p.twin()
	lost := twin.create("account", device.Values{"name": "acknowledged", "points": 7})
	bad := twin.create("account", nil)
	s.refuse = func(m *record.Mutation) *record.Refusal {
		if m.Edits[0].ID == bad {
			return &record.Refusal{Code: "no"}
		}
		return nil
	}
	twin.push()
	require.Len(t, twin.Refused(), 1)
	s.restore(empty)
	for range 2 {
		p.create("account", device.Values{"name": "original"})
	}
	p.push()
	twin.create("account", device.Values{"name": "pending"})

	r := twin.push()

	require.Equal(t, 2, r.Relabelled, "what was refused stays refused")
	require.Len(t, twin.Refused(), 1)
	require.JSONEq(t, "7", string(s.records[lost].fields["points"]), "it is back, once")
	require.Len(t, s.records, 5)
	sent := s.pushes()
	last := sent[len(sent)-1].Mutations
	require.Equal(t, lost, last[0].Edits[0].ID, "in the order in which they were typed")
	require.NotNil(t, last[0].Again)
	require.Nil(t, last[1].Again)
	require.Zero(t, twin.Status().Outbox)
	require.Equal(t, uint64(2), twin.Status().LastN)
}

// twin is the phone restored from a backup, or cloned.
func (p *phone) twin() *phone {
	p.t.Helper()
	c := *p
	c.store = &mortal{Memory: p.store.Clone()}
	c.cfg.Store = c.store
	c.cfg.NewID = newIDs()
	c.open()
	return &c
}

// Outcomes go by id: under the same n a twin may have written.
func TestSettle_byIDOnly(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.create("account", nil)
	m := p.last()
	foreign := page("c1")
	foreign.Outcomes = []record.Outcome{{N: m.N, ID: acme, Result: record.Applied, Seq: 5}}
	p.give(s, foreign)
	require.Equal(t, 1, p.Status().Outbox)

	own := page("c2")
	own.Outcomes = []record.Outcome{{N: 99, ID: m.ID, Result: record.Applied, Seq: 6}}
	p.give(s, own)
	require.Zero(t, p.Status().Outbox)
	require.Zero(t, p.Status().Settled, "the pull that brought the verdict has passed it")
}

func TestSettle_parked(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	id := p.create("account", device.Values{"name": "Acme"})
	m := p.last()
	s.next("/v1/sync/push", answer(&wire.PushAnswer{
		Epoch: "e1", Durable: wire.Durable{Epoch: "e1", Seq: 9},
		Outcomes: []record.Outcome{{N: 1, ID: m.ID, Result: record.Parked, Seq: 5}},
	}))
	p.push()
	p.give(s, page("c1"))
	p.reopen()
	require.Len(t, p.Parked(), 1)
	_, there := p.Get(id)
	require.False(t, there, "the server does not show it either")

	end := page("c2")
	gone := &record.Refusal{Code: "missing"}
	end.Outcomes = []record.Outcome{{N: 1, ID: m.ID, Result: record.Refused, Seq: 50, Refusal: gone}}
	p.give(s, end)

	require.Empty(t, p.Parked())
	require.Len(t, p.Refused(), 1)
}

func TestPush_wantsASignIn(t *testing.T) {
	t.Parallel()
	p := newPhone(t, newServer(t))
	p.create("account", nil)
	_, err := p.Push(t.Context())
	require.Equal(t, errs.Anonymous, errs.KindOf(err))
}

// What passes is waited for, as long as the server asks for and longer each
// time.
func TestSync_waits(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.patient()
	p.create("account", nil)
	s.next("/v1/sync/push", problem(http.StatusServiceUnavailable, wire.Problem{Kind: "busy"}))
	p.net.Next(badnet.Through, badnet.LoseAnswer, badnet.LoseRequest)

	r, err := p.Sync(t.Context())

	require.NoError(t, err)
	require.Equal(t, []time.Duration{7 * time.Second, time.Second, 2 * time.Second}, p.waited)
	require.Equal(t, 3, r.Attempts)
	require.Len(t, r.Outcomes, 1)

	p.net.Offline(true)
	_, err = p.Sync(t.Context())
	require.Equal(t, errs.Busy, errs.KindOf(err))
	require.Len(t, p.waited, 3+7, "not for ever")
}

// A push that the server will not have does not keep the news away.
func TestSync_pullsEvenIfThePushIsRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.patient()
	p.create("account", nil)
	s.next("/v1/sync/push", problem(http.StatusForbidden, wire.Problem{Kind: "denied", Code: "upgrade"}))
	s.next("/v1/sync/pull", answer(page("c1", full(acme, 7, "name", "Acme"))))

	_, err := p.Sync(t.Context())

	require.Equal(t, "upgrade", errs.CodeOf(err))
	require.Equal(t, "Acme", p.text(acme, "name"))
	require.Equal(t, 1, p.Status().Outbox)
}
