package conflicts_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/conflicts"
	"roadbook/record"
)

// What the log accepts first stays, for everyone and against its own author.
func TestOnce_laws(t *testing.T) {
	t.Parallel()

	first := law{"the first that arrives stays", func(t *rapid.T, history []*typed) {
		for _, order := range [][]*typed{history, drawOrder(t, history)} {
			want := ""
			for _, s := range settle(t, order, byName) {
				if raw := string(s.typed.edit.Set.Get("check_in")); want == "" && raw != "null" {
					want = raw
				}

				require.Equal(t, want, string(s.rec.Raw("check_in")))
			}
		}
	}}

	laws(t, setting("check_in", drawText), deterministic, placeOrName, repeatedAtOnce,
		repeatedEver(settled), nothingLost, toldSo, first)
}

func TestOnce_verdicts(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name        string
		have, value string
		by          record.ReplicaID
		want        conflicts.Verdict
		stands      string
	}{
		{"the first is taken", ``, `"here"`, ben, conflicts.Took, `"here"`},
		{"what was cleared was never there", `null`, `"here"`, ben, conflicts.Took, `"here"`},
		{"a second is not", `"here"`, `"there"`, ben, conflicts.Kept, `"here"`},
		{"nor its own author's", `"here"`, `"there"`, anna, conflicts.Kept, `"here"`},
		{"nor nothing", `"here"`, `null`, anna, conflicts.Kept, `"here"`},
		{"the same is no other", `"here"`, `"here"`, ben, conflicts.Agreed, `"here"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			slot := record.Slot{Field: "check_in", Raw: json.RawMessage(tt.have), By: at(anna, 1, 5)}
			w := &conflicts.Write{By: at(tt.by, 2, 9), Seen: conflicts.Seen{Dots: vector{anna: 1}}}

			got := conflicts.Once(&slot, json.RawMessage(tt.value), w)

			require.Equal(t, tt.want, got)
			require.Equal(t, tt.stands, string(slot.Raw))
			require.Equal(t, tt.want == conflicts.Took, slot.By == w.By)
		})
	}
}
