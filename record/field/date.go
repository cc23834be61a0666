package field

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The years of dates and datetimes: they hold every birthday and every due
// date, and catch a year of two or five digits.
const (
	MinYear = 1900
	MaxYear = 2199
)

var (
	errNotDate  = errors.New("must be a date of the calendar, such as 2026-11-21")
	errDateYear = fmt.Errorf("must be a date of the years %d to %d", MinYear, MaxYear)
)

// date is a day of the calendar, without a time zone: a birthday is the same
// day everywhere.
type date struct{}

// Check returns the date as it came: year, month and day have one spelling.
func (date) Check(_ Spec, raw json.RawMessage) (json.RawMessage, error) {
	s, err := parseDate(raw)
	if err != nil {
		return nil, err
	}
	return quote(s), nil
}

func (date) compare(a, b json.RawMessage) (int, error) {
	x, err := parseDate(a)
	if err != nil {
		return 0, err
	}
	y, err := parseDate(b)
	return strings.Compare(x, y), err
}

// parseDate returns the date as text, whose order is that of the days.
func parseDate(raw json.RawMessage) (string, error) {
	s, err := Text(raw)
	if err != nil || len(s) != len(time.DateOnly) {
		return "", errNotDate
	}
	day, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return "", errNotDate
	}
	if !sensible(day) {
		return "", errDateYear
	}
	return s, nil
}

func sensible(t time.Time) bool { return t.Year() >= MinYear && t.Year() <= MaxYear }
