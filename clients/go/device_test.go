package device_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/clients/go/badnet"
	"roadbook/clients/go/localstore"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

// phone is a device in a test: what it was opened with, so that it can be
// killed and opened again.
type phone struct {
	*device.Device

	t      *testing.T
	cfg    device.Config
	store  *mortal
	server *server
	net    *badnet.Net
	clock  *atomic.Int64 // ms since 1970
	waited []time.Duration
}

var installs atomic.Uint64

// newIDs gives ids that no other phone gives.
func newIDs() func() record.ID {
	phone, n := installs.Add(1), uint64(0)
	return func() record.ID {
		n++
		var id record.ID
		binary.BigEndian.PutUint32(id[:], uint32(phone))
		binary.BigEndian.PutUint32(id[12:], uint32(n))
		id[6], id[8] = 0x70, 0x80
		return id
	}
}

// newPhone is a phone that nobody has signed in on yet.
func newPhone(t *testing.T, s *server) *phone {
	t.Helper()
	p := &phone{t: t, store: &mortal{Memory: &localstore.Memory{}}, clock: &atomic.Int64{}}
	p.clock.Store(noon.UnixMilli())
	p.server = s
	p.net = badnet.New(s, badnet.Plan{}, nil)
	p.cfg = device.Config{
		Store: p.store, HTTP: &http.Client{Transport: p.net}, NewID: newIDs(),
		Now:  func() time.Time { return time.UnixMilli(p.clock.Load()) },
		Kind: "phone", Stage: true, BaseURL: "http://server",
	}
	p.open()
	return p
}

// signedIn is lin's phone.
func signedIn(t *testing.T, s *server) *phone {
	t.Helper()
	p := newPhone(t, s)
	require.NoError(t, p.SignIn(t.Context(), "demo", "lin", "secret"))
	return p
}

func (p *phone) open() {
	p.t.Helper()
	d, err := device.Open(p.cfg)
	require.NoError(p.t, err)
	p.Device = d
}

// mortal is a store whose process dies at the next write: just before it, or
// just after.
type mortal struct {
	*localstore.Memory

	death death
}

type death int

const (
	alive death = iota
	diesBefore
	diesAfter
)

var errDead = errors.New("the process is dead")

func (m *mortal) Write(batch []localstore.Write) error {
	if m.death == diesBefore {
		return errDead
	}
	if err := m.Memory.Write(batch); err != nil {
		return err
	}
	if m.death == diesAfter {
		return errDead
	}
	return nil
}

// die lets the phone die at its next write, whatever it is doing, and starts
// it again.
func (p *phone) die(how death, doing func()) {
	p.store.death = how
	doing()
	p.store.death = alive
	p.reopen()
}

// reopen kills the app and starts it again.
func (p *phone) reopen() {
	p.t.Helper()
	require.NoError(p.t, p.Close())
	p.open()
}

// patient lets the phone wait, without time passing, and notes for how long.
func (p *phone) patient() {
	p.cfg.Sleep = func(ctx context.Context, d time.Duration) error {
		p.waited = append(p.waited, d)
		return ctx.Err()
	}
	p.reopen()
}

func (p *phone) create(kind string, values device.Values) record.ID {
	p.t.Helper()
	id, err := p.Create(kind, values)
	require.NoError(p.t, err)
	return id
}

func (p *phone) set(id record.ID, field string, value any) {
	p.t.Helper()
	view, ok := p.Get(id)
	require.True(p.t, ok)
	require.NoError(p.t, p.Edit(view.Kind, id, func(dr *device.Draft) { dr.Set(field, value) }))
}

func (p *phone) push() device.Report {
	p.t.Helper()
	r, err := p.Push(p.t.Context())
	require.NoError(p.t, err)
	return r
}

func (p *phone) pull() device.Report {
	p.t.Helper()
	r, err := p.Pull(p.t.Context())
	require.NoError(p.t, err)
	return r
}

func (p *phone) text(id record.ID, field string) string {
	p.t.Helper()
	view, ok := p.Get(id)
	require.True(p.t, ok, "the record is shown")
	return view.Text(field)
}

// last is what was typed last.
func (p *phone) last() record.Mutation {
	p.t.Helper()
	out := p.Outbox()
	require.NotEmpty(p.t, out)
	return out[len(out)-1]
}

// page makes a page for a script.
func page(cursor string, changes ...wire.Change) *wire.PullAnswer {
	return &wire.PullAnswer{Changes: changes, Cursor: cursor, Complete: true, Epoch: "e1"}
}

func answer(a any) script { return func([]byte) (int, any) { return http.StatusOK, a } }

func problem(status int, p wire.Problem) script {
	return func([]byte) (int, any) { return status, p }
}

// full is a whole record with one text in it.
func full(id record.ID, seq record.Seq, field, text string, in ...string) wire.Change {
	return wire.Change{Kind: "account", ID: id, Seq: seq, Full: true, In: in, Set: texts(field, text)}
}

// part is a change of one text.
func part(id record.ID, seq record.Seq, field, text string) wire.Change {
	return wire.Change{Kind: "account", ID: id, Seq: seq, Set: texts(field, text)}
}

func texts(field, text string) record.Values {
	raw, _ := json.Marshal(text)
	return record.Values{{Field: field, Raw: raw}}
}

// give lets a phone pull one page of this.
func (p *phone) give(s *server, page *wire.PullAnswer) {
	p.t.Helper()
	s.next("/v1/sync/pull", answer(page))
	p.pull()
}

var acme = record.MustID("0190a0b0-0000-7000-8000-0000000000ac")

func logSeen(seq uint64) version.Vector { return version.Vector{version.Log: seq} }
