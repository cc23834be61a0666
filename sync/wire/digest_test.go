package wire_test

import (
	"math"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/record"
	"roadbook/sync/wire"
)

func drawID(t *rapid.T) record.ID {
	var id record.ID
	copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
	return id
}

// These were computed from the paper's definition in another language. They
// must never change: servers of two releases compare their sums during an
// upgrade.
func TestSum_stable(t *testing.T) {
	t.Parallel()

	last := record.MustID("ffffffff-ffff-ffff-ffff-ffffffffffff")
	require.Equal(t, uint64(0x2130748aaac80268), wire.Sum(record.NoID, 0, 0))
	require.Equal(t, uint64(0xe862898d31d79768), wire.Sum(record.MustID(acme), 813, 42))
	require.Equal(t, uint64(0x13d2a40efdd87eb9), wire.Sum(last, math.MaxInt64, math.MaxUint64))
}

// Every bit of the input turns about half of the bits of the sum.
func TestSum_avalanche(t *testing.T) {
	t.Parallel()

	id := record.MustID(acme)
	base := wire.Sum(id, 813, 42)
	turned, least := 0, 64
	for bit := range 256 {
		other, seq, key := id, record.Seq(813), uint64(42)
		switch {
		case bit < 128:
			other[bit/8] ^= 1 << (bit % 8)
		case bit < 192:
			seq ^= 1 << (bit - 128)
		default:
			key ^= 1 << (bit - 192)
		}
		n := bits.OnesCount64(base ^ wire.Sum(other, seq, key))
		turned, least = turned+n, min(least, n)
	}
	require.InDelta(t, 32, float64(turned)/256, 1)
	require.Greater(t, least, 12)
}

// In which order records are counted, and in how many leaves, changes nothing.
func TestTally_laws(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfN(rapid.Custom(drawID), 0, 40).Draw(t, "ids")
		var whole, joined wire.Tally
		var leaves [wire.Leaves]wire.Tally
		for _, id := range ids {
			whole.Add(wire.Sum(id, 7, 42))
		}
		for _, id := range rapid.Permutation(ids).Draw(t, "another order") {
			leaves[wire.Leaf(id)].Add(wire.Sum(id, 7, 42))
		}
		for _, leaf := range leaves {
			joined.Join(leaf)
		}

		require.Equal(t, whole, joined)
		require.Equal(t, len(ids), whole.Count)
		require.Equal(t, whole.Digest(), joined.Digest())
		require.Len(t, whole.Digest().Sum, 16)
	})
}

func TestTally_Digest(t *testing.T) {
	t.Parallel()

	got := wire.Tally{Count: 420, Sum: 0xc0ffee00c0ffee}.Digest()
	require.Equal(t, wire.Digest{Count: 420, Sum: "00c0ffee00c0ffee"}, got)
	require.Equal(t, wire.Digest{Sum: "0000000000000000"}, wire.Tally{}.Digest())
}

func BenchmarkSum(b *testing.B) {
	id := record.MustID(acme)
	var tally wire.Tally
	for b.Loop() {
		tally.Add(wire.Sum(id, record.Seq(tally.Count), 42))
	}
}
