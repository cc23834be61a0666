package field_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/record/field"
)

// Text gives back what was written, however it was spelled.
func TestText_decodes(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		s := drawText(t, 20)
		got, err := field.Text(json.RawMessage(respell(t, quoted(s))))
		require.NoError(t, err)
		require.Equal(t, s, got)
	})
}

func TestText_refuses(t *testing.T) {
	t.Parallel()

	for _, raw := range []string{"", "null", "1", `["a"]`, `"a`, `a"`, `"`, `"\u0000"`, `"\ud800"`, "\"\xff\""} {
		got, err := field.Text(json.RawMessage(raw))
		requireProblem(t, err, "must be text")
		require.Empty(t, got)
	}
}
