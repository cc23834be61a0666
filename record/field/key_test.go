package field_test

import (
	"cmp"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/record/field"
)

// Keys sort by their bytes as the values do, and equal values have one key.
func TestKey_order(t *testing.T) {
	t.Parallel()

	for _, name := range []string{"number", "decimal", "money", "date", "datetime"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			typ, _ := field.Lookup(name)
			rapid.Check(t, func(t *rapid.T) {
				a, err := typ.Check(spec, json.RawMessage(drawValue(t, name)))
				require.NoError(t, err)
				b, err := typ.Check(spec, json.RawMessage(drawValue(t, name)))
				require.NoError(t, err)
				want, err := field.Compare(name, a, b)
				require.NoError(t, err)
				x, err := field.Key(name, a)
				require.NoError(t, err)
				y, err := field.Key(name, b)
				require.NoError(t, err)

				require.Equal(t, cmp.Compare(want, 0), strings.Compare(x, y), "%s is %s, %s is %s", a, x, b, y)
			})
		})
	}
}

// Every value of a type that has keys has one, and no other type has.
func TestKey_ofAll(t *testing.T) {
	t.Parallel()

	without := []string{}
	for _, name := range field.Names() {
		if !field.HasKey(name) {
			without = append(without, name)
			_, err := field.Key(name, json.RawMessage(`"x"`))
			require.Error(t, err)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			typ, _ := field.Lookup(name)
			rapid.Check(t, func(t *rapid.T) {
				a, err := typ.Check(spec, json.RawMessage(drawValue(t, name)))
				require.NoError(t, err)
				key, err := field.Key(name, a)
				require.NoError(t, err)
				require.LessOrEqual(t, len([]rune(key)), field.MaxKeyRunes+1)
			})
			_, err := field.Key(name, json.RawMessage(`[`))
			require.Error(t, err)
		})
	}
	require.Equal(t, []string{"files", "map", "place", "rows"}, without)
}

// A long text is cut, and the key of one is that of no text that is as long as
// a key. Whether another text of up to a key's length comes before it, after it
// or begins it, the key says.
func TestKey_long(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.SampledFrom([]rune("aé冷\U0001F600"))
		short := string(rapid.SliceOfN(letters, 0, field.MaxKeyRunes).Draw(t, "short"))
		long := string(rapid.SliceOfN(letters, 0, field.MaxKeyRunes+3).Draw(t, "long"))
		if rapid.Bool().Draw(t, "goes on") {
			long = short + long
		}
		raw, err := json.Marshal(long)
		require.NoError(t, err)

		key, err := field.Key("text", raw)

		require.NoError(t, err)
		require.Equal(t, strings.Compare(long, short), strings.Compare(key, short))
		require.Equal(t, strings.HasPrefix(long, short), strings.HasPrefix(key, short))
	})
}

// A bare number is the key of an amount, in any currency.
func TestNumberKey(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct{ typ, value, number string }{
		{"money", `{"amount":"12.50","currency":"CNY"}`, "12.5"},
		{"decimal", `"-0.5"`, "-0.5"},
		{"number", "1000", "1e3"},
		{"number", "0", "-0"},
	} {
		want, err := field.Key(tt.typ, json.RawMessage(tt.value))
		require.NoError(t, err)
		got, err := field.NumberKey(tt.typ, tt.number)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := field.NumberKey("decimal", "0.1234567")
	require.Error(t, err)
}
