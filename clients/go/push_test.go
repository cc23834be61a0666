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

// Those who were told the same second come back one after another, and nobody
// earlier than he was told.
func TestSync_comesALittleLater(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	spread := 0.0
	p.cfg.Spread = func() float64 { return spread }
	p.patient()
	for _, spread = range []float64{0, 0.5, 0.75} {
		s.next("/v1/sync/pull", problem(http.StatusServiceUnavailable, wire.Problem{Kind: "busy", Code: "crowded"}))
		_, err := p.Sync(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, []time.Duration{7 * time.Second, 7500 * time.Millisecond, 7750 * time.Millisecond}, p.waited)
}

// An appointment is no failure: it is kept more often than a try that comes to
// nothing is repeated, but not for ever.
func TestSync_keepsItsAppointments(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.patient()
	crowded := problem(http.StatusServiceUnavailable, wire.Problem{Kind: "busy", Code: "crowded"})
	for range 40 {
		s.next("/v1/sync/pull", crowded)
	}
	_, err := p.Sync(t.Context())
	require.NoError(t, err)
	require.Len(t, p.waited, 40)

	for range 100 {
		s.next("/v1/sync/pull", crowded)
	}
	_, err = p.Sync(t.Context())
	require.Equal(t, "crowded", errs.CodeOf(err))
	require.Len(t, p.waited, 40+40+7)
}

// A sign-in waits for its turn where the server says when that is, and for
// nothing else: somebody stands before the device.
func TestSignIn_waitsForItsTurn(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := newPhone(t, s)
	p.patient()
	s.next("/v1/auth/login", problem(http.StatusServiceUnavailable, wire.Problem{Kind: "busy", Code: "crowded"}))
	require.NoError(t, p.SignIn(t.Context(), "demo", "lin", "secret"))
	require.Equal(t, []time.Duration{7 * time.Second}, p.waited)

	s.next("/v1/auth/login", problem(http.StatusTooManyRequests, wire.Problem{Kind: "limited", Code: "locked"}))
	require.Error(t, p.SignIn(t.Context(), "demo", "lin", "secret"))
	p.net.Offline(true)
	require.Error(t, p.SignIn(t.Context(), "demo", "lin", "secret"))
	require.Len(t, p.waited, 1)
}
