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
)

var bolt = record.MustID("0190a0b0-0000-7000-8000-0000000000b0")

// unfinished is a page with more to come.
func unfinished(cursor string, changes ...wire.Change) *wire.PullAnswer {
	pg := page(cursor, changes...)
	pg.Complete = false
	return pg
}

// Pages are kept back until the pull is complete, and a pull that was cut goes
// on from them, also after a restart.
func TestPull_staged(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	s.next("/v1/sync/pull", answer(unfinished("c1", full(acme, 7, "name", "Acme"))), answer(page("lost")))
	p.net.Next(badnet.Through, badnet.LoseAnswer)
	_, err := p.Pull(t.Context())
	require.Equal(t, errs.Busy, errs.KindOf(err))
	_, there := p.Get(acme)
	require.False(t, there, "half a pull is not shown")
	require.Equal(t, 1, p.Status().Staged)

	p.reopen()
	require.Equal(t, 1, p.Status().Staged)
	p.give(s, page("c2", full(bolt, 8, "name", "Bolt")))

	asked := s.pulls()
	require.Equal(t, "c1", asked[len(asked)-1].Cursor, "it goes on where it was cut")
	require.Equal(t, "Acme", p.text(acme, "name"))
	require.Equal(t, "Bolt", p.text(bolt, "name"))
	require.Zero(t, p.Status().Staged)
	p.reopen()
	require.Zero(t, p.Status().Staged)
	p.give(s, page("c3"))
	asked = s.pulls()
	require.Equal(t, "c2", asked[len(asked)-1].Cursor)
}

func TestPull_pageByPage(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := newPhone(t, s)
	p.cfg.Stage = false
	p.reopen()
	require.NoError(t, p.SignIn(t.Context(), "demo", "lin", "secret"))
	p.set(p.create("account", nil), "name", "own")
	p.push()
	s.next("/v1/sync/pull", answer(unfinished("c1", full(acme, 7, "name", "Acme"))), answer("cut"))
	_, err := p.Pull(t.Context())
	require.Error(t, err)
	p.reopen()

	require.Equal(t, "Acme", p.text(acme, "name"))
	require.Equal(t, 2, p.Status().Settled, "own edits stay until a complete page")
	p.give(s, page("c2", full(bolt, 8, "name", "Bolt")))
	asked := s.pulls()
	require.Equal(t, "c1", asked[len(asked)-1].Cursor)
	require.Zero(t, p.Status().Settled)
}

// Dropped first, then withdrawn, then changed: what is granted anew on the
// same page stays.
func TestPull_order(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	crane := record.MustID("0190a0b0-0000-7000-8000-0000000000c0")
	p.give(s, page("c1",
		full(acme, 7, "cost", "12", "owner:a", "owner:b"),
		full(bolt, 8, "name", "Bolt", "owner:a"),
		full(crane, 9, "name", "Crane", "owner:a"),
	))

	next := page("c2", full(bolt, 8, "name", "Bolt again", "owner:a"), part(acme, 10, "cost", "99"))
	next.DropScopes = []string{"owner:a"}
	next.Withdraw = []wire.Withdraw{{Kind: "account", Fields: []string{"cost"}}}
	p.give(s, next)
	p.reopen()

	require.Equal(t, "Bolt again", p.text(bolt, "name"))
	_, there := p.Get(crane)
	require.False(t, there, "nothing holds it any more")
	require.Equal(t, "99", p.text(acme, "cost"), "withdrawn before the changes, not after")
	only := page("c3")
	only.DropScopes = []string{"owner:a", "owner:b"}
	p.give(s, only)
	require.Zero(t, p.Status().Records)
	require.Zero(t, p.Status().Faults)
}

func TestPull_changes(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.give(s, page("c1", full(acme, 7, "name", "Acme", "owner:a"), full(bolt, 7, "name", "Bolt", "owner:a")))

	moved := wire.Change{Kind: "account", ID: acme, Seq: 7, In: []string{"owner:b"}}
	cleared := wire.Change{Kind: "account", ID: acme, Seq: 9, Set: record.Values{{Field: "name", Raw: []byte("null")}}}
	left := wire.Change{Kind: "account", ID: bolt, Seq: 9, Gone: wire.GoneLeft}
	p.give(s, page("c2", moved, part(acme, 8, "remark", "big"), cleared, left, left))

	view, ok := p.Get(acme)
	require.True(t, ok)
	require.Nil(t, view.Raw("name"))
	require.Equal(t, "big", view.Text("remark"))
	require.Equal(t, record.Seq(9), view.Seq)
	digests := p.Digests(func(string) uint64 { return 1 })
	require.Equal(t, 1, digests["owner:b"].Count)
	require.NotContains(t, digests, "owner:a")
	require.Zero(t, p.Status().Faults)

	p.give(s, page("c3", part(bolt, 10, "name", "Bolt")))
	require.Equal(t, 1, p.Status().Faults, "a part of what is not here")
	require.NoError(t, p.StartOver())
	p.give(s, page("c4", full(bolt, 10, "name", "Bolt")))
	asked := s.pulls()
	require.Empty(t, asked[len(asked)-1].Cursor)
	require.Len(t, p.List("account"), 1)
}

