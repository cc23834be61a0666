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

// counting draws amounts. A create says where the count begins, which is an
// amount like another.
func counting(t *rapid.T, _ *typed) record.Edit {
	amount := record.Values{{Field: "points", Raw: strconv.AppendInt(nil, rapid.Int64Range(-5, 5).Draw(t, "amount"), 10)}}
	if op := drawOp(t); op == record.OpCreate {
		return record.Edit{Op: op, Set: amount}
	}
	return record.Edit{Op: record.OpEdit, Inc: amount}
}

// A counter is the sum of what was counted, in whatever order. It is not for
// it to know a dot that came before: each is judged once.
func TestCounter_laws(t *testing.T) {
	t.Parallel()

	sum := law{"it is the sum of all amounts", func(t *rapid.T, history []*typed) {
		var want int64
		for _, s := range settle(t, history, byPlace) {
			for _, vs := range []record.Values{s.typed.edit.Set, s.typed.edit.Inc} {
				for _, v := range vs {
					n, err := strconv.ParseInt(string(v.Raw), 10, 64)
					require.NoError(t, err)
					want += n
				}
			}

			require.Equal(t, strconv.FormatInt(want, 10), string(s.rec.Raw("points")))
			require.Empty(t, s.report.Clashes, "to count together is no clash")
		}
	}}

	past := law{"history has every count that there was", func(t *rapid.T, history []*typed) {
		was := "null"
		for _, s := range settle(t, history, byPlace) {
			require.Equal(t, was, string(s.report.Was.Get("points")))
			was = string(s.rec.Raw("points"))
		}
	}}

	laws(t, counting, deterministic, placeOrName, anyOrder(settled), sum, past)
}

// A counter counts as far as JavaScript does, either way, and says so where it
// ends.
func TestCount_limit(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name   string
		have   string
		amount int64
		want   string // "" if it is refused
	}{
		{"from nothing to the largest", "", conflicts.MaxCount, "9007199254740991"},
		{"from nothing to the smallest", "null", -conflicts.MaxCount, "-9007199254740991"},
		{"to the largest", "9007199254740990", 1, "9007199254740991"},
		{"one past the largest", "9007199254740991", 1, ""},
		{"to the smallest", "-9007199254740990", -1, "-9007199254740991"},
		{"one past the smallest", "-9007199254740991", -1, ""},
		{"back from the edge", "9007199254740991", -conflicts.MaxCount, "0"},
		{"twice the largest", "9007199254740991", conflicts.MaxCount, ""},
		{"from what is no count", "1.5", 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			slot := record.Slot{Field: "points", Raw: json.RawMessage(tt.have), By: at(anna, 1, 1)}

			err := conflicts.Count(&slot, tt.amount, &conflicts.Write{By: at(ben, 1, 2)})

			if tt.want == "" {
				require.Error(t, err)
				require.Equal(t, tt.have, string(slot.Raw), "it is as it was")
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, string(slot.Raw))
			require.Equal(t, at(ben, 1, 2), slot.By)
		})
	}
}

func TestDelta(t *testing.T) {
	t.Parallel()

	for raw, want := range map[string]int64{
		"0": 0, "1": 1, "-1": -1, "-0": 0, "1.0": 1, "1e3": 1000, "1E+3": 1000, "12.50e1": 125, "1000e-3": 1,
		"9007199254740991": conflicts.MaxCount, "-9007199254740991": -conflicts.MaxCount,
	} {
		got, err := conflicts.Delta(json.RawMessage(raw))

		require.NoError(t, err, raw)
		require.Equal(t, want, got, raw)
	}
	for _, raw := range []string{
		"", "null", "true", `"1"`, "[1]", "{}", "1.5", "1e-1", "9007199254740992", "-9007199254740992",
		"1e400", "NaN", "Inf", "-inf", "1x",
	} {
		_, err := conflicts.Delta(json.RawMessage(raw))

		require.Error(t, err, raw)
	}
}
