package field_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/record/field"
)

// canonical reports what keeps checked from being canonical.
func canonical(typ field.Type, checked json.RawMessage) error {
	again, err := typ.Check(spec, bytes.Clone(checked))
	if err != nil {
		return fmt.Errorf("it is refused the second time: %w", err)
	}
	if !bytes.Equal(again, checked) {
		return fmt.Errorf("it changes the second time, to %s", again)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, checked); err != nil {
		return err
	}
	if !bytes.Equal(compact.Bytes(), checked) {
		return errors.New("it is not compact")
	}
	return nil
}

// What a type has returned it returns again, and another spelling of the same
// value has the same bytes.
func TestCheck_laws(t *testing.T) {
	t.Parallel()

	for _, name := range field.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			typ, _ := field.Lookup(name)
			rapid.Check(t, func(t *rapid.T) {
				raw := drawValue(t, name)
				got, err := typ.Check(spec, json.RawMessage(raw))
				require.NoError(t, err, raw)
				require.NoError(t, canonical(typ, got))

				spelled := respell(t, raw)
				same, err := typ.Check(spec, json.RawMessage(spelled))
				require.NoError(t, err, spelled)
				require.Equal(t, string(got), string(same), "%s and %s are equal values", raw, spelled)
			})
		})
	}
}

// No type changes the bytes it was given: they are still being hashed.
func TestCheck_leavesItsInputAlone(t *testing.T) {
	t.Parallel()

	for name, table := range tables {
		typ, _ := field.Lookup(name)
		for _, tt := range table {
			raw := json.RawMessage(tt.raw)
			_, _ = typ.Check(spec, raw)
			require.Equal(t, tt.raw, string(raw), tt.name)
		}
	}
}

// Two values have the same bytes exactly if a JSON decoder thinks them equal.
func TestCheck_equalBytesAreEqualValues(t *testing.T) {
	t.Parallel()

	typ, _ := field.Lookup("map")
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawJSON(t, 2), drawJSON(t, 2)
		x, err := typ.Check(spec, json.RawMessage(a))
		require.NoError(t, err, a)
		y, err := typ.Check(spec, json.RawMessage(b))
		require.NoError(t, err, b)
		require.Equal(t, reflect.DeepEqual(decode(a), decode(b)), bytes.Equal(x, y), "%s and %s", a, b)
		require.Equal(t, decode(a), decode(string(x)))
	})
}

func decode(raw string) any {
	var v any
	if err := json.Unmarshal([]byte(raw), &v); err != nil {
		panic(err)
	}
	return v
}

// Compare is a total order in which only equal bytes are equal.
func TestCompare_laws(t *testing.T) {
	t.Parallel()

	for _, name := range []string{"number", "decimal", "money", "date", "datetime"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			typ, _ := field.Lookup(name)
			draw := func(t *rapid.T) json.RawMessage {
				checked, err := typ.Check(spec, json.RawMessage(drawValue(t, name)))
				require.NoError(t, err)
				return checked
			}
			rapid.Check(t, func(t *rapid.T) {
				a, b, c := draw(t), draw(t), draw(t)
				ab, ba := compare(t, name, a, b), compare(t, name, b, a)

				require.Equal(t, ab, -ba)
				require.Equal(t, bytes.Equal(a, b), ab == 0)
				if ab <= 0 && compare(t, name, b, c) <= 0 {
					require.LessOrEqual(t, compare(t, name, a, c), 0)
				}
			})
		})
	}
}

func compare(t *rapid.T, name string, a, b json.RawMessage) int {
	n, err := field.Compare(name, a, b)
	require.NoError(t, err)
	return n
}

// Whatever bytes arrive, nothing panics, what is taken is canonical, and what
// is not has a reason fit to be read.
func FuzzCheck(f *testing.F) {
	for name, table := range tables {
		for _, tt := range table {
			if len(tt.raw) < 1<<10 {
				f.Add(name, []byte(tt.raw))
			}
		}
	}
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		for _, n := range field.Names() {
			if _, ok := field.Lookup(name); ok && n != name {
				continue
			}
			typ, _ := field.Lookup(n)
			checked, err := typ.Check(spec, raw)
			if err != nil {
				requireProblem(t, err, "must ")
				continue
			}
			require.NoError(t, canonical(typ, checked))
			_, _ = field.Compare(n, checked, checked)
		}
	})
}
