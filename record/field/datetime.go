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
	t, err := parseInstant(raw)
	if err != nil {
		return nil, err
	}
	if t.Nanosecond() == 0 {
		return quote(t.Format(instantLayout)), nil
	}
	return quote(t.Format(milliLayout)), nil
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

// strictInstant refuses what time.Parse lets pass and RFC 3339 does not: hours
// of one digit, a comma before the fraction, offsets past 23:59.
func strictInstant(s string) bool {
	n := len(s)
	if n < len(instantLayout) || n > MaxInstantBytes || s[13] != ':' || strings.Contains(s, ",") {
		return false
	}
	return s[n-1] == 'Z' || n >= len("2006-01-02T15:04:05+08:00") && s[n-5:n-3] <= "23" && s[n-2:] <= "59"
}
