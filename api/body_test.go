package api_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/api"
	"roadbook/sync/wire"
)

func gzipped(t testing.TB, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// zstandard is compressed in one piece, so that the frame says how long it is;
// streamed is not, and says nothing.
func zstandard(t testing.TB, body []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return w.EncodeAll(body, nil)
}

func streamed(t testing.TB, body []byte) []byte {
	t.Helper()
	return windowed(t, body, 8<<20)
}

func windowed(t testing.TB, body []byte, window int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1))
	require.NoError(t, err)
	for chunk := range slices.Chunk(body, 1<<20) {
		_, err = w.Write(chunk)
		require.NoError(t, err)
		require.NoError(t, w.Flush())
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// padded fills a good body up with blanks to n bytes, which compress well;
// noisy is of a length that nothing can shorten.
func padded(body string, n int) []byte {
	return append([]byte(body), bytes.Repeat([]byte(" "), n-len(body))...)
}

func noisy(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	body := []byte(`{"replica":"k7f2","prev":"","noise":"`)
	for len(body) < n-2 {
		body = append(body, byte('#'+random.IntN('Z'-'#')))
	}
	return append(body, `"}`...)
}

func TestBody_limits(t *testing.T) {
	t.Parallel()

	const small = 16 << 10
	tests := []struct {
		name, path string
		body       []byte
		status     int
	}{
		{"a push at the limit", "/v1/sync/push", padded(goodPush, wire.MaxPushBytes), 200},
		{"a push one past it", "/v1/sync/push", padded(goodPush, wire.MaxPushBytes+1), 413},
		{"noise at the limit", "/v1/sync/push", noisy(wire.MaxPushBytes), 200},
		{"a pull at the limit", "/v1/sync/pull", padded(goodPull, wire.MaxPullBytes), 200},
		{"a pull one past it", "/v1/sync/pull", padded(goodPull, wire.MaxPullBytes+1), 413},
		{"a sign-in at the limit", "/v1/auth/login", padded(goodLogin, small), 200},
		{"a sign-in one past it", "/v1/auth/login", padded(goodLogin, small+1), 413},
		{"a refresh one past it", "/v1/auth/refresh", padded(`{"refresh_token":"x"}`, small+1), 413},
	}
	packers := map[string]func(testing.TB, []byte) []byte{"gzip": gzipped, "zstd": zstandard, "identity": nil}
	for _, tt := range tests {
		for encoding, pack := range packers {
			t.Run(tt.name+" as "+encoding, func(t *testing.T) {
				t.Parallel()

				body := tt.body
				if pack != nil {
					body = pack(t, body)
				}

				answer := newServer(nil).ask(t, http.MethodPost, tt.path, "rep", body, "Content-Encoding", encoding)

				got := text(t, answer)
				require.Equal(t, tt.status, answer.StatusCode, got)
				if tt.status == http.StatusRequestEntityTooLarge {
					require.Contains(t, got, `"kind":"invalid","code":"size"`)
				}
			})
		}
	}
}

func TestBody_encodings(t *testing.T) {
	t.Parallel()

	good := []byte(goodPush)
	flipped := gzipped(t, padded(goodPush, 4096))
	flipped[len(flipped)-6] ^= 1 // the checksum
	tests := []struct {
		name, encoding string
		body           []byte
		status         int
		code           string
	}{
		{"gzip", "gzip", gzipped(t, good), 200, ""},
		{"GZIP", " GZip", gzipped(t, good), 200, ""},
		{"x-gzip", "x-gzip", gzipped(t, good), 200, ""},
		{"zstd", "zstd", zstandard(t, good), 200, ""},
		{"zstd with a large window", "zstd", streamed(t, padded(goodPush, 3<<20)), 200, ""},
		{"gzip in two members", "gzip", append(gzipped(t, good[:9]), gzipped(t, good[9:])...), 200, ""},
		{"zstd in two frames", "zstd", append(zstandard(t, good[:9]), zstandard(t, good[9:])...), 200, ""},
		{"gzip cut short", "gzip", gzipped(t, good)[:30], 400, "malformed"},
		{"gzip with a wrong sum", "gzip", flipped, 400, "malformed"},
		{"gzip with a tail", "gzip", append(gzipped(t, good), "tail"...), 400, "malformed"},
		{"zstd cut short", "zstd", zstandard(t, padded(goodPush, 4096))[:20], 400, "malformed"},
		{"zstd with a tail", "zstd", append(zstandard(t, good), "tail"...), 400, "malformed"},
		{"no gzip at all", "gzip", good, 400, "malformed"},
		{"no zstd at all", "zstd", good, 400, "malformed"},
		{"nothing as gzip", "gzip", nil, 400, "malformed"},
		{"nothing as zstd", "zstd", nil, 400, "envelope"},
		{"brotli", "br", good, 415, "encoding"},
		{"deflate", "deflate", good, 415, "encoding"},
		{"twice", "gzip, gzip", gzipped(t, gzipped(t, good)), 415, "encoding"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			answer := newServer(nil).ask(t, http.MethodPost, "/v1/sync/push", "rep", tt.body, "Content-Encoding", tt.encoding)

			got := text(t, answer)
			require.Equal(t, tt.status, answer.StatusCode, got)
			if tt.code != "" {
				require.Contains(t, got, `"code":"`+tt.code+`"`)
				require.Contains(t, got, `"kind":"invalid"`)
			}
		})
	}

	window := streamed(t, padded(goodLogin, 8<<10))
	answer := newServer(nil).ask(t, http.MethodPost, "/v1/auth/login", "", window, "Content-Encoding", "zstd")
	require.Equal(t, 200, answer.StatusCode, "a large window costs nothing where the text is short")
}

