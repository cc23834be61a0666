// Package version says who had seen what: dots name writes, vectors say which
// of them somebody had read, stamps order them in time. It knows nothing of
// records, clocks or databases.
package version

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Replica is one writer with one counter, by its name on the wire ("k7f2").
type Replica string

// Log is the log seen as a replica: everything up to a seq was read from it.
// A star has one log, so this one entry is exact and is what devices send.
const Log Replica = "log"

// Dot names one write: the n-th of a replica. N counts from 1 without holes.
type Dot struct {
	Replica Replica `json:"replica"`
	N       uint64  `json:"n"`
}

// IsZero reports whether d names no write at all.
func (d Dot) IsZero() bool { return d == Dot{} }

// Compare orders dots by replica, then by number; any total order would do.
func (d Dot) Compare(o Dot) int {
	return cmp.Or(cmp.Compare(d.Replica, o.Replica), cmp.Compare(d.N, o.N))
}

func (d Dot) String() string { return string(d.Replica) + ":" + strconv.FormatUint(d.N, 10) }

// Vector is the highest number seen of each replica. Numbers have no holes, so
// the highest stands for all below it.
type Vector map[Replica]uint64

// Covers reports whether v includes the write d.
func (v Vector) Covers(d Dot) bool { return d.N <= v[d.Replica] }

// Join returns what somebody has seen who has seen both. Neither is changed.
func (v Vector) Join(o Vector) Vector {
	joined := make(Vector, len(v)+len(o))
	maps.Copy(joined, v)
	for r, n := range o {
		joined[r] = max(joined[r], n)
	}
	return joined
}

// Dominates reports whether v has seen everything that o has.
func (v Vector) Dominates(o Vector) bool {
	for r, n := range o {
		if v[r] < n {
			return false
		}
	}
	return true
}

// Seq is the position up to which the log had been read.
func (v Vector) Seq() int64 { return int64(v[Log]) }

// String lists the entries by name, as the documentation writes them.
func (v Vector) String() string {
	parts := make([]string, 0, len(v))
	for _, r := range slices.Sorted(maps.Keys(v)) {
		parts = append(parts, string(r)+":"+strconv.FormatUint(v[r], 10))
	}
	return strings.Join(parts, " ")
}

// MarshalJSON writes the log's entry as a string, because a seq may exceed
// what JavaScript counts exactly, and the others as numbers.
func (v Vector) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// AppendJSON appends what MarshalJSON writes, the entries by name.
func (v Vector) AppendJSON(b []byte) []byte {
	var few [4]Replica // hardly anybody has seen more
	names := few[:0]
	for r := range v {
		names = append(names, r)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, r := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendName(b, r), ':')
		if r == Log {
			b = append(strconv.AppendUint(append(b, '"'), v[r], 10), '"')
		} else {
			b = strconv.AppendUint(b, v[r], 10)
		}
	}
	return append(b, '}')
}

// appendName appends a name as JSON. The names that servers give need no
// escapes; what somebody else has made up is left to encoding/json.
func appendName(b []byte, r Replica) []byte {
	for _, c := range []byte(r) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			name, _ := json.Marshal(string(r)) // a string can be written
			return append(b, name...)
		}
	}
	return append(append(append(b, '"'), r...), '"')
}

// UnmarshalJSON takes every entry as a number or as a string of one.
func (v *Vector) UnmarshalJSON(b []byte) error {
	var entries map[Replica]json.RawMessage
	if err := json.Unmarshal(b, &entries); err != nil {
		return fmt.Errorf("a vector is an object of replica and number: %w", err)
	}
	read := make(Vector, len(entries))
	for r, raw := range entries {
		n, err := strconv.ParseUint(strings.Trim(string(raw), `"`), 10, 63)
		if err != nil {
			return fmt.Errorf("vector entry %q: %w", r, err)
		}
		read[r] = n
	}
	*v = read
	return nil
}
