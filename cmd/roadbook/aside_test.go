package main

import (
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/store/pg"
)

// pagesBy is how many pages were made from the standby, or why not.
func (p *process) pagesBy(what string) int {
	p.t.Helper()
	found := regexp.MustCompile(`roadbook_standby_pages_total\{by="` + what + `"\} (\d+)`).FindStringSubmatch(p.scrape())
	if found == nil {
		return 0
	}
	n, err := strconv.Atoi(found[1])
	require.NoError(p.t, err)
	return n
}

// more waits until some more pages were made in a way.
func (p *process) more(what string) {
	p.t.Helper()
	from := p.pagesBy(what)
	require.Eventually(p.t, func() bool { return p.pagesBy(what) > from+3 }, patience, often, "no pages: %s", what)
}

// Pulls read a standby, which lags, comes back, is promoted under their feet and
// goes. Whatever it does, phones that pull see what one register would show
// them, together with who is online and reads the primary; and each turn shows
// in the metrics.
func TestServe_readsTheStandby(t *testing.T) {
	t.Parallel()

	p := newPair(t, true)
	all := newWitnesses(t, 3, p.server.url)
	all.follow(2, p.server.url)
	second := p.open()
	p.server.more("standby")
	all.progress(30)

	_, err := second.Exec(t.Context(), `SELECT pg_wal_replay_pause()`)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return replay(t, second) == "paused" }, patience, often)
	p.server.more("behind")
	all.progress(30)
	_, err = second.Exec(t.Context(), `SELECT pg_wal_replay_resume()`)
	require.NoError(t, err)
	p.server.more("standby")
	all.progress(30)

	require.NoError(t, pg.Promote(t.Context(), second))
	p.server.more("other_life")
	_, err = second.Exec(t.Context(), `DELETE FROM records`) // it is nobody's any more
	require.NoError(t, err)
	served := p.server.pagesBy("standby")
	all.progress(30)
	second.Close()
	require.NoError(t, p.two.Stop(t.Context()))
	p.server.more("away")
	all.progress(30)
	require.Equal(t, served, p.server.pagesBy("standby"), "it was asked after it had been promoted")

	all.judge()
	require.NotContains(t, p.server.out.String(), "has failed over")
	p.server.stop()
}

func replay(t *testing.T, standby *pg.Pool) (state string) {
	t.Helper()
	require.NoError(t, standby.QueryRow(t.Context(), `SELECT pg_get_wal_replay_pause_state()`).Scan(&state))
	return state
}
