package wire_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/sync/wire"
)

// frames are the types of the golden files, by the name each file gives.
var frames = map[string]func() any{
	"login_request":   func() any { return new(wire.LoginRequest) },
	"login_answer":    func() any { return new(wire.LoginAnswer) },
	"refresh_request": func() any { return new(wire.RefreshRequest) },
	"refresh_answer":  func() any { return new(wire.RefreshAnswer) },
	"push":            func() any { return new(wire.Push) },
	"push_answer":     func() any { return new(wire.PushAnswer) },
	"pull_request":    func() any { return new(wire.PullRequest) },
	"check_request":   func() any { return new(wire.CheckRequest) },
	"pull_answer":     func() any { return new(wire.PullAnswer) },
	"problem":         func() any { return new(wire.Problem) },
	"live_wake":       func() any { return new(wire.Wake) },
	"live_changes":    func() any { return new(wire.LivePage) },
	"live_request":    func() any { return new(wire.LiveRequest) },
}

// golden reads a file of testdata: which frame it is, and the frame.
func golden(tb testing.TB, file string) (frame string, body json.RawMessage) {
	tb.Helper()

	text, err := os.ReadFile(file)
	require.NoError(tb, err)
	var read struct {
		Frame string          `json:"frame"`
		Body  json.RawMessage `json:"body"`
	}
	require.NoError(tb, json.Unmarshal(text, &read))
	return read.Frame, read.Body
}

// goldens are the bodies of all files of one frame.
func goldens(tb testing.TB, want string) map[string][]byte {
	tb.Helper()

	files, err := filepath.Glob("testdata/*.json")
	require.NoError(tb, err)
	bodies := map[string][]byte{}
	for _, file := range files {
		if frame, body := golden(tb, file); frame == want {
			bodies[filepath.Base(file)] = body
		}
	}
	require.NotEmpty(tb, bodies)
	return bodies
}

// encode writes a frame as the golden files are written.
func encode(tb testing.TB, frame string, body any) string {
	tb.Helper()

	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	require.NoError(tb, e.Encode(struct {
		Frame string `json:"frame"`
		Body  any    `json:"body"`
	}{frame, body}))
	return text.String()
}

// Every file in testdata is a frame that some released phone sends or expects.
// The TypeScript SDK runs the same files. Changing one is changing the
// protocol: add a file instead.
func TestWire_golden(t *testing.T) {
	t.Parallel()

	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, file := range files {
		name, raw := golden(t, file)
		seen[name] = true
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()

			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Contains(t, frames, name)
			body := frames[name]()
			require.NoError(t, json.Unmarshal(raw, body))

			require.Equal(t, string(want), encode(t, name, body))
		})
	}
	for name := range frames {
		require.True(t, seen[name], "no golden file shows %s", name)
	}
}

// What a device may send is read by hand here, and by encoding/json in its SDK
// and in the simulator. Both must read the same.
func TestReadPush_golden(t *testing.T) {
	t.Parallel()

	for file, body := range goldens(t, "push") {
		got, err := wire.ReadPush(body)
		require.NoError(t, err, file)
		want := new(wire.Push)
		require.NoError(t, json.Unmarshal(body, want))
		for i := range got.Mutations {
			require.Nil(t, got.Mutations[i].Broken, file)
			require.Equal(t, wire.Hash(&want.Mutations[i]), got.Mutations[i].Hash, file)
			got.Mutations[i].Hash = [32]byte{}
		}
		require.Equal(t, encode(t, "push", want), encode(t, "push", got), file)
		if len(want.Mutations) > 0 {
			require.Equal(t, want.Mutations, got.Mutations, file)
		}
	}
}

func TestReadPull_golden(t *testing.T) {
	t.Parallel()

	for file, body := range goldens(t, "pull_request") {
		got, err := wire.ReadPull(body)
		require.NoError(t, err, file)
		want := new(wire.PullRequest)
		require.NoError(t, json.Unmarshal(body, want))
		require.Equal(t, want, got, file)
	}
}
