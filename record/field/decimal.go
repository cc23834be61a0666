package field

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Limits of a decimal: together 21 digits, which numeric(21,6) holds exactly.
const (
	MaxWholeDigits    = 15 // before the point: hundreds of trillions
	MaxFractionDigits = 6  // after it: enough for a unit price or an exchange rate
)

var (
	errNotDecimal  = errors.New("must be a decimal number, such as 12.5")
	errDecimalBig  = fmt.Errorf("must have at most %d digits before the point", MaxWholeDigits)
	errDecimalFine = fmt.Errorf("must have at most %d digits after the point", MaxFractionDigits)
)

// decimal is an exact decimal number, stored as a string without needless
// zeros. It is read from a string or from a JSON number, digit by digit and
// never by way of a float.
type decimal struct{}

// Check returns "12.5" for "+012.50", for 12.50 and for 1.25e1.
func (decimal) Check(_ Spec, raw json.RawMessage) (json.RawMessage, error) {
	q, err := parseQuantity(raw)
	if err != nil {
		return nil, err
	}
	if len(q.part) > MaxFractionDigits {
		return nil, errDecimalFine
	}
	return quote(q.text(0)), nil
}

func (decimal) compare(a, b json.RawMessage) (int, error) {
	x, err := parseQuantity(a)
	if err != nil {
		return 0, err
	}
	y, err := parseQuantity(b)
	return x.compare(y), err
}

// quantity is an exact decimal: whole has no leading zeros, part no trailing
// ones, and zero is neither negative nor anything else.
type quantity struct {
	neg         bool
	whole, part string
}

func parseQuantity(raw json.RawMessage) (quantity, error) {
	s, exponent := string(trim(raw)), ""
	if looksNumeric([]byte(s)) {
		if i := strings.IndexAny(s, "eE"); i >= 0 {
			s, exponent = s[:i], s[i+1:]
		}
	} else {
		var err error
		if s, err = Text(raw); err != nil || len(s) > MaxNumberBytes {
			return quantity{}, errNotDecimal
		}
	}
	q, ok := readDigits(s)
	if !ok {
		return quantity{}, errNotDecimal
	}
	if exponent != "" {
		q = q.shift(exponent)
	}
	if len(q.whole) > MaxWholeDigits {
		return quantity{}, errDecimalBig
	}
	return q, nil
}

// readDigits reads a sign, digits and a point, with a digit somewhere.
func readDigits(s string) (quantity, bool) {
	neg := strings.HasPrefix(s, "-")
	if neg || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	whole, part, _ := strings.Cut(s, ".")
	if whole+part == "" || !digits(whole) || !digits(part) {
		return quantity{}, false
	}
	return quantity{neg, whole, part}.tidy(), true
}

// shift moves the point by the exponent. One beyond all reason is cut down to
// what is still beyond all limits.
func (q quantity) shift(exponent string) quantity {
	n, err := strconv.Atoi(exponent)
	if most := 2 * MaxNumberBytes; err != nil || n > most || n < -most {
		n = most
		if exponent[0] == '-' {
			n = -most
		}
	}
	if n >= 0 {
		padded := q.part + strings.Repeat("0", max(0, n-len(q.part)))
		return quantity{q.neg, q.whole + padded[:n], padded[n:]}.tidy()
	}
	padded := strings.Repeat("0", max(0, -n-len(q.whole))) + q.whole
	cut := len(padded) + n
	return quantity{q.neg, padded[:cut], padded[cut:] + q.part}.tidy()
}

func (q quantity) tidy() quantity {
	q.whole, q.part = strings.TrimLeft(q.whole, "0"), strings.TrimRight(q.part, "0")
	q.neg = q.neg && q.whole+q.part != ""
	return q
}

// text writes q with at least so many digits after the point.
func (q quantity) text(least int) string {
	s := cmp.Or(q.whole, "0")
	if q.neg {
		s = "-" + s
	}
	part := q.part + strings.Repeat("0", max(0, least-len(q.part)))
	if part == "" {
		return s
	}
	return s + "." + part
}

func (q quantity) compare(r quantity) int {
	if q.neg != r.neg {
		if q.neg {
			return -1
		}
		return 1
	}
	if q.neg {
		q, r = r, q
	}
	return cmp.Or(
		cmp.Compare(len(q.whole), len(r.whole)),
		strings.Compare(q.whole, r.whole),
		strings.Compare(q.part, r.part),
	)
}
