package reminders_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/api"
	device "roadbook/clients/go"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg"
	"roadbook/sync/wire"
)

// door signs in whoever says that he is somebody; a device is known by its install.
type door struct{ w *world }

func (d door) Login(ctx context.Context, r *wire.LoginRequest, _ string) (*wire.LoginAnswer, error) {
	who := access.Caller{Org: d.w.org, Person: person(r.User), Device: seedID.Derive(r.Device.Install)}
	d.w.using[who.Device] = who.Person
	var replica store.Replica
	var log store.Log
	err := pg.InTx(ctx, d.w.pool, pgx.TxOptions{}, func(tx pgx.Tx) (err error) {
		if replica, err = store.ClaimReplica(ctx, tx, who.Org, who.Device, who.Person, r.Fresh, draw); err == nil {
			log, err = store.LogOf(ctx, tx, who.Org)
		}
		return err
	})
	return &wire.LoginAnswer{
		AccessToken: who.Person.String() + "." + who.Device.String(), RefreshToken: "none", Actor: wire.Actor{ID: who.Person, Name: r.User},
		Device: who.Device, Replica: replica.Name, NextN: replica.N + 1, JudgedID: replica.LastID.String(), Epoch: log.Epoch, Schema: log.Schema,
		ServerTime: d.w.clock,
	}, err
}

func (door) Refresh(context.Context, *wire.RefreshRequest) (*wire.RefreshAnswer, error) {
	return nil, errs.New("door", errs.Anonymous, "nobody needs this").Coded("token")
}

func (door) Logout(context.Context, access.Caller) error { return nil }

func (d door) Caller(_ context.Context, token string) (who access.Caller, err error) {
	p, dev, _ := strings.Cut(token, ".")
	who = access.Caller{Org: d.w.org, Roles: []string{"rep"}}
	if who.Person, err = record.ParseID(p); err == nil {
		who.Device, err = record.ParseID(dev)
	}
	return who, err
}

// phone is one of somebody's devices; its clock is off by a while.
type phone struct {
	*device.Device
	t   *testing.T
	off time.Duration
	w   *world
}

func (w *world) phone(login string, off time.Duration) *phone {
	w.t.Helper()
	if w.http == "" {
		handler := api.New(api.Config{
			Line: w.engine, SignIn: door{w}, Ready: func(context.Context) error { return nil }, Log: slog.New(slog.DiscardHandler),
			Now: func() time.Time { return w.clock }, NewID: func() string { return "r" },
		}).Handler()
		server := httptest.NewServer(handler)
		w.t.Cleanup(server.Close)
		w.http = server.URL
	}
	p := &phone{t: w.t, off: off, w: w}
	var err error
	p.Device, err = device.Open(device.Config{
		BaseURL: w.http, Now: p.now, NewID: func() record.ID { return record.ID(uuid.Must(uuid.NewV7())) }, HTTP: &http.Client{Transport: &http.Transport{}}, Kind: "phone",
	})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = p.Close() })
	require.NoError(w.t, p.SignIn(w.t.Context(), "acme", login, "x"))
	p.sync()
	return p
}

func (p *phone) now() time.Time { return p.w.clock.Add(p.off) }

func (p *phone) sync() {
	p.t.Helper()
	_, err := p.Sync(p.t.Context())
	require.NoError(p.t, err)
}

// rings rings for all that is due here, and lists the titles.
func (p *phone) rings() (all []string) {
	p.t.Helper()
	for _, r := range p.Due(p.now()) {
		require.NoError(p.t, p.Rung(r.ID, r.At))
		all = append(all, r.Title)
	}
	require.Empty(p.t, p.Due(p.now()), "what has rung is not due")
	return all
}

func (p *phone) remind(r device.Reminder) record.ID {
	p.t.Helper()
	id, err := p.Remind(r)
	require.NoError(p.t, err)
	return id
}

