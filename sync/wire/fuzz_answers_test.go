package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/sync/wire"
)

// FuzzAnswers holds the frames that servers send to their JSON: whatever can
// be read can be written, and reads the same again.
func FuzzAnswers(f *testing.F) {
	for _, name := range []string{
		"push_answer", "pull_answer", "problem", "login_request", "login_answer", "refresh_request", "refresh_answer",
	} {
		for _, body := range goldens(f, name) {
			f.Add(body)
		}
	}
	for _, s := range odd {
		f.Add([]byte(s))
		f.Add([]byte(`{"changes":[{"set":` + s + `,"in":` + s + `}],"schema":` + s + `}`))
		f.Add([]byte(`{"outcomes":[{"n":` + s + `,"over":` + s + `,"clashes":[{"kept":` + s + `}]}]}`))
	}
	frames := []func() any{
		func() any { return new(wire.PushAnswer) }, func() any { return new(wire.PullAnswer) },
		func() any { return new(wire.Problem) }, func() any { return new(wire.LoginAnswer) },
		func() any { return new(wire.RefreshAnswer) }, func() any { return new(wire.LoginRequest) },
		func() any { return new(wire.RefreshRequest) },
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, frame := range frames {
			first, second := frame(), frame()
			if json.Unmarshal(body, first) != nil {
				continue
			}
			text, err := json.Marshal(first)
			require.NoError(t, err, "%T", first)
			require.NoError(t, json.Unmarshal(text, second), "%T: %s", first, text)
			again, err := json.Marshal(second)
			require.NoError(t, err)
			require.Equal(t, string(text), string(again), "%T", first)
		}
	})
}
