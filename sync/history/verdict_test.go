package history

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/record"
	"roadbook/version"
)

// What a row keeps of its verdict is the same text whichever way it is written,
// and an empty one is none.
func TestVerdict_text(t *testing.T) {
	t.Parallel()
	ids := rapid.Custom(func(t *rapid.T) record.ID { return record.NoID.Derive(rapid.StringN(1, 4, -1).Draw(t, "id")) })
	seen := rapid.MapOfN(rapid.StringMatching(`[a-z0-9]{1,7}`), rapid.Uint64(), 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		keep := Verdict{Clamped: rapid.Bool().Draw(t, "clamped")}
		for id, of := range rapid.MapOfN(ids, seen, 0, 4).Draw(t, "over") {
			if keep.Over == nil {
				keep.Over = map[record.ID]version.Vector{}
			}
			keep.Over[id] = version.Vector{}
			for name, n := range of {
				keep.Over[id][version.Replica(name)] = n
			}
		}
		if !keep.Clamped && keep.Over == nil {
			require.Nil(t, keep.Text())
			return
		}
		want, err := json.Marshal(keep)
		require.NoError(t, err)
		require.Equal(t, string(want), string(keep.Text()))
	})
}
