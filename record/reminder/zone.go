package reminder

import (
	"errors"
	"strings"
	"time"
	_ "time/tzdata" // for machines without zones of their own
)

// MaxZone is the longest name of a time zone in bytes; the longest there is has
// 32.
const MaxZone = 64

var errZone = errors.New("this is no time zone; one is written as Asia/Shanghai")

// Zone finds a time zone by its name in the IANA data base; no name is UTC.
// What a machine calls its own zone is none: it is another one elsewhere.
func Zone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	if len(name) > MaxZone || name == "Local" || strings.HasPrefix(name, "/") {
		return nil, errZone
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, errZone
	}
	return zone, nil
}

// far is further than clocks were ever set at once: Samoa has left out a day.
const far = 25 * time.Hour

// wallOf is what a clock in a zone shows at an instant, written as a time in UTC.
func wallOf(t time.Time, zone *time.Location) time.Time {
	_, offset := t.In(zone).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// instantOf is when a clock in a zone shows a time. Of an hour that comes twice it
// is the first. In an hour that is left out it is as long after its beginning as
// if the clock had not been set: half past two on the day on which two is
// followed by three is half past three. So it is in RFC 5545, section 3.3.5.
func instantOf(wall time.Time, zone *time.Location) time.Time {
	offset := func(about time.Time) time.Duration {
		_, seconds := about.In(zone).Zone()
		return time.Duration(seconds) * time.Second
	}
	before := wall.Add(-offset(wall.Add(-far)))
	after := wall.Add(-offset(wall.Add(far)))
	switch {
	case wallOf(before, zone).Equal(wall):
		if wallOf(after, zone).Equal(wall) && after.Before(before) {
			return after
		}
		return before
	case wallOf(after, zone).Equal(wall):
		return after
	}
	return before
}
