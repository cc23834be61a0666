package api_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/sync/wire"
)

// FuzzBody sends anything, in any encoding, to every route that reads a body.
// The answer is one of those that a client knows how to take, never an internal
// error, and a problem is a whole one.
func FuzzBody(f *testing.F) {
	paths := []string{"/v1/sync/push", "/v1/sync/pull", "/v1/auth/login", "/v1/auth/refresh"}
	encodings := []string{"", "gzip", "zstd"}
	for i, body := range []string{goodPush, goodPull, goodLogin, `{"refresh_token":"x","install":"y"}`, `{`, `null`, `"\u0000"`} {
		for e, pack := range []func([]byte) []byte{
			func(b []byte) []byte { return b },
			func(b []byte) []byte { return gzipped(f, b) },
			func(b []byte) []byte { return zstandard(f, b) },
		} {
			f.Add(uint8(i%len(paths)), uint8(e), pack([]byte(body)))
		}
	}
	f.Add(uint8(0), uint8(2), streamed(f, padded(goodPush, 4096)))
	f.Add(uint8(2), uint8(2), windowed(f, padded(goodLogin, 4096), 128<<20))
	s := newServer(nil)
	f.Fuzz(func(t *testing.T, path, encoding uint8, body []byte) {
		answer := s.ask(t, http.MethodPost, paths[int(path)%len(paths)], "rep", body,
			"Content-Encoding", encodings[int(encoding)%len(encodings)])

		got := text(t, answer)
		if answer.StatusCode == http.StatusOK {
			require.True(t, json.Valid([]byte(got)))
			return
		}
		require.Contains(t, []int{400, 413}, answer.StatusCode, got)
		var p wire.Problem
		require.NoError(t, json.Unmarshal([]byte(got), &p), got)
		require.Equal(t, "invalid", p.Kind)
		require.NotEmpty(t, p.Code)
		require.NotEmpty(t, p.Detail)
	})
}
