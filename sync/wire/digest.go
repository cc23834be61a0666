package wire

import (
	"encoding/binary"
	"encoding/hex"

	"roadbook/record"
)

// Leaves is into how many parts a scope's digest is divided for repair.
const Leaves = 256

// Leaf is the part that a record falls into: the last byte of its id, which is
// random in every version of UUID that is in use.
func Leaf(id record.ID) uint8 { return id[15] }

// Sum is the keyed hash of a record's id and its own seq. Scopes are compared
// by the sums of it, so every bit must depend on every bit: it is the
// finaliser of splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom
// number generators", 2014; constants of Stafford's variant 13) chained over
// the key, the two halves of the id and the seq. It guards against accidents,
// not against somebody who knows the key, and only the server computes it.
func Sum(id record.ID, seq record.Seq, key uint64) uint64 {
	h := mix(key)
	h = mix(h ^ binary.BigEndian.Uint64(id[:8]))
	h = mix(h ^ binary.BigEndian.Uint64(id[8:]))
	return mix(h ^ uint64(seq))
}

// DigestKey is the key of a scope: FNV-1a of its name. Keys differ by scope, so
// that a record in two of them adds to each a number of its own.
func DigestKey(scope string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := range len(scope) {
		h = (h ^ uint64(scope[i])) * prime
	}
	return h
}

// mix is one step of splitmix64.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Tally is a digest in the making: how many records, and the wrapping sum of
// their hashes, in which order makes no difference. Tallies of the leaves of a
// scope join to that of the scope.
type Tally struct {
	Count int
	Sum   uint64
}

// Add counts a record by its Sum.
func (t *Tally) Add(sum uint64) {
	t.Count++
	t.Sum += sum
}

// Join adds what another has counted.
func (t *Tally) Join(o Tally) {
	t.Count += o.Count
	t.Sum += o.Sum
}

// Digest is the tally as it travels.
func (t Tally) Digest() Digest {
	return Digest{Count: t.Count, Sum: hex.EncodeToString(binary.BigEndian.AppendUint64(nil, t.Sum))}
}
