package field

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Limits of a number.
const (
	MaxInteger     = 1<<53 - 1 // beyond it JavaScript no longer counts exactly
	MaxNumberBytes = 64        // its spelling: a double needs 24, the rest is room for padding
)

var (
	errNotNumber = errors.New("must be a number, such as 12 or 0.5")
	errNumberBig = fmt.Errorf("must be a number between -%d and %[1]d", MaxInteger)
)

// number is a whole number or a fraction, as exact as a double: a count, a
// score, days. What must not lose a cent is a decimal.
type number struct{}

// Check returns the shortest number that means the same: 1 for 1.0, 1000 for
// 1e3, 0 for -0.
func (number) Check(_ Spec, raw json.RawMessage) (json.RawMessage, error) {
	return canonicalNumber(raw)
}

func (number) compare(a, b json.RawMessage) (int, error) {
	x, err := parseNumber(a)
	if err != nil {
		return 0, err
	}
	y, err := parseNumber(b)
	return cmp.Compare(x, y), err
}

func canonicalNumber(raw json.RawMessage) (json.RawMessage, error) {
	if shortDecimal(raw) {
		return raw, nil
	}
	x, err := parseNumber(raw)
	if err != nil {
		return nil, err
	}
	return formatNumber(x)
}

// shortDecimal is shortInteger for numbers that may have a fraction: up to 15
// digits, which a double gives back as they are, and none of them idle. What is
// so small that JavaScript writes it with an exponent is left out.
func shortDecimal(raw []byte) bool {
	point := bytes.IndexByte(raw, '.')
	if point < 0 {
		return shortInteger(raw)
	}
	whole, part := raw[:point], raw[point+1:]
	if len(whole) > 1 && whole[0] == '-' {
		whole = whole[1:]
	}
	return shortInteger(whole) && whole[0] != '-' && digits(part) && len(whole)+len(part) <= 15 &&
		len(part) > 0 && part[len(part)-1] != '0' && !bytes.HasPrefix(part, []byte("00000"))
}

// shortInteger reports whether raw is canonical and safe at first sight: a
// whole number of up to 15 digits, as nearly all are.
func shortInteger(raw []byte) bool {
	if len(raw) > 1 && raw[0] == '-' && raw[1] != '0' {
		raw = raw[1:]
	}
	if len(raw) == 0 || len(raw) > 15 || raw[0] == '0' && len(raw) > 1 {
		return false
	}
	return digits(raw)
}

func parseNumber(raw json.RawMessage) (float64, error) {
	raw = trim(raw)
	if !shortDecimal(raw) && !looksNumeric(raw) {
		return 0, errNotNumber
	}
	x, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || math.Abs(x) > MaxInteger {
		return 0, errNumberBig
	}
	return x, nil
}

// formatNumber writes x as JavaScript would.
func formatNumber(x float64) (json.RawMessage, error) {
	if x == 0 {
		return json.RawMessage("0"), nil // and not -0
	}
	return json.Marshal(x)
}

// looksNumeric reports whether raw is a JSON number of reasonable length.
func looksNumeric(raw []byte) bool {
	if len(raw) == 0 || len(raw) > MaxNumberBytes {
		return false
	}
	return (raw[0] == '-' || isDigit(raw[0])) && json.Valid(raw)
}

// digits reports whether s is nothing but ASCII digits.
func digits[S string | []byte](s S) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
