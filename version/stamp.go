package version

import (
	"cmp"
	"fmt"
	"time"
)

// Stamp is the hybrid logical time of a write: milliseconds since 1970 and a
// counter for what happens within one. It follows Kulkarni et al., "Logical
// Physical Clocks" (2014): never behind the wall clock that made it, and never
// behind anything its author had read.
type Stamp struct {
	MS int64  `json:"ms"`
	C  uint16 `json:"c"`
}

// MaxStampMS is the last instant a stamp may name, 2200-01-01. Later ones come
// from a broken clock, and packed they must stay far from overflow.
const MaxStampMS = 7_258_118_400_000

// StampAt is the first stamp of an instant.
func StampAt(t time.Time) Stamp { return Stamp{MS: t.UnixMilli()} }

// IsZero reports whether s was never set.
func (s Stamp) IsZero() bool { return s == Stamp{} }

// Compare orders stamps by time, then by counter.
func (s Stamp) Compare(o Stamp) int {
	return cmp.Or(cmp.Compare(s.MS, o.MS), cmp.Compare(s.C, o.C))
}

// Next is the smallest stamp after s. A full counter borrows a millisecond.
func (s Stamp) Next() Stamp {
	if s.C == 1<<16-1 {
		return Stamp{MS: s.MS + 1}
	}
	return Stamp{MS: s.MS, C: s.C + 1}
}

// After is a stamp for now that comes after s: the clock where it is ahead,
// otherwise the next after s.
func (s Stamp) After(clockMS int64) Stamp {
	return Later(Stamp{MS: clockMS}, s.Next())
}

// Later is the greater of two stamps.
func Later(a, b Stamp) Stamp {
	if a.Compare(b) < 0 {
		return b
	}
	return a
}

// Packed is s as one number that sorts the same way: milliseconds shifted by
// 16 bits, plus the counter. It is how stamps are stored.
func (s Stamp) Packed() int64 { return s.MS<<16 | int64(s.C) }

// Unpack is the inverse of Packed.
func Unpack(p int64) Stamp { return Stamp{MS: p >> 16, C: uint16(p & 0xffff)} }

// Check reports what is wrong with a stamp that came from outside.
func (s Stamp) Check() error {
	if s.MS < 0 || s.MS > MaxStampMS {
		return fmt.Errorf("the time %d ms lies outside 1970 to 2200", s.MS)
	}
	return nil
}
