package record

import (
	"strconv"
	"time"
)

// Month counts from January 2000, which is 1. Zero has no date: the record
// belongs to every period.
type Month int16

// MonthAt is the month of a moment.
func MonthAt(t time.Time) Month {
	return Month((t.UTC().Year()-2000)*12 + int(t.UTC().Month()))
}

// ParseMonth reads the month of a date or an instant.
func ParseMonth(text string) (Month, bool) {
	if len(text) < 7 || text[4] != '-' {
		return 0, false
	}
	year, err1 := strconv.Atoi(text[:4])
	month, err2 := strconv.Atoi(text[5:7])
	if err1 != nil || err2 != nil || year < 2000 || month < 1 || month > 12 {
		return 0, false
	}
	return Month((year-2000)*12 + month), true
}

// Text is the month as people write it: 2026-08.
func (m Month) Text() string {
	return time.Date(2000, time.Month(m), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
}
