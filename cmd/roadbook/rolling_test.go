package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/demo"
	"roadbook/record"
	"roadbook/store/pg"
)

// rolling is an installation in the middle of an upgrade: the server of the
// earlier release goes on while this one migrates its database and serves
// beside it.
type rolling struct {
	t          *testing.T
	environ    []string
	dsn        string
	pool       *pg.Pool
	old, fresh *process
	balancer   *balancer
}

// newRolling has only the old server yet.
func newRolling(t *testing.T) *rolling {
	t.Helper()
	r := &rolling{t: t, dsn: theirs(t)}
	r.environ = []string{
		"ROADBOOK_ADDR=127.0.0.1:0", "ROADBOOK_DATABASE_URL=" + r.dsn, "ROADBOOK_DATA=" + dataFolder(t),
		"ROADBOOK_DEMO=true", "ROADBOOK_HORIZON=720h", "ROADBOOK_LOG_LEVEL=error",
	}
	r.old = serveOf(t, released(t), r.environ...).ready()
	var err error
	r.pool, err = pg.Open(t.Context(), r.dsn, pg.MaxConns(2))
	require.NoError(t, err)
	t.Cleanup(r.pool.Close)
	r.balancer = newBalancer(t, r.old.url)
	return r
}

// upgrade starts this program's server beside the old one.
func (r *rolling) upgrade() {
	r.t.Helper()
	r.fresh = serve(r.t, r.environ...).ready()
	r.balancer.to(r.old.url, r.fresh.url)
}

// reader is a phone that only reads, in small pages.
func (r *rolling) reader(url, login string, change func(*device.Config)) *device.Device {
	r.t.Helper()
	c := device.Config{
		BaseURL: url, Now: now, NewID: newID, Sleep: sleepNow, Kind: "phone", Platform: "android 15", App: "1.0.0", Lang: "en",
		HTTP: &http.Client{Transport: &http.Transport{}, Timeout: patience},
	}
	if change != nil {
		change(&c)
	}
	d, err := device.Open(c)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = d.Close() })
	require.NoError(r.t, d.SignIn(r.t.Context(), demo.Name, login, demo.Password))
	return d
}

// pull pulls, and makes sure that nothing was begun anew.
func (r *rolling) pull(d *device.Device) device.Report {
	r.t.Helper()
	got, err := d.Pull(r.t.Context())
	require.NoError(r.t, err)
	require.Zero(r.t, got.Restarts, "what one server gave it the other takes: %v", r.balancer.complaints())
	require.Zero(r.t, d.Status().Faults)
	return got
}

// holds is all that a phone has pulled, as text.
func holds(d *device.Device) map[record.ID]string {
	all := map[record.ID]string{}
	d.Pulled(func(kind string, id record.ID, seq record.Seq, in []string, set record.Values) {
		text, _ := json.Marshal(set)
		all[id] = fmt.Sprintf("%s %d %v %s", kind, seq, in, text)
	})
	return all
}

// Servers are replaced one after the other: phones that push and pull at both of
// them through a load balancer lose nothing, have nothing twice, are refused
// nothing, never start over, and hold in the end what a new phone gets.
func TestUpgrade_sideBySide(t *testing.T) {
	t.Parallel()

	r := newRolling(t)
	smallPages := func(c *device.Config) { c.PageBytes = 2_000 }
	f := newFleet(t, 3, r.balancer.url)
	readers := []*device.Device{
		r.reader(r.balancer.url, "lin", smallPages),
		r.reader(r.balancer.url, "zhou", func(c *device.Config) { c.PageBytes, c.Stage = 2_000, true }),
		r.reader(r.balancer.url, "chen", nil),
	}
	for _, d := range readers {
		r.pull(d)
	}
	f.progress(60)

	r.upgrade()
	late := r.reader(r.balancer.url, "wang", smallPages) // its first pages are from both
	readers = append(readers, late)
	for range 4 {
		f.progress(40)
		for _, d := range readers {
			r.pull(d)
		}
	}
	require.Positive(t, r.balancer.answersOf(r.old))
	require.Positive(t, r.balancer.answersOf(r.fresh))

	r.balancer.to(r.fresh.url)
	r.old.stop()
	f.progress(20)
	typed := f.settle()
	inLog(t, r.pool, typed)
	wholeLog(t, r.pool)
	for i, d := range readers {
		r.pull(d)
		newcomer := r.reader(r.fresh.url, []string{"lin", "zhou", "chen", "wang"}[i], nil)
		r.pull(newcomer)
		require.Equal(t, holds(newcomer), holds(d))
	}
	require.Empty(t, r.balancer.complaints())
	report, code := run(t, r.environ, "doctor", "--deep")
	require.Equal(t, exitOK, code, report)
	r.fresh.stop()
}
