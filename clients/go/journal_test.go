package device_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/clients/go/badnet"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

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
