package api_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	loaded  = regexp.MustCompile(`(?:src|href)="([^"]*)"`)
	foreign = regexp.MustCompile(`@import|url\(\s*["']?(?:https?:)?//`)
)

// The page and what it loads come from this server and from nowhere else.
func TestDocs_loadNothingFromOutside(t *testing.T) {
	t.Parallel()

	s := newServer(nil)
	page := s.ask(t, "GET", "/docs", "", nil)
	require.Equal(t, "text/html; charset=utf-8", page.Header.Get("Content-Type"))
	policy := page.Header.Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'; script-src 'self';")
	require.NotContains(t, policy, "http")
	require.NotContains(t, policy, "*")
	html := text(t, page)
	require.NotContains(t, html, "<script>", "the policy would stop it")
	links := loaded.FindAllStringSubmatch(html, -1)
	require.NotEmpty(t, links)
	for _, l := range links {
		require.NotContains(t, l[1], ":")
		require.False(t, strings.HasPrefix(l[1], "/"), "a proxy may serve us under a prefix")
		answer := s.ask(t, "GET", "/"+l[1], "", nil)
		require.Equal(t, http.StatusOK, answer.StatusCode, l[1])
		content := text(t, answer)
		require.NotEmpty(t, content)
		if strings.HasSuffix(l[1], ".css") {
			require.False(t, foreign.MatchString(content), l[1])
		}
	}
}

func TestDocs_inBothLanguages(t *testing.T) {
	t.Parallel()

	s := newServer(nil)
	require.Contains(t, text(t, s.ask(t, "GET", "/docs", "", nil)), "<title>Roadbook API</title>")
	zh := s.ask(t, "GET", "/docs", "", nil, "Accept-Language", "zh-CN")
	require.Equal(t, "zh", zh.Header.Get("Content-Language"))
	require.Contains(t, text(t, zh), "<title>Roadbook 接口文档</title>")
}

func TestDocs_packed(t *testing.T) {
	t.Parallel()

	s := newServer(nil)
	plain := s.ask(t, "GET", "/docs/viewer.js", "", nil)
	require.Empty(t, plain.Header.Get("Content-Encoding"))
	require.Equal(t, "text/javascript; charset=utf-8", plain.Header.Get("Content-Type"))
	require.Equal(t, "public, max-age=3600", plain.Header.Get("Cache-Control"))
	packed := s.ask(t, "GET", "/docs/viewer.js", "", nil, "Accept-Encoding", "gzip, br")
	require.Equal(t, "gzip", packed.Header.Get("Content-Encoding"))
	r, err := gzip.NewReader(packed.Body)
	require.NoError(t, err)
	unpacked, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, text(t, plain), string(unpacked))

	nothing := s.ask(t, "GET", "/docs/secret.key", "", nil)
	require.Equal(t, http.StatusNotFound, nothing.StatusCode)
	require.Contains(t, text(t, nothing), `"code":"route"`)
}
