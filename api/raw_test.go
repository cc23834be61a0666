package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// What is no proper request is answered once and hung up on, or as what it
// means; never with an internal error, and never twice.
func TestNetwork_oddRequests(t *testing.T) {
	t.Parallel()

	post := func(path, headers, body string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: roadbook\r\nAuthorization: Bearer rep\r\n%sContent-Length: %d\r\n\r\n%s",
			path, headers, len(body), body)
	}
	chunked := "Transfer-Encoding: chunked\r\n"
	chunks := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(goodPush), goodPush)
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	login := func(org string) string {
		return strings.Replace(goodLogin, `"demo"`, org, 1)
	}
	tests := []struct {
		name, request string
		status        int
		code          string
	}{
		{"a body in chunks", head + chunked + "\r\n" + chunks, 200, ""},
		{"chunks and a length", head + chunked + "Content-Length: 5\r\n\r\n" + chunks, 200, ""},
		{"two lengths", head + "Content-Length: 43\r\nContent-Length: 44\r\n\r\n" + goodPush, 400, ""},
		{"a length below zero", head + "Content-Length: -1\r\n\r\n", 400, ""},
		{"a length of no number", head + "Content-Length: 0x2b\r\n\r\n" + goodPush, 400, ""},
		{"an unknown transfer encoding", head + "Transfer-Encoding: gzip\r\n\r\n", 501, ""},
		{"a chunk of no length", head + chunked + "\r\nzz\r\n", 503, "cut"},
		{"no host", strings.Replace(post("/v1/sync/push", "", goodPush), "Host: roadbook\r\n", "", 1), 400, ""},
		{"a header with a blank in its name", head + "X Odd: 1\r\n\r\n", 400, ""},
		{"NUL in a header", head + "X-Odd: a\x00b\r\n\r\n", 400, ""},
		{"HTTP/2 without TLS", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 404, "route"},
		{"an upgrade to HTTP/2", post("/v1/sync/push", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", goodPush), 200, ""},
		{"no HTTP", "hello\r\n\r\n", 400, ""},
		{"a method that is none", "BREW /v1/sync/push HTTP/1.1\r\nHost: roadbook\r\n\r\n", 405, "method"},
		{"TRACE", "TRACE /healthz HTTP/1.1\r\nHost: roadbook\r\n\r\n", 405, "method"},
		{"an address with dots", "GET /v1/../healthz HTTP/1.1\r\nHost: roadbook\r\n\r\n", 404, "route"},
		{"an encoded slash", "GET /v1%2fsync%2fpull HTTP/1.1\r\nHost: roadbook\r\n\r\n", 405, "method"},
		{"the full address", strings.Replace(post("/v1/sync/push", "", goodPush), "/v1", "http://roadbook/v1", 1), 200, ""},
		{"a long address", "GET /" + strings.Repeat("x", 15<<10) + " HTTP/1.1\r\nHost: roadbook\r\n\r\n", 404, "route"},
		{"an address past all length", "GET /" + strings.Repeat("x", 32<<10) + " HTTP/1.1\r\nHost: roadbook\r\n\r\n", 431, ""},
		{"another content type", post("/v1/sync/push", "Content-Type: text/plain\r\n", goodPush), 200, ""},
		{"a form", post("/v1/auth/login", "Content-Type: application/x-www-form-urlencoded\r\n", "org=demo&user=lin"), 400, "malformed"},
		{"UTF-16", post("/v1/auth/login", "Content-Type: application/json; charset=utf-16\r\n", "\xff\xfe{\x00}\x00"), 400, "utf8"},
		{"a long token", strings.Replace(post("/v1/sync/push", "", goodPush), "rep", strings.Repeat("x", 8<<10), 1), 401, "token"},
		{"two tokens", post("/v1/sync/push", "Authorization: Bearer admin\r\n", goodPush), 200, ""},
		{"no body where one is needed", post("/v1/sync/push", "", ""), 400, "envelope"},
		{"a body where none is", strings.Replace(post("/healthz", "", "x"), "POST", "GET", 1), 200, ""},
		{"an answer to a question", post("/v1/sync/push", "Expect: 100-continue\r\n", goodPush), 100, ""},
		{"an expectation that is unknown", post("/v1/sync/push", "Expect: 200-ok\r\n", goodPush), 417, ""},
		{"nesting where none belongs", post("/v1/auth/login", "", login(nested(7000))), 400, "type"},
		{"nesting in what nobody knows", post("/v1/auth/login", "", `{"x":`+nested(7000)+`,`+goodLogin[1:]), 200, ""},
		{"NaN", post("/v1/auth/login", "", login("NaN")), 400, "malformed"},
		{"NUL in a sign-in", post("/v1/auth/login", "", login(`"a\u0000"`)), 400, "nul"},
		{"2^53 as a size of pages", post("/v1/sync/pull", "", `{"replica":"k7f2","cursor":"","max_bytes":9007199254740992}`), 400, "max_bytes"},
		{"a list for a push", post("/v1/sync/push", "", "["+goodPush+"]"), 400, "envelope"},
		{"two pushes in one body", post("/v1/sync/push", "", goodPush+goodPush), 400, "envelope"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			synctest.Test(t, func(t *testing.T) {
				c := dial(t, newServer(nil))
				go func() { _, _ = io.WriteString(c, tt.request) }() // the server may hang up in the middle

				answer := receive(t, c)

				require.Equal(t, tt.status, answer.StatusCode)
				if tt.status == http.StatusContinue {
					return
				}
				got := text(t, answer)
				if tt.code != "" {
					require.Contains(t, got, `"code":"`+tt.code+`"`)
				}
			})
		})
	}
}

// Requests that come one behind the other without waiting are answered one
// behind the other, and what comes behind a broken one is not listened to.
func TestNetwork_pipelined(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		c := dial(t, newServer(nil))
		good := fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(goodPush), goodPush)
		broken := head + "Content-Length: x\r\n\r\n"
		go func() { _, _ = io.WriteString(c, strings.Repeat(good, 3)+broken+good) }()

		in := bufio.NewReader(c)
		for _, status := range []int{200, 200, 200, 400} {
			answer, err := http.ReadResponse(in, nil)
			require.NoError(t, err)
			_ = text(t, answer)
			require.Equal(t, status, answer.StatusCode)
		}
		_, err := http.ReadResponse(in, nil)
		require.Error(t, err)
		time.Sleep(time.Second)
	})
}
