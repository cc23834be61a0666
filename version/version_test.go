package version_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/version"
)

func drawVector(t *rapid.T, label string) version.Vector {
	return rapid.MapOfN(
		rapid.SampledFrom([]version.Replica{"anna", "ben", "cara", version.Log}),
		rapid.Uint64Range(1, 1<<62), 0, 4,
	).Draw(t, label)
}

// The join is a least upper bound: it covers both, and nothing smaller does.
func TestVector_join(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawVector(t, "a"), drawVector(t, "b"), drawVector(t, "c")
		joined := a.Join(b)

		require.True(t, joined.Dominates(a))
		require.True(t, joined.Dominates(b))
		require.Equal(t, joined, b.Join(a), "order does not matter")
		require.Equal(t, joined.Join(c), a.Join(b.Join(c)), "grouping does not matter")
		if c.Dominates(a) && c.Dominates(b) {
			require.True(t, c.Dominates(joined), "no smaller bound exists")
		}
	})
}

func TestVector_json(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		v := drawVector(t, "v")
		text, err := json.Marshal(v)
		require.NoError(t, err)
		var back version.Vector
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, v, back)
	})
	text, err := json.Marshal(version.Vector{version.Log: 812, "m3x9": 4})
	require.NoError(t, err)
	require.JSONEq(t, `{"log":"812","m3x9":4}`, string(text))
	for _, bad := range []string{`[]`, `{"log":-1}`, `{"log":"x"}`, `{"log":1.5}`, `{"log":9223372036854775808}`} {
		var v version.Vector
		require.Error(t, json.Unmarshal([]byte(bad), &v), bad)
	}
}

// Whatever the wall clock does, a stamp comes after everything seen.
func TestStamp_after(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		seen := version.Stamp{MS: rapid.Int64Range(0, version.MaxStampMS).Draw(t, "ms"), C: rapid.Uint16().Draw(t, "c")}
		clock := rapid.Int64Range(0, version.MaxStampMS).Draw(t, "clock")
		made := seen.After(clock)

		require.Positive(t, made.Compare(seen))
		require.GreaterOrEqual(t, made.MS, clock)
		require.Equal(t, made, version.Unpack(made.Packed()))
		require.Equal(t, made.Compare(seen) > 0, made.Packed() > seen.Packed(), "packing keeps the order")
	})
}

func TestStamp_check(t *testing.T) {
	t.Parallel()

	require.NoError(t, version.Stamp{MS: version.MaxStampMS}.Check())
	require.NoError(t, version.Stamp{}.Check())
	require.Error(t, version.Stamp{MS: version.MaxStampMS + 1}.Check())
	require.Error(t, version.Stamp{MS: -1}.Check())
}

// Two phones edit while apart. Neither has seen the other's write, so the
// writes are concurrent; the join has seen both.
func ExampleVector_Join() {
	anna := version.Vector{"anna": 3, "server": 10}
	ben := version.Vector{"ben": 7, "server": 8}

	fmt.Println("anna saw ben's edit:", anna.Covers(version.Dot{Replica: "ben", N: 7}))
	fmt.Println("together:", anna.Join(ben))
	// Output:
	// anna saw ben's edit: false
	// together: anna:3 ben:7 server:10
}

// A phone whose clock lags still stamps after what it has read.
func ExampleStamp_After() {
	read := version.Stamp{MS: 1000, C: 4}
	fmt.Println(read.After(900), read.After(2000))
	// Output: {1000 5} {2000 0}
}

// A vector is written as encoding/json would write a map of the same entries.
func TestVector_AppendJSON(t *testing.T) {
	t.Parallel()
	names := rapid.OneOf(rapid.StringMatching(`[a-z0-9]{1,7}`), rapid.String(), rapid.Just(string(version.Log)))
	rapid.Check(t, func(t *rapid.T) {
		plain, v := map[string]any{}, version.Vector{}
		for name, n := range rapid.MapOfN(names, rapid.Uint64(), 0, 8).Draw(t, "entries") {
			plain[name], v[version.Replica(name)] = n, n
			if name == string(version.Log) {
				plain[name] = strconv.FormatUint(n, 10)
			}
		}
		want, err := json.Marshal(plain)
		require.NoError(t, err)
		require.Equal(t, "before "+string(want), string(v.AppendJSON([]byte("before "))))
	})
}
