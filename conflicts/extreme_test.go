package conflicts_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/conflicts"
	"roadbook/record"
)

// drawNumber is a number, of few, or nothing.
func drawNumber(t *rapid.T, _ *typed) json.RawMessage {
	return json.RawMessage(rapid.SampledFrom([]string{"-10", "9", "10", "100", "2.5", "null"}).Draw(t, "value"))
}

// The larger value stands, or the smaller one, whoever had seen what.
func TestExtreme_laws(t *testing.T) {
	t.Parallel()

	for field, sign := range map[string]float64{"last": 1, "first": -1} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()

			extreme := law{"it is the extreme of all that were written", func(t *rapid.T, history []*typed) {
				want := ""
				for _, s := range settle(t, history, byPlace) {
					raw := string(s.typed.edit.Set.Get(field))
					if raw != "null" && (want == "" || sign*number(t, raw) > sign*number(t, want)) {
						want = raw
					}

					require.Equal(t, want, string(s.rec.Raw(field)), "it never goes back")
				}
			}}

			laws(t, setting(field, drawNumber), deterministic, placeOrName, anyOrder(settled),
				repeatedAtOnce, repeatedEver(settled), nothingLost, toldSo, extreme)
		})
	}
}

func number(t require.TestingT, raw string) float64 {
	x, err := strconv.ParseFloat(raw, 64)
	require.NoError(t, err)
	return x
}

func TestExtreme_verdicts(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name        string
		field       string
		have, value string
		want        conflicts.Verdict
		stays       bool
	}{
		{"the first value is taken", "last", "null", "1", conflicts.Took, false},
		{"a larger one is taken", "last", "9", "10", conflicts.Took, false},
		{"a smaller one is not", "last", "10", "9", conflicts.Kept, true},
		{"the same says nothing new", "last", "10", "10", conflicts.Agreed, true},
		{"it cannot be cleared", "last", "10", "null", conflicts.Kept, true},
		{"of the smallest, a smaller one is taken", "first", "10", "9", conflicts.Took, false},
		{"of the smallest, a larger one is not", "first", "9", "10", conflicts.Kept, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			had := record.Slot{Field: tt.field, Raw: json.RawMessage(tt.have), By: at(anna, 1, 5)}
			slot, w := had, &conflicts.Write{By: at(ben, 1, 4)}

			got, err := conflicts.Extreme(&slot, anyShop.Field(tt.field), json.RawMessage(tt.value), w)

			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			if tt.stays {
				require.Equal(t, had, slot)
			} else {
				require.Equal(t, record.Slot{Field: tt.field, Raw: json.RawMessage(tt.value), By: at(ben, 1, 4)}, slot)
			}
		})
	}
}

// A type without an order cannot have a largest value. The schema is wrong,
// and whoever writes is told rather than anything being guessed.
func TestExtreme_withoutAnOrder(t *testing.T) {
	t.Parallel()

	f := &record.Field{Name: "last", Type: "text", Policy: record.Max}
	slot := record.Slot{Field: "last", Raw: json.RawMessage(`"a"`), By: at(anna, 1, 5)}

	_, err := conflicts.Extreme(&slot, f, json.RawMessage(`"b"`), &conflicts.Write{By: at(ben, 1, 6)})

	require.ErrorContains(t, err, "last")
	require.Equal(t, `"a"`, string(slot.Raw))
}
