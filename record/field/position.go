package field

import (
	"hash/fnv"
	"strings"
)

// A position is text by which rows are sorted: there is always another between
// two, so to put a row in or to move one changes that row and no other. It is
// the fractional indexing of Wallace ("Realtime editing of ordered sequences",
// 2017) in the digits of Greenspan ("Implementing fractional indexing", 2020),
// with a tail that follows from the row's id, so that two rows that two people
// put into the same place have different ones.

// MaxPosition is the longest position. Where one would be longer, because
// somebody has put many rows into ever the same place, all rows of the list get
// new ones.
const MaxPosition = 48

const (
	base36    = "0123456789abcdefghijklmnopqrstuvwxyz"
	headWidth = 4 // digits of a position that was not squeezed between two
	tailWidth = 3 // digits that follow from the row
	room      = len(base36) * len(base36) * len(base36) * len(base36)
	headStep  = len(base36) * len(base36) * 2
)

// IsPosition reports whether text is one: digits, of which the last is not the
// least, or there would be nothing before it.
func IsPosition(text string) bool {
	return text != "" && len(text) <= MaxPosition && strings.Trim(text, base36) == "" && text[len(text)-1] != base36[0]
}

// Between is a position for a row after one and before another; "" is the
// beginning, or the end. There is none, "", if the first is not before the
// second, or if it would be too long.
func Between(after, before, row string) string {
	if before != "" && after >= before {
		return ""
	}
	mid := head(after, before)
	if mid == "" {
		mid = midpoint(after, before)
	}
	for before != "" && strings.HasPrefix(before, mid) { // the tail would carry it beyond
		mid = midpoint(after, mid)
	}
	if mid += tail(row); len(mid) > MaxPosition {
		return ""
	}
	return mid
}

// Spread is the position of the i-th of n rows, from 0, that have none yet.
func Spread(i, n int, row string) string {
	return number36((i+1)*(room/(n+1))) + tail(row)
}

// head steps beyond the last row, or before the first, as long as there is room:
// a list that grows at its end does not grow longer positions.
func head(after, before string) string {
	switch {
	case before == "" && after != "":
		if n := parse36(after) + headStep; n < room {
			return number36(n)
		}
	case after == "" && before != "":
		if n := parse36(before) - headStep; n > 0 {
			return number36(n)
		}
	case after == "" && before == "":
		return number36(room / 2)
	}
	return ""
}

func parse36(text string) (n int) {
	for i := range headWidth {
		n *= len(base36)
		if i < len(text) {
			n += strings.IndexByte(base36, text[i])
		}
	}
	return n
}

func number36(n int) string {
	var out [headWidth]byte
	for i := headWidth - 1; i >= 0; i-- {
		out[i] = base36[n%len(base36)]
		n /= len(base36)
	}
	return string(out[:])
}

// tail follows from a row's id and does not end in the least digit.
func tail(row string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(row))
	n := int(h.Sum32() >> 1)
	var out [tailWidth]byte
	out[0] = base36[1+n%(len(base36)-1)]
	n /= len(base36)
	for i := 1; i < tailWidth; i++ {
		out[i] = base36[1+n%(len(base36)-1)]
		n /= len(base36)
	}
	return string(out[:])
}

// midpoint is the shortest text between two; before "" has no end.
func midpoint(after, before string) string {
	if before != "" {
		same := 0
		for same < len(before) && digitAt(after, same) == strings.IndexByte(base36, before[same]) {
			same++
		}
		if same > 0 {
			return before[:same] + midpoint(after[min(same, len(after)):], before[same:])
		}
	}
	low, high := digitAt(after, 0), len(base36)
	if before != "" {
		high = strings.IndexByte(base36, before[0])
	}
	if high-low > 1 {
		return string(base36[(low+high)/2])
	}
	if len(before) > 1 {
		return before[:1]
	}
	return string(base36[low]) + midpoint(after[min(1, len(after)):], "")
}

func digitAt(text string, i int) int {
	if i < len(text) {
		return strings.IndexByte(base36, text[i])
	}
	return 0
}
