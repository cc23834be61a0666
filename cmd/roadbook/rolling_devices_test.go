package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/record"
)

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
