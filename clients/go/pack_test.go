package device_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/errs"
)

// scales weighs every request and keeps its headers.
type scales struct {
	next    http.RoundTripper
	weights []int64
	headers []http.Header
}

func (s *scales) RoundTrip(req *http.Request) (*http.Response, error) {
	s.weights, s.headers = append(s.weights, req.ContentLength), append(s.headers, req.Header.Clone())
	return s.next.RoundTrip(req)
}

// last is how the last request was packed, and what it weighed.
func (s *scales) last() (encoding string, weight int) {
	at := len(s.weights) - 1
	return s.headers[at].Get("Content-Encoding"), int(s.weights[at])
}

func weighed(t *testing.T, s *server) (*phone, *scales) {
	t.Helper()
	p := signedIn(t, s)
	w := &scales{next: p.net}
	p.cfg.HTTP = &http.Client{Transport: w}
	p.reopen()
	return p, w
}

// What is longer than 1 KiB goes out as gzip and arrives as it was typed, also
// when the writer has been used before; a short push goes as it is.
func TestPush_packed(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p, w := weighed(t, s)

	p.create("account", device.Values{"name": "Acme"})
	p.push()
	encoding, weight := w.last()
	require.Empty(t, encoding)
	require.Len(t, s.bodies("/v1/sync/push")[0], weight)

	for i, words := range []string{"wants a freezer; ", "要一台冷柜；", "again "} {
		remark := strings.Repeat(words, 2000*(i+1))
		id := p.create("account", device.Values{"remark": remark})
		p.push()

		encoding, weight = w.last()
		require.Equal(t, "gzip", encoding)
		require.Less(t, weight, len(remark)/50)
		typed, err := json.Marshal(remark)
		require.NoError(t, err)
		require.JSONEq(t, string(typed), string(s.records[id].fields["remark"]))
	}
	require.Zero(t, p.Status().Outbox)
}

// A frame that is lost goes out again, packed anew.
func TestPush_packedAndLost(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p, w := weighed(t, s)
	id := p.create("account", device.Values{"remark": strings.Repeat("wants a freezer; ", 1000)})
	w.next = lost{}
	_, err := p.Push(t.Context())
	require.Equal(t, errs.Busy, errs.KindOf(err))

	w.next = p.net
	p.push()

	require.Contains(t, s.records, id)
	require.Equal(t, w.weights[0], w.weights[1], "the same again")
}

// lost is a connection that breaks off in the middle of a request.
type lost struct{}

func (lost) RoundTrip(req *http.Request) (*http.Response, error) {
	_, _ = io.CopyN(io.Discard, req.Body, 10)
	_ = req.Body.Close()
	return nil, io.ErrUnexpectedEOF
}

// A device says in which language it is to be answered, if it knows.
func TestConfig_Lang(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"", "en", "zh-CN"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			p, w := weighed(t, newServer(t))
			p.cfg.Lang = lang
			p.reopen()
			require.NoError(t, p.SignIn(t.Context(), "demo", "lin", "secret"))
			p.pull()

			for _, h := range w.headers {
				require.Equal(t, lang, h.Get("Accept-Language"))
				require.Equal(t, lang != "", h.Values("Accept-Language") != nil)
			}
			require.Len(t, w.headers, 2)
		})
	}
}