// A reminder that is set without a network rings on the phone at its time, by a
// clock that is wrong by an hour; the server, which hears of it before or after,
// rings for none of them.
func TestPhone_ringsWithoutANetwork(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	p := w.phone("lin", time.Hour)
	p.remind(device.Reminder{Title: "three", At: at(15, 0)})
	p.remind(device.Reminder{Title: "four", At: at(16, 0), Zone: "Asia/Shanghai", Recurrence: "FREQ=DAILY"})
	next, is := p.NextRing(p.now())
	require.True(t, is)
	require.Equal(t, at(15, 0), next.At)

	w.until(at(15, 0))
	require.Equal(t, []string{"three"}, p.rings())
	w.until(at(15, 30))
	p.sync() // brings one that has rung and one that is to come
	w.until(at(16, 0))
	require.Equal(t, []string{"four"}, p.rings())
	w.until(at(16+12, 0))
	p.sync()
	w.until(at(16+24, 0))
	require.Equal(t, []string{"four"}, p.rings())
	p.sync()
	w.until(at(16+30, 0))

	require.Empty(t, w.told("lin"))
}

// A phone that was switched off rings once for what it has missed.
func TestPhone_whatItMissedIsOne(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	p := w.phone("lin", 0)
	id := p.remind(device.Reminder{Title: "hourly", At: at(10, 0), Zone: "Asia/Shanghai", Recurrence: "FREQ=DAILY;BYHOUR=10,11,12,13"})
	w.until(at(12, 30))
	due := p.Due(p.now())
	require.Len(t, due, 1)
	require.Equal(t, at(12, 0), due[0].At)
	require.Equal(t, []string{"hourly"}, p.rings())

	require.NoError(t, p.Snooze(id, at(12, 45)))
	w.until(at(12, 45))
	require.Equal(t, []string{"hourly"}, p.rings())
	require.NoError(t, p.Snooze(id, at(13, 30)), "the next one is put off")
	w.until(at(13, 0))
	require.Empty(t, p.rings())
	w.until(at(13, 30))
	require.Equal(t, []string{"hourly"}, p.rings())
	require.NoError(t, p.Finish(id))
	w.until(at(60, 0))
	require.Empty(t, p.rings())
	p.sync()
	w.ring()
	require.Empty(t, w.told("lin"))
}

// What was moved elsewhere, and the phone does not know of it, the server rings
// for. What a colleague gets reminds him, and no device of whoever gave it.
func TestPhone_movedAndHandedOn(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	p, other := w.phone("lin", 0), w.phone("lin", 0)
	id := p.remind(device.Reminder{Title: "one", At: at(15, 0)})
	p.sync()
	other.sync()
	require.NoError(t, other.Reschedule(id, at(14, 0), "", ""))
	other.sync()
	w.until(at(14, 0))
	require.Equal(t, []string{"one"}, other.rings())
	require.Empty(t, p.rings())
	other.sync()
	p.sync()
	w.until(at(15, 0))
	require.Empty(t, p.rings())

	require.NoError(t, p.Reschedule(id, at(17, 0), "", ""))
	require.NoError(t, p.HandOn(id, person("zhou")))
	p.sync()
	w.until(at(17, 0))
	require.Empty(t, p.rings())
	require.Empty(t, w.told("lin"))
	require.Equal(t, []string{"reminder_assigned 23 15:00", "reminder_due 23 17:00"}, w.told("zhou"))
}

// What was set elsewhere and is on board rings here once the device has promised.
func TestPhone_takesOver(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.remind("web", at(15, 0))
	w.remind("far", at(80, 0))
	p := w.phone("lin", 0)
	_, is := p.NextRing(p.now())
	require.False(t, is)

	n, err := p.TakeOver(24 * time.Hour)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	p.sync()
	w.until(at(15, 0))

	require.Equal(t, []string{"call 兴旺"}, p.rings())
	p.sync()
	w.until(at(60, 0))
	require.Empty(t, w.told("lin"))
}
