package socket_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"roadbook/push/socket"
)

// refused makes sure that there is no place for a device, and that it is told so
// before it has a socket, with when to come again.
func (d *seat) refused(status int) {
	d.o.s.t.Helper()
	_, res, err := d.dial(d.token)
	require.ErrorIs(d.o.s.t, err, websocket.ErrBadHandshake)
	require.NoError(d.o.s.t, res.Body.Close())
	require.Equal(d.o.s.t, status, res.StatusCode)
	after, err := strconv.Atoi(res.Header.Get("Retry-After"))
	require.NoError(d.o.s.t, err)
	require.GreaterOrEqual(d.o.s.t, after, 60)
	require.LessOrEqual(d.o.s.t, after, 180)
}

func TestSocket_aServerHasRoomForSoMany(t *testing.T) {
	t.Parallel()

	s := newServer(t)
	s.hub.Most = 2
	o, rival := s.newOrg("acme"), s.newOrg("rival")
	first, second, third := o.device("lin"), rival.device("lin"), o.device("zhou")
	l := first.listen().settled()
	second.listen().settled()

	third.refused(http.StatusServiceUnavailable)

	require.Contains(t, s.scrape(), `roadbook_socket_refused_total{reason="server"} 1`)
	l.settled()
	require.NoError(t, l.Close())
	s.open(1)
	third.listen().settled()
	s.open(2)
}

func TestSocket_aPersonHasSoMany(t *testing.T) {
	t.Parallel()

	s := newServer(t)
	s.hub.PerPerson = 5
	o := s.newOrg("acme")
	phone, tablet, laptop := o.device("lin"), o.device("lin"), o.device("lin")
	var lines []*line
	for range 4 {
		lines = append(lines, phone.listen().settled())
	}
	tablet.listen().settled()

	laptop.refused(http.StatusTooManyRequests)

	require.Contains(t, s.scrape(), `roadbook_socket_refused_total{reason="person"} 1`)
	o.device("zhou").listen().settled()
	phone.listen().settled()
	require.Equal(t, socket.CloseReplaced, lines[0].next().code, "its own oldest gives way")
	s.open(6)
	require.NoError(t, lines[1].Close())
	s.open(5)
	laptop.listen().settled()
}
