package api_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
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

// FuzzQuery asks for records with anything as parameters: what cannot be meant
// is refused, and nothing of it is an internal error.
func FuzzQuery(f *testing.F) {
	f.Add("account", `stage == "won"`, "-updated_at", "50", "", "0199b6a0-0000-7000-8000-000000000001", "")
	f.Add("", "\x00", "%", "1e9", "../..", "x", `W/"7"`)
	f.Add("a/b?c#d", "'", "-", "-1", "9223372036854775808", "{0199b6a0-0000-7000-8000-000000000001}", "*")
	s := newServer(nil)
	f.Fuzz(func(t *testing.T, kind, filter, sort, limit, after, id, tag string) {
		at := "/v1/records/" + url.PathEscape(kind)
		query := url.Values{"filter": {filter}, "sort": {sort}, "limit": {limit}, "after": {after}, "seen": {limit}}.Encode()
		one := at + "/" + url.PathEscape(id)
		for _, ask := range []struct{ method, path string }{
			{"GET", at + "?" + query},
			{"GET", one + "?" + query},
			{"GET", one + "/history?" + query},
			{"GET", one + "/timeline?" + query},
			{"DELETE", one + "?" + query},
			{"GET", "/v1/today?" + query},
			{"POST", at},
			{"POST", one},
			{"POST", one + "/delete"},
			{"POST", one + "/restore"},
		} {
			answer := s.ask(t, ask.method, ask.path, "rep", []byte(filter), "Idempotency-Key", headerText(id), "If-None-Match", headerText(tag))

			got := text(t, answer)
			require.Less(t, answer.StatusCode, 500, "%s %s: %s", ask.method, ask.path, got)
			if answer.StatusCode != http.StatusNotModified {
				require.True(t, json.Valid([]byte(got)), "%s %s: %s", ask.method, ask.path, got)
			}
		}
	})
}

// headerText is text that can stand in a header.
func headerText(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
}
