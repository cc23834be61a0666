package socket_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"roadbook/push/socket"
	"roadbook/sync/wire"
)

// times are what may differ between two pages of the same place.
var times = regexp.MustCompile(`"server_time":"[^"]*"`)

// requirePage makes sure that a frame is what a pull from the same place answers.
func requirePage(t *testing.T, d *seat, from string, f frame) {
	t.Helper()
	require.Equal(t, wire.LiveChanges, f.T, "%s", f.text)
	require.Equal(t, from, f.From)
	want := string(wire.AppendChanges(nil, from, d.page(from)))
	require.Equal(t, times.ReplaceAllString(want, ""), times.ReplaceAllString(string(f.text), ""))
}

func TestSocket_bringsWhatAPullWouldAnswer(t *testing.T) {
	t.Parallel()

	s := newServer(t)
	o := s.newOrg("acme")
	lin, chen, zhou := o.device("lin"), o.device("chen"), o.device("zhou")
	her, boss, other := lin.listen().says(lin.cursor).settled(), chen.listen().says(chen.cursor).settled(),
		zhou.listen().says(zhou.cursor).settled()

	for range 3 {
		o.remark("老客户，冷链")

		f, g := her.next(), boss.next()
		requirePage(t, lin, lin.cursor, f)
		requirePage(t, chen, chen.cursor, g)
		require.Contains(t, string(f.text), "冷链")
		lin.cursor, chen.cursor = f.Cursor, g.Cursor
	}
	other.settled()
	require.Empty(t, other.frames, "there was nothing for him")
}

func TestSocket_wakesWhoHasNotSaidWhereHeIs(t *testing.T) {
	t.Parallel()

	s := newServer(t)
	o := s.newOrg("acme")
	lin := o.device("lin")
	l := lin.listen().settled()

	o.remark("one")

	f := l.next()
	require.Equal(t, wire.LiveWake, f.T)
	require.Positive(t, f.Seq)
	l.says(lin.cursor)
	requirePage(t, lin, lin.cursor, l.next())
}

func TestSocket_wakesWhoMustPull(t *testing.T) {
	t.Parallel()

	s := newServer(t)
	o := s.newOrg("acme")
	lin := o.device("lin")
	for name, cursor := range map[string]string{
		"a cursor that nobody has made": strings.Repeat("A", 80),
		"another device's":              o.device("zhou").cursor,
	} {
		l := lin.listen().says(cursor)
		require.Equal(t, wire.LiveWake, l.next().T, name)
		l.says(lin.cursor).settled()
	}
	l := lin.listen().says(lin.cursor).settled()
	o.commit(manyRemarks(o)...)

	require.Equal(t, wire.LiveWake, l.next().T, "more than a frame")
	lin.pull()
	l.says(lin.cursor).settled()
	o.remark("little")
	requirePage(t, lin, lin.cursor, l.next())
}

func TestSocket_orgsAreApart(t *testing.T) {
	t.Parallel()

	s := newServer(t)
	acme, rival := s.newOrg("acme"), s.newOrg("rival")
	theirs, ours := rival.device("lin"), acme.device("lin")
	l := theirs.listen().says(theirs.cursor).settled()
	mine := ours.listen().says(ours.cursor).settled()

	acme.remark("ours")

	require.Equal(t, wire.LiveChanges, mine.next().T)
	l.quiet()
	require.Empty(t, l.frames)
}

func TestSocket_hearsWhatAnotherServerCommits(t *testing.T) {
	t.Parallel()

	here := newServer(t)
	there := serverOn(t, here.pool)
	o := here.newOrg("acme")
	lin := o.device("lin")
	lin.s = there
	l := lin.listen().says(lin.cursor).settled()

	o.remark("from here")

	requirePage(t, lin, lin.cursor, l.next())
}

