package field

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// MaxInstantBytes is how long the spelling of a datetime may be: one to the
// nanosecond, with its offset, has 35.
const MaxInstantBytes = 64

// instantLayout is RFC 3339 in UTC, with the milliseconds if there are any.
const (
	instantLayout = "2006-01-02T15:04:05Z"
	milliLayout   = "2006-01-02T15:04:05.000Z"
)

var errNotInstant = errors.New("must be a date and time with its offset, such as 2026-11-21T09:00:00+08:00")

// datetime is an instant, to the millisecond. What is finer is cut off and not
// rounded, so that no time lies later than it was. Whoever wants the order of
// instants asks Compare: that of the bytes differs where one has milliseconds
// and another has none.
type datetime struct{}

// Check returns the instant in UTC.
func (datetime) Check(_ Spec, raw json.RawMessage) (json.RawMessage, error) {
	if spelledInstant(raw) {
		return raw, nil
	}
	t, err := parseInstant(raw)
	if err != nil {
		return nil, err
	}
	return instantText(t), nil
}

// instantText is the one spelling of an instant in UTC.
func instantText(t time.Time) json.RawMessage {
	if t.Nanosecond() == 0 {
		return quote(t.Format(instantLayout))
	}
	return quote(t.Format(milliLayout))
}

func (datetime) compare(a, b json.RawMessage) (int, error) {
	x, err := parseInstant(a)
	if err != nil {
		return 0, err
	}
	y, err := parseInstant(b)
	return x.Compare(y), err
}

func parseInstant(raw json.RawMessage) (time.Time, error) {
	s, err := Text(raw)
	if err != nil || !strictInstant(s) {
		return time.Time{}, errNotInstant
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, errNotInstant
	}
	t = t.UTC().Truncate(time.Millisecond)
	if !sensible(t) {
		return time.Time{}, errDateYear
	}
	return t, nil
}

// spelledInstant reports whether raw is canonical at first sight, as what phones
// send nearly always is: an instant in UTC, its milliseconds there only if they
// are not zero. The last days of months are left to who knows them.
func spelledInstant(raw []byte) bool {
	const shape = `"0000-00-00T00:00:00.000Z"`
	if len(raw) == len(shape)-4 {
		return matches(raw, shape[:20]+shape[24:]) && commonInstant(raw)
	}
	return len(raw) == len(shape) && matches(raw, shape) && commonInstant(raw) && string(raw[21:24]) != "000"
}

// matches reports whether raw is as shape has it, in which 0 is any digit.
func matches(raw []byte, shape string) bool {
	for i, c := range raw {
		if shape[i] == '0' && !isDigit(c) || shape[i] != '0' && c != shape[i] {
			return false
		}
	}
	return true
}

func commonInstant(raw []byte) bool {
	at := func(from, to int) string { return string(raw[from:to]) }
	return at(1, 5) >= "1970" && at(1, 5) < "2100" && at(6, 8) >= "01" && at(6, 8) <= "12" && at(9, 11) >= "01" && at(9, 11) <= "28" &&
		at(12, 14) <= "23" && at(15, 17) <= "59" && at(18, 20) <= "59"
}

// strictInstant refuses what time.Parse lets pass and RFC 3339 does not: hours
// of one digit, a comma before the fraction, offsets past 23:59.
func strictInstant(s string) bool {
	n := len(s)
	if n < len(instantLayout) || n > MaxInstantBytes || s[13] != ':' || strings.Contains(s, ",") {
		return false
	}
	return s[n-1] == 'Z' || n >= len("2006-01-02T15:04:05+08:00") && s[n-5:n-3] <= "23" && s[n-2:] <= "59"
}
