package wire

import (
	"errors"
	"strconv"

	"roadbook/record"
)

// The readers here take one raw value. Unless they say otherwise its text need
// not have been checked.

// whole reads a whole number that stands as JSON writes one.
func whole(raw []byte) (int64, bool) {
	if len(raw) == 0 || raw[0] == '+' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	return n, err == nil
}

// clamped is whole that takes the nearest number for one beyond 64 bits.
func clamped(raw []byte) (int64, bool) {
	if len(raw) == 0 || raw[0] == '+' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	return n, err == nil || errors.Is(err, strconv.ErrRange)
}

// exact is whole for numbers that JavaScript counts exactly.
func exact(raw []byte) (int64, bool) {
	n, ok := whole(raw)
	return n, ok && n > -maxExact && n < maxExact
}

// unquoted takes a number out of the text that 64-bit numbers travel in.
func unquoted(raw []byte) []byte {
	if len(raw) > 2 && raw[0] == '"' && raw[len(raw)-1] == '"' {
		return raw[1 : len(raw)-1]
	}
	return raw
}

// shortText reads text of at most so many bytes; null is empty.
func shortText(names *record.Names, raw []byte, most int) (string, bool) {
	if record.IsNull(raw) {
		return "", true
	}
	if check(raw, 6*most+2) != "" { // every byte may be written as \u00XX
		return "", false
	}
	s, ok := names.Text(raw)
	return s, ok && len(s) <= most
}
