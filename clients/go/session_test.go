package device_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/clients/go/badnet"
	"roadbook/clients/go/localstore"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

func expired() script {
	return problem(http.StatusUnauthorized, wire.Problem{Kind: "anonymous", Code: "expired"})
}

func TestSignIn_afterTyping(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := newPhone(t, s)
	id := p.create("account", device.Values{"name": "before"})

	require.NoError(t, p.SignIn(t.Context(), "demo", "lin", "secret"))
	p.push()

	require.Equal(t, "lin", p.Status().Actor.Name)
	require.NotNil(t, s.records[id])
	require.Equal(t, version.Replica("r-"+p.Status().Install[:8]), p.Status().Replica)
}

// A device takes its counter from nobody, except with a fresh replica.
func TestSignIn_neverTakesTheCounter(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.create("account", nil)
	old := p.twin()
	p.push()
	p.create("account", nil)
	p.push()

	require.NoError(t, old.SignIn(t.Context(), "demo", "lin", "secret"))
	require.Equal(t, uint64(1), old.Status().LastN)
	old.create("account", nil)
	require.Equal(t, uint64(2), old.last().N)
	old.push()
	require.Len(t, s.records, 3)
}

func TestSignIn_freshForANewStore(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := newPhone(t, s)
	id := p.create("account", nil)
	s.rep(version.Replica("r-" + p.Status().Install[:8])).ids = []record.ID{acme}

	require.NoError(t, p.SignIn(t.Context(), "demo", "lin", "secret"))
	p.push()

	require.Equal(t, version.Replica("fresh1e1"), p.Status().Replica)
	require.NotNil(t, s.records[id])
}

func TestSignIn_somebodyElse(t *testing.T) {
	t.Parallel()
	p := signedIn(t, newServer(t))
	err := p.SignIn(t.Context(), "demo", "wang", "secret")
	require.Equal(t, errs.Denied, errs.KindOf(err))
	require.Equal(t, "lin", p.Status().Actor.Name)
}

// A token that has run out is renewed in passing. A refresh whose answer is
// lost is repeated with the same token.
func TestRefresh(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.create("account", nil)
	s.next("/v1/sync/push", expired())
	p.net.Next(badnet.Through, badnet.LoseAnswer)
	_, err := p.Push(t.Context())
	require.Equal(t, errs.Busy, errs.KindOf(err))
	require.Equal(t, "access", p.Token())

	p.reopen()
	s.next("/v1/sync/push", expired())
	p.push()

	asked := s.bodies("/v1/auth/refresh")
	require.Len(t, asked, 2)
	require.JSONEq(t, string(asked[0]), string(asked[1]))
	p.reopen()
	require.Equal(t, "access 2", p.Token(), "in the store before it is used")
}

// A 401 alone takes nothing away.
func TestRefresh_refused(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.create("account", nil)
	s.next("/v1/sync/push", expired())
	s.next("/v1/auth/refresh", problem(http.StatusUnauthorized, wire.Problem{Kind: "anonymous", Code: "revoked"}))
	_, err := p.Push(t.Context())
	require.Equal(t, "revoked", errs.CodeOf(err))
	require.Equal(t, 1, p.Status().Outbox)
}

func TestSignOut_keepsTheOutbox(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	id := p.create("account", nil)
	p.net.Offline(true)

	require.NoError(t, p.SignOut(t.Context()))
	p.reopen()
	require.False(t, p.Status().SignedIn)
	require.Equal(t, 1, p.Status().Outbox)

	p.net.Offline(false)
	require.NoError(t, p.SignIn(t.Context(), "demo", "lin", "secret"))
	p.push()
	require.NotNil(t, s.records[id])
}

func TestOpen_twice(t *testing.T) {
	t.Parallel()
	cfg := newPhone(t, nil).cfg
	cfg.Store, cfg.Dir = nil, t.TempDir()
	first, err := device.Open(cfg)
	require.NoError(t, err)
	id, err := first.Create("account", device.Values{"name": "Acme"})
	require.NoError(t, err)

	_, err = device.Open(cfg)
	require.ErrorIs(t, err, localstore.ErrTaken)
	require.Equal(t, errs.Clash, errs.KindOf(err))

	require.NoError(t, first.Close())
	require.NoError(t, first.Close(), "closing twice is closing")
	_, err = first.Create("account", nil)
	require.Equal(t, "closed", errs.CodeOf(err))
	second, err := device.Open(cfg)
	require.NoError(t, err)
	view, ok := second.Get(id)
	require.True(t, ok)
	require.Equal(t, "Acme", view.Text("name"))
	require.NoError(t, second.Close())
}

func TestOpen_broken(t *testing.T) {
	t.Parallel()
	cfg := newPhone(t, nil).cfg
	_, err := device.Open(device.Config{})
	require.Equal(t, errs.Invalid, errs.KindOf(err))

	cfg.Store, cfg.Dir = nil, t.TempDir()
	garbage := []byte("not a store at all, and long enough to see")
	require.NoError(t, os.WriteFile(filepath.Join(cfg.Dir, localstore.FileName), garbage, 0o600))
	_, err = device.Open(cfg)
	require.Error(t, err)

	store := &localstore.Memory{}
	later := localstore.Write{Table: "meta", Key: []byte("identity"), Value: []byte(`{"format":99}`)}
	require.NoError(t, store.Write([]localstore.Write{later}))
	cfg.Store = store
	_, err = device.Open(cfg)
	require.ErrorContains(t, err, "form 99")
}

// Without a folder a device works, and forgets everything when it is closed.
func TestOpen_inMemory(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := newPhone(t, s)
	p.cfg.Store = nil
	p.reopen()
	require.NoError(t, p.SignIn(t.Context(), "demo", "lin", "secret"))
	id := p.create("account", device.Values{"name": "Acme"})
	_, err := p.Sync(t.Context())
	require.NoError(t, err)
	require.Equal(t, "Acme", p.text(id, "name"))
	require.NotEmpty(t, p.Status().Cursor)
}

// A gate that answers in the server's place is no server.
func TestCall_capturedPortal(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.create("account", nil)
	for _, sc := range []script{
		answer("<html>please sign in to the hotel</html>"),
		func([]byte) (int, any) { return http.StatusBadGateway, "<html>" },
		func([]byte) (int, any) { return http.StatusNotFound, "<html>" },
		answer(struct{}{}),
	} {
		s.next("/v1/sync/push", sc)
		_, err := p.Push(t.Context())
		require.Equal(t, errs.Busy, errs.KindOf(err))
	}
	require.Equal(t, 1, p.Status().Outbox)

	p.give(s, page("c1", full(acme, 7, "name", "Acme")))
	s.next("/v1/sync/pull", answer(struct{}{}))
	_, err := p.Pull(t.Context())
	require.Equal(t, errs.Busy, errs.KindOf(err))
	require.Equal(t, "c1", p.Status().Cursor)
	require.Zero(t, p.Status().Staged)
}

func TestWant(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	require.NoError(t, p.Want(wire.Want{Pins: []record.ID{acme}, From: "2026-03"}))
	p.reopen()
	p.pull()
	require.Equal(t, "2026-03", s.pulls()[0].Want.From)
	require.Equal(t, []record.ID{acme}, s.pulls()[0].Want.Pins)
}