// Not parallel: it counts what the process allocates in all, which for a slice
// that grows to 8 MiB is several times what it holds at once.
func TestBody_bombs(t *testing.T) {
	zeros := make([]byte, 50<<20)
	bombs := map[string]struct {
		encoding string
		body     []byte
	}{
		"gzip":              {"gzip", gzipped(t, zeros)},
		"zstd":              {"zstd", zstandard(t, zeros)},
		"zstd, length kept": {"zstd", streamed(t, zeros)},
		"many small frames": {"zstd", bytes.Repeat(zstandard(t, zeros[:1<<20]), 50)},
		"a large window":    {"zstd", windowed(t, zeros, 128<<20)},
		"a huge window":     {"zstd", hugeWindow()},
	}
	s := newServer(nil)
	for name, bomb := range bombs {
		require.Less(t, len(bomb.body), 100<<10)
		for path, most := range map[string]uint64{"/v1/sync/push": 64 << 20, "/v1/auth/login": 1 << 20} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			answer := s.ask(t, http.MethodPost, path, "rep", bomb.body, "Content-Encoding", bomb.encoding)
			runtime.ReadMemStats(&after)

			got := text(t, answer)
			require.Equal(t, http.StatusRequestEntityTooLarge, answer.StatusCode, name, got)
			require.Contains(t, got, `"kind":"invalid","code":"size"`, name)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, most, "%s at %s", name, path)
		}
	}
	for _, bomb := range bombs {
		answer := s.ask(t, http.MethodPost, "/v1/sync/push", "", bomb.body, "Content-Encoding", bomb.encoding)
		require.Equal(t, http.StatusUnauthorized, answer.StatusCode, "a stranger's is not even opened")
	}
}

// hugeWindow is the head of a frame that asks for terabytes, and a block of one
// byte that is to be repeated.
func hugeWindow() []byte {
	return []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 3, 0, 0x10, 0}
}

// A window is how much memory whoever unpacks has to lend; one beyond the
// longest body is refused as that, also where the text is short.
func TestBody_window(t *testing.T) {
	t.Parallel()

	for path, body := range map[string]string{"/v1/sync/push": goodPush, "/v1/auth/login": goodLogin} {
		for window, status := range map[int]int{8 << 20: 200, 16 << 20: 413, 128 << 20: 413} {
			packed := windowed(t, padded(body, 8<<10), window)

			answer := newServer(nil).ask(t, http.MethodPost, path, "rep", packed, "Content-Encoding", "zstd")

			got := text(t, answer)
			require.Equal(t, status, answer.StatusCode, "%s %d: %s", path, window, got)
			require.Equal(t, status == 413, strings.Contains(got, `"code":"size"`), got)
		}
	}
}

func TestBody_announcedTooLarge(t *testing.T) {
	t.Parallel()

	s := newServer(func(c *api.Config) {
		c.SignIn = nil // is not asked
	})
	answer := s.ask(t, http.MethodPost, "/v1/sync/push", "rep", make([]byte, wire.MaxPushBytes+(65<<10)))

	require.Equal(t, http.StatusRequestEntityTooLarge, answer.StatusCode)
}

func TestAnswers_areCompressedOnRequest(t *testing.T) {
	t.Parallel()

	page := []byte(`{"changes":["` + strings.Repeat("兴旺超市", 400) + `"]}`)
	tests := []struct {
		name, accept, encoding string
		page                   []byte
	}{
		{"gzip", "gzip", "gzip", page},
		{"zstd", "zstd", "zstd", page},
		{"zstd where both will do", "gzip, deflate, br, zstd", "zstd", page},
		{"not asked for", "", "", page},
		{"not in a way that we know", "br", "", page},
		{"refused", "gzip;q=0", "", page},
		{"too small", "gzip, zstd", "", []byte(`{"changes":[]}`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			s := newServer(func(c *api.Config) {
				c.Line = line{pull: func(context.Context, access.Caller, *wire.PullRequest) ([]byte, error) { return tt.page, nil }}
			})
			answer := s.ask(t, http.MethodPost, "/v1/sync/pull", "rep", []byte(goodPull), "Accept-Encoding", tt.accept)

			require.Equal(t, tt.encoding, answer.Header.Get("Content-Encoding"))
			require.Contains(t, answer.Header.Get("Vary"), "Accept-Encoding")
			require.Equal(t, string(tt.page), unpacked(t, tt.encoding, text(t, answer)))
		})
	}
}

func unpacked(t *testing.T, encoding, sent string) string {
	t.Helper()
	var meant bytes.Buffer
	switch encoding {
	case "gzip":
		r, err := gzip.NewReader(strings.NewReader(sent))
		require.NoError(t, err)
		_, err = meant.ReadFrom(r)
		require.NoError(t, err)
	case "zstd":
		r, err := zstd.NewReader(strings.NewReader(sent))
		require.NoError(t, err)
		defer r.Close()
		_, err = meant.ReadFrom(r)
		require.NoError(t, err)
	default:
		return sent
	}
	require.Less(t, len(sent), meant.Len()/4)
	return meant.String()
}