// Own edits of what has gone make nothing appear, and are judged all the same.
func TestPull_goneUnderAnOwnEdit(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.give(s, page("c1", full(acme, 7, "name", "Acme", "owner:a")))
	p.set(acme, "name", "ACME")
	p.give(s, page("c2", wire.Change{Kind: "account", ID: acme, Seq: 9, Gone: wire.GoneLeft}))

	_, there := p.Get(acme)
	require.False(t, there)
	require.Empty(t, p.List("account"))
	require.Equal(t, 1, p.Status().Outbox)
}

// A stale cursor is the end of what was pulled, not of what was typed. What is
// shown changes when the new base is whole.
func TestPull_stale(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"horizon", "epoch", "foreign", "rewound"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.refuse = func(m *record.Mutation) *record.Refusal {
				if m.Edits[0].Set.Text("name") == "bad" {
					return &record.Refusal{Code: "no"}
				}
				return nil
			}
			p := signedIn(t, s)
			p.give(s, page("c1", full(acme, 7, "name", "Acme"), full(bolt, 8, "name", "Bolt")))
			p.create("account", device.Values{"name": "bad"})
			p.push()
			p.set(acme, "name", "mine")
			typed := p.last()
			fill := page("c2", full(bolt, 8, "name", "Bolt Ltd"))
			fill.Filling = true
			s.next("/v1/sync/pull", problem(http.StatusGone, wire.Problem{Kind: "stale", Code: code, Epoch: "e1"}),
				answer(fill), answer("cut"))

			_, err := p.Pull(t.Context())
			require.Error(t, err)
			p.reopen()
			require.True(t, p.Status().StartsOver)
			require.Equal(t, "Bolt", p.text(bolt, "name"), "the old base until the new one is whole")
			p.give(s, page("c3", full(acme, 70, "name", "Acme Ltd")))
			p.reopen()

			require.False(t, p.Status().StartsOver)
			require.Equal(t, "Bolt Ltd", p.text(bolt, "name"))
			require.Equal(t, "mine", p.text(acme, "name"))
			require.Equal(t, typed, p.last(), "the outbox is as it was")
			require.Len(t, p.Refused(), 1)
			require.Equal(t, 1, p.Status().Journal)
			asked := s.pulls()
			require.Empty(t, asked[len(asked)-3].Cursor)
			require.Equal(t, "c2", asked[len(asked)-1].Cursor)
		})
	}
}

func TestPull_staleForEver(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	stale := problem(http.StatusGone, wire.Problem{Kind: "stale", Code: "horizon"})
	s.next("/v1/sync/pull", stale, stale, stale, stale)
	_, err := p.Pull(t.Context())
	require.Equal(t, errs.Stale, errs.KindOf(err))
}

func TestPull_thatDoesNotGoOn(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	for range 10 {
		s.next("/v1/sync/pull", answer(unfinished("c1")))
	}
	_, err := p.Pull(t.Context())
	require.Equal(t, errs.Internal, errs.KindOf(err))
}

// The server was restored to an earlier point: the journal first, under the
// old names, then what is shown, then the outbox.
func TestSync_serverRestored(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	kept := p.create("account", device.Values{"name": "kept", "points": 1})
	_, err := p.Sync(t.Context())
	require.NoError(t, err)
	backup := s.backup()
	p.set(kept, "name", "lost")
	require.NoError(t, p.Edit("account", kept, func(dr *device.Draft) { dr.Inc("points", 5) }))
	made := p.create("account", device.Values{"name": "made"})
	_, err = p.Sync(t.Context())
	require.NoError(t, err)
	s.restore(backup)

	r, err := p.Sync(t.Context())
	require.NoError(t, err)

	require.Equal(t, 4, r.Repushed, "the whole journal, as it is of another epoch")
	require.Equal(t, 1, r.Restarts)
	require.JSONEq(t, "6", string(s.records[kept].fields["points"]), "counted once")
	require.Equal(t, "lost", p.text(kept, "name"))
	require.Equal(t, "made", p.text(made, "name"))
	view, _ := p.Get(kept)
	require.Equal(t, int64(6), view.Number("points"))
	require.False(t, view.Pending)
	require.Equal(t, "e2", p.Status().Epoch)
	before := len(s.pushes())
	_, err = p.Sync(t.Context())
	require.NoError(t, err)
	require.Len(t, s.pushes(), before, "healed once")
}

