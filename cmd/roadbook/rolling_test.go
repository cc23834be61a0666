package main

import (
	"context"
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

// A phone that listens to one server hears what is pushed to the other, and gets
// what the doctor of this release mends while the old server runs.
func TestUpgrade_sideBySide_listening(t *testing.T) {
	t.Parallel()

	r := newRolling(t)
	r.upgrade()
	both := []*device.Device{r.reader(r.old.url, "lin", nil), r.reader(r.fresh.url, "lin", nil)}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	for _, d := range both {
		r.pull(d)
		go func() { _ = d.Live(ctx, func(device.Report, error) {}) }()
	}
	writers := []*device.Device{r.reader(r.old.url, "lin", nil), r.reader(r.fresh.url, "lin", nil)}
	arrives := func(id record.ID) {
		t.Helper()
		for _, d := range append(both, writers...) {
			require.Eventually(t, func() bool {
				_, there := d.Get(id)
				if !there && (d == writers[0] || d == writers[1]) {
					r.pull(d)
				}
				return there
			}, patience, often)
		}
	}
	var shops []record.ID
	for round := range 4 {
		id, err := writers[round%2].Create("account", device.Values{"name": fmt.Sprintf("shop %d", round)})
		require.NoError(t, err)
		_, err = writers[round%2].Sync(t.Context())
		require.NoError(t, err)
		arrives(id)
		shops = append(shops, id)
	}

	lost, err := writers[0].Create("account", device.Values{"name": "nobody is told"})
	require.NoError(t, err)
	_, err = writers[0].Sync(t.Context())
	require.NoError(t, err)
	arrives(lost)
	for _, sql := range []string{`DELETE FROM scope_index WHERE rec = $1`, `DELETE FROM members WHERE rec = $1`} {
		_, err := r.pool.Exec(t.Context(), sql, lost.String())
		require.NoError(t, err)
	}
	newcomer := r.reader(r.old.url, "lin", nil)
	r.pull(newcomer)
	_, there := newcomer.Get(lost)
	require.False(t, there)
	report, code := run(t, r.environ, "doctor", "--deep", "--repair")
	require.Equal(t, exitOK, code, report)
	r.pull(newcomer)
	_, there = newcomer.Get(lost)
	require.True(t, there, "the old server passes on what was mended")
	for i, id := range append(shops, lost) { // and its memory of before is no good to it
		require.NoError(t, writers[i%2].Edit("account", id, func(d *device.Draft) { d.Set("remark", "still here") }))
		_, err := writers[i%2].Sync(t.Context())
		require.NoError(t, err)
		require.Empty(t, writers[i%2].Refused())
		for _, d := range both {
			require.Eventually(t, func() bool {
				view, _ := d.Get(id)
				return view.Text("remark") == "still here"
			}, patience, often)
		}
	}
	end()
	r.old.stop()
	r.fresh.stop()
}

// A phone that was away for longer than the log goes back is told by the new
// server to compare, and the next request may reach the old one, which cannot:
// then it starts over. What the new server purges meanwhile, the old one forgets.
func TestUpgrade_sideBySide_away(t *testing.T) {
	t.Parallel()

	r := newRolling(t)
	r.upgrade()
	r.balancer.to(r.fresh.url)
	away, lin := r.reader(r.balancer.url, "lin", nil), r.reader(r.old.url, "lin", nil)
	r.pull(away)
	var gone, kept record.ID
	for _, id := range []*record.ID{&gone, &kept} {
		var err error
		*id, err = lin.Create("account", device.Values{"name": "a shop"})
		require.NoError(t, err)
	}
	_, err := lin.Sync(t.Context())
	require.NoError(t, err)
	r.pull(away)
	require.NoError(t, lin.Delete("account", gone))
	_, err = lin.Sync(t.Context())
	require.NoError(t, err)
	_, err = r.pool.Exec(t.Context(), `UPDATE mutations SET arrived = arrived - interval '60 days'`)
	require.NoError(t, err)

	r.fresh.stop()
	r.upgrade() // it purges as it starts
	require.Eventually(t, func() bool {
		var purged bool
		err := r.pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM mutations WHERE body LIKE '%"op":"purge"%')`).Scan(&purged)
		return err == nil && purged
	}, patience, often, r.fresh.out)
	require.NoError(t, lin.Edit("account", kept, func(d *device.Draft) { d.Set("remark", "still here") }))
	_, err = lin.Sync(t.Context())
	require.NoError(t, err)
	require.Empty(t, lin.Refused())

	r.balancer.to(r.fresh.url, r.old.url) // it is told by the one, and asks the other
	_, err = away.Pull(t.Context())
	require.NoError(t, err, r.balancer.complaints())
	require.Len(t, r.balancer.complaints(), 2)
	require.Contains(t, r.balancer.complaints()[0], `"code":"horizon"`)
	require.Contains(t, r.balancer.complaints()[1], `"code":"route"`)
	_, there := away.Get(gone)
	require.False(t, there)
	require.Equal(t, holds(lin), holds(away))
	r.old.stop()
	r.fresh.stop()
}
