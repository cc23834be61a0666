package device_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/errs"
)

// A store that fails ends the device: its memory may be ahead of what lasts.
func TestStore_thatFails(t *testing.T) {
	t.Parallel()
	p := newPhone(t, nil)
	p.create("account", device.Values{"name": "kept"})
	p.store.death = diesBefore
	_, err := p.Create("account", device.Values{"name": "lost"})
	require.ErrorIs(t, err, errDead)
	require.Equal(t, "store", errs.CodeOf(err))
	p.store.death = alive

	_, err = p.Create("account", nil)
	require.Equal(t, "store", errs.CodeOf(err), "until it is opened again")
	p.reopen()

	require.Len(t, p.List("account"), 1)
	p.create("account", nil)
	require.Equal(t, uint64(2), p.last().N)
}

// packed compresses the server's answers.
type packed struct {
	server   *server
	encoding string
}

func (n packed) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := n.server.RoundTrip(req)
	if err != nil || !strings.Contains(req.Header.Get("Accept-Encoding"), n.encoding) {
		return res, err
	}
	var b bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&b)
	if n.encoding == "zstd" {
		w, _ = zstd.NewWriter(&b)
	}
	_, _ = io.Copy(w, res.Body)
	_ = w.Close()
	res.Header.Set("Content-Encoding", n.encoding)
	res.Body = io.NopCloser(&b)
	return res, nil
}

func TestCall_compressed(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"gzip", "zstd"} {
		t.Run(encoding, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			p := signedIn(t, s)
			p.cfg.HTTP = &http.Client{Transport: packed{s, encoding}}
			p.reopen()
			p.give(s, page("c1", full(acme, 7, "name", "Acme")))
			require.Equal(t, "Acme", p.text(acme, "name"))

			s.next("/v1/sync/pull", func([]byte) (int, any) { return http.StatusOK, strings.Repeat(" ", 20<<20) })
			_, err := p.Pull(t.Context())
			require.Equal(t, errs.Busy, errs.KindOf(err), "a bomb")
		})
	}
}

// The store's text is JSON, so that a support person can read it.
func TestStore_isReadable(t *testing.T) {
	t.Parallel()
	p := newPhone(t, nil)
	p.create("account", device.Values{"name": "兴旺"})
	require.NoError(t, p.store.Load("entries", func(_, value []byte) error {
		require.True(t, json.Valid(value))
		require.Contains(t, string(value), "兴旺")
		return nil
	}))
}
