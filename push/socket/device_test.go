package socket_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/errs"
	"roadbook/record"
)

// phone is a whole device that listens.
type phone struct {
	*device.Device
	t     *testing.T
	heard chan device.Report
	conns chan net.Conn // of its sockets
	deaf  atomic.Bool   // its network lets no socket through
	waits atomic.Int32
	over  chan error
}

// open waits until so many sockets are.
func (s *server) open(n int64) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return s.hub.Stats().Open.Load() == n }, patience, time.Millisecond)
}

func (o *org) phone(t *testing.T, login string) *phone {
	t.Helper()
	p := &phone{t: t, heard: make(chan device.Report, 256), conns: make(chan net.Conn, 64), over: make(chan error, 1)}
	d, err := device.Open(device.Config{
		BaseURL: o.s.http.URL, Now: o.s.now, NewID: newID, Kind: "phone",
		Sleep: func(ctx context.Context, _ time.Duration) error {
			p.waits.Add(1)
			return ctx.Err()
		},
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if p.deaf.Load() {
				return nil, net.ErrClosed
			}
			conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			p.conns <- conn
			return conn, err
		},
	})
	require.NoError(t, err)
	p.Device = d
	require.NoError(t, o.s.people.SetPassword(t.Context(), o.id, o.person(login), login, "roadbook"))
	name := "acme"
	require.NoError(t, d.SignIn(t.Context(), name, login, "roadbook"))
	return p
}

// live lets the phone listen until the test ends.
func (p *phone) live() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.over <- p.Live(ctx, func(r device.Report, err error) {
			if err == nil && (r.Changes > 0 || len(r.Outcomes) > 0) {
				p.heard <- r
			}
		})
	}()
	p.t.Cleanup(func() {
		cancel()
		<-ended
		require.NoError(p.t, p.Close())
	})
}

// shows waits until a record has a value.
func (p *phone) shows(id record.ID, field, want string) {
	p.t.Helper()
	late := time.After(patience)
	for {
		if shown, ok := p.Get(id); ok && shown.Text(field) == want {
			return
		}
		select {
		case <-p.heard:
		case <-late:
			require.Fail(p.t, "it never heard", "%s %s", field, want)
		}
	}
}

func TestDevice_listens(t *testing.T) {
	t.Parallel()

	s := newServer(t)
	o := s.newOrg("acme")
	p := o.phone(t, "lin")
	p.live()
	p.shows(o.customer, "name", "兴旺超市")

	for _, text := range []string{"one", "two", "three"} {
		o.remark(text)
		p.shows(o.customer, "remark", text)
	}
	require.Positive(t, s.hub.Stats().Frames.Load())

	require.NoError(t, (<-p.conns).Close(), "a lift")
	o.remark("four")
	p.shows(o.customer, "remark", "four")
	require.Positive(t, p.waits.Load())
}

func TestDevice_pullsWhereNoSocketGetsThrough(t *testing.T) {
	t.Parallel()

	s := newServer(t)
	o := s.newOrg("acme")
	p := o.phone(t, "lin")
	p.deaf.Store(true)
	p.live()
	p.shows(o.customer, "name", "兴旺超市")

	o.remark("one")
	p.shows(o.customer, "remark", "one")

	require.Zero(t, s.hub.Stats().Open.Load())
	require.NoError(t, p.Edit("account", o.customer, func(d *device.Draft) { d.Set("remark", "typed here") }))
	report, err := p.Sync(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, report.Outcomes, "a pull that waits gives way")
}

func TestDevice_comesBackWithANewToken(t *testing.T) {
	t.Parallel()

	s := newServer(t)
	o := s.newOrg("acme")
	p := o.phone(t, "lin")
	p.live()
	p.shows(o.customer, "name", "兴旺超市")
	<-p.conns
	s.open(1)

	s.ahead.Store(int64(16 * time.Minute))
	s.sweeps <- time.Time{}
	select {
	case <-p.conns:
	case <-time.After(patience):
		require.Fail(t, "it does not come back")
	}
	o.remark("later")
	p.shows(o.customer, "remark", "later")
}

func TestDevice_staysAwayAfterItsSignInHasEnded(t *testing.T) {
	t.Parallel()

	s := newServer(t)
	o := s.newOrg("acme")
	p := o.phone(t, "lin")
	p.live()
	p.shows(o.customer, "name", "兴旺超市")
	<-p.conns
	s.open(1)

	_, err := s.pool.Exec(t.Context(), `UPDATE sessions SET ended_at = now()`)
	require.NoError(t, err)
	s.sweeps <- time.Time{}

	select {
	case err := <-p.over:
		require.Equal(t, errs.Anonymous, errs.KindOf(err), "%v", err)
	case <-time.After(patience):
		require.Fail(t, "it goes on")
	}
}