func TestSocket_tokens(t *testing.T) {
	t.Parallel()

	s := newServer(t)
	d := s.newOrg("acme").device("lin")
	_, res, err := d.dial("nobody's")
	require.ErrorIs(t, err, websocket.ErrBadHandshake)
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	require.NoError(t, res.Body.Close())

	browser := websocket.Dialer{Subprotocols: []string{"other", "bearer." + d.token}}
	conn, res, err := browser.Dial(d.url(), http.Header{"Origin": {"https://elsewhere.example"}})
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, "bearer."+d.token, conn.Subprotocol(), "a browser wants to hear it")
	d.reading(conn).settled()

	d.token = d.tokenFor(time.Minute)
	l := d.listen().settled()
	s.ahead.Store(int64(time.Minute + time.Second))
	s.sweeps <- time.Time{}
	require.Equal(t, socket.CloseExpired, l.next().code)
	_, res, err = d.dial(d.token)
	require.ErrorIs(t, err, websocket.ErrBadHandshake)
	require.NoError(t, res.Body.Close())
}

func TestSocket_endsWithTheSignIn(t *testing.T) {
	t.Parallel()

	s := newServer(t)
	there := serverOn(t, s.pool)
	o := s.newOrg("acme")
	d, revoked, bystander := o.device("lin"), o.device("lin"), o.device("lin").listen()
	here := d.listen().settled()
	d.s = there
	elsewhere := d.listen().settled()
	r := revoked.listen().settled()

	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http.URL+"/v1/auth/logout", http.NoBody)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+d.token)
	res, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())

	require.Equal(t, socket.CloseSignedOut, here.next().code, "at once")
	there.sweeps <- time.Time{}
	require.Equal(t, socket.CloseSignedOut, elsewhere.next().code, "on another server at the next look")
	_, err = s.pool.Exec(t.Context(), `UPDATE devices SET revoked_at = now() WHERE id = $1`, revoked.who.Device)
	require.NoError(t, err)
	s.sweeps <- time.Time{}
	require.Equal(t, socket.CloseSignedOut, r.next().code)
	bystander.settled()
}

func TestSocket_aDeviceHasFour(t *testing.T) {
	t.Parallel()

	d := newServer(t).newOrg("acme").device("lin")
	var lines []*line
	for range 4 {
		lines = append(lines, d.listen().settled())
	}
	for _, l := range lines {
		l.settled()
	}

	d.listen().settled()

	require.Equal(t, socket.CloseReplaced, lines[0].next().code)
	for _, l := range lines[1:] {
		l.settled()
	}
}

func TestSocket_badFrames(t *testing.T) {
	t.Parallel()

	o := newServer(t).newOrg("acme")
	for name, c := range map[string]struct {
		kind int
		text string
		code int
	}{
		"not JSON":          {websocket.TextMessage, `{"t":`, socket.CloseMalformed},
		"bytes":             {websocket.BinaryMessage, `{"t":"ping"}`, socket.CloseMalformed},
		"too long a name":   {websocket.TextMessage, `{"t":"cursor","replica":"` + strings.Repeat("x", 129) + `"}`, socket.CloseMalformed},
		"one byte too many": {websocket.TextMessage, `{"t":"ping"}` + strings.Repeat(" ", 1024-11), websocket.CloseMessageTooBig},
	} {
		l := o.device("lin").listen()
		require.NoError(t, l.WriteMessage(c.kind, []byte(c.text)), name)
		require.Equal(t, c.code, l.next().code, name)
	}
	l := o.device("lin").listen()
	require.NoError(t, l.WriteMessage(websocket.TextMessage, []byte(`{"t":"ping"}`+strings.Repeat(" ", 1024-12))))
	require.Equal(t, wire.LivePong, l.next().T)
	require.NoError(t, l.WriteMessage(websocket.TextMessage, []byte(`{"t":"from the future","x":[1]}`)))
	l.settled()
}

func TestSocket_stops(t *testing.T) {
	t.Parallel()

	s := newServer(t)
	o := s.newOrg("acme")
	d := o.device("lin")
	lines := []*line{d.listen().settled(), o.device("zhou").listen().settled()}

	require.Contains(t, s.scrape(), "roadbook_sockets_open 2")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s.hub.Stop(ctx)

	require.NoError(t, ctx.Err())
	for _, l := range lines {
		require.Equal(t, socket.CloseStopping, l.next().code)
	}
	require.Zero(t, s.hub.Stats().Open.Load())
	require.Contains(t, s.scrape(), "roadbook_sockets_open 0")
	require.Contains(t, s.scrape(), `roadbook_socket_dropped_total{reason="stopping"} 2`)
	_, res, err := d.dial(d.token)
	require.ErrorIs(t, err, websocket.ErrBadHandshake)
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	require.NoError(t, res.Body.Close())
}