// An empty cursor does not hide that the epoch has changed.
func TestPull_healsBeforeAFirstPage(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	empty := s.backup()
	id := p.create("account", device.Values{"name": "lost"})
	p.push()
	s.restore(empty)

	p.pull()

	require.NotNil(t, s.records[id])
	require.Equal(t, "lost", p.text(id, "name"))
}

// While scopes are being filled, a record that was made here is shown as
// typed, and nothing is counted twice.
func TestPull_filling(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	made := p.create("account", device.Values{"name": "made"})
	counted := p.create("account", device.Values{"name": "counted", "points": 5})
	p.push()
	points := record.Values{{Field: "points", Raw: []byte("5")}}
	fill := page("c1", wire.Change{Kind: "account", ID: counted, Seq: 102, Full: true, Set: points})
	fill.Filling = true
	s.next("/v1/sync/pull", answer(fill), answer("cut"))
	_, err := p.Pull(t.Context())
	require.Error(t, err)
	p.reopen()

	require.True(t, p.Status().Filling)
	require.Equal(t, "made", p.text(made, "name"))
	view, _ := p.Get(counted)
	require.Equal(t, int64(5), view.Number("points"))
	p.give(s, page("c2", full(made, 101, "name", "made")))
	require.Zero(t, p.Status().Settled)
}

func TestReceive(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.give(s, page("c1", full(acme, 7, "name", "Acme")))

	taken, err := p.Receive("c0", page("c9", part(acme, 9, "name", "no")))
	require.NoError(t, err)
	require.False(t, taken, "it goes on from elsewhere")
	taken, err = p.Receive("c1", page("c2", part(acme, 8, "name", "ACME")))
	require.NoError(t, err)
	require.True(t, taken)

	require.Equal(t, "ACME", p.text(acme, "name"))
	require.Equal(t, "c2", p.Status().Cursor)
}

// A frame may have been cut before the verdict; only what it brings is passed.
func TestReceive_liftsOnlyWhatItBrings(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.give(s, page("c1", full(acme, 7, "name", "Acme")))
	p.set(acme, "name", "ACME")
	id := p.last().ID
	p.push()

	_, err := p.Receive("c1", page("c2"))
	require.NoError(t, err)
	require.Equal(t, "ACME", p.text(acme, "name"))

	brings := page("c3", part(acme, 101, "name", "ACME!"))
	brings.Outcomes = []record.Outcome{{N: 1, ID: id, Result: record.Applied, Seq: 101}}
	_, err = p.Receive("c2", brings)
	require.NoError(t, err)
	require.Equal(t, "ACME!", p.text(acme, "name"))
}

// A later own edit stays on top of an earlier one whose verdict was lost.
func TestPull_overtaken(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	id := p.create("account", device.Values{"name": "Acme"})
	p.net.Next(badnet.LoseAnswer)
	_, err := p.Push(t.Context())
	require.Error(t, err)
	p.pull() // a first sync, which brings no verdicts
	require.NoError(t, p.Delete("account", id))
	p.net.Next(badnet.LoseAnswer)
	_, err = p.Push(t.Context())
	require.Error(t, err)

	p.pull()

	require.Equal(t, 1, p.Status().Outbox)
	require.Empty(t, p.List("account"), "deleted, as its author knows")
	_, err = p.Sync(t.Context())
	require.NoError(t, err)
	_, there := p.Get(id)
	require.False(t, there)
}

func TestDelete_andRestore(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.give(s, page("c1", full(acme, 7, "name", "Acme")))

	require.NoError(t, p.Delete("account", acme))
	view, ok := p.Get(acme)
	require.True(t, ok)
	require.True(t, view.Deleted)
	require.True(t, view.Pending)
	require.Empty(t, p.List("account"))
	require.Equal(t, "missing", errs.CodeOf(p.Delete("account", acme)))

	require.NoError(t, p.Restore("account", acme))
	require.Equal(t, record.OpRestore, p.last().Edits[0].Op)
	require.Len(t, p.List("account"), 1)
}
