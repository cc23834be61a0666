package reminder

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// Limits of a recurrence: what a calendar needs, and no alarm every minute.
const (
	MaxRecurrence = 256    // bytes of its text
	MaxPerDay     = 24     // times on one day
	MaxInterval   = 1000   // days, weeks, months or years between two
	MaxCount      = 10_000 // times in all, if it is counted

	// within is how long the next time is looked for: the 29th of February may be
	// eight years away.
	within = 9 * 366 * 24 * time.Hour
)

// firstYear is before everything that anybody is reminded of: a series is walked
// through from its beginning.
const firstYear = 2000

// series is when something comes again: a rule of RFC 5545 for what a clock in its
// zone shows. Whether clocks are set in between makes no difference to the rule:
// nine o'clock is nine o'clock.
type series struct {
	rule  rrule.ROption // in wall time, written as UTC
	zone  *time.Location
	start time.Time // in wall time
}

// newSeries reads a recurrence that begins at an instant.
func newSeries(text string, start time.Time, zone *time.Location) (*series, error) {
	s := &series{zone: zone, start: wallOf(start, zone)}
	if len(text) > MaxRecurrence {
		return nil, fmt.Errorf("it has more than %d characters", MaxRecurrence)
	}
	if s.start.Year() < firstYear {
		return nil, fmt.Errorf("it begins before the year %d", firstYear)
	}
	if err := checkParts(text); err != nil {
		return nil, err
	}
	rule, err := rrule.StrToROptionInLocation(strings.TrimPrefix(text, "RRULE:"), time.UTC)
	if err != nil {
		return nil, errors.New("it cannot be read as a rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=MO")
	}
	if !rule.Until.IsZero() && strings.Contains(text, "Z") { // an instant, and not what the clock shows
		rule.Until = wallOf(rule.Until, zone)
	}
	s.rule = *rule
	s.rule.Dtstart = s.start
	if err := s.check(); err != nil {
		return nil, err
	}
	if _, found := s.next(start.Add(-time.Millisecond)); !found {
		return nil, errors.New("it never happens")
	}
	return s, nil
}

// known are the parts that a rule may have.
var known = []string{"FREQ", "INTERVAL", "WKST", "COUNT", "UNTIL", "BYSETPOS", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYDAY", "BYHOUR", "BYMINUTE"}

// checkParts refuses what is no list of parts, each once.
func checkParts(text string) error {
	seen := map[string]bool{}
	for part := range strings.SplitSeq(strings.TrimPrefix(text, "RRULE:"), ";") {
		name, _, found := strings.Cut(part, "=")
		switch {
		case !found || strings.ContainsAny(part, "\r\n"):
			return errors.New("it cannot be read as a rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=MO")
		case !slices.Contains(known, name):
			return fmt.Errorf("%.20s is not known here", name)
		case seen[name]:
			return fmt.Errorf("%s stands there twice", name)
		}
		seen[name] = true
	}
	if !seen["FREQ"] || seen["COUNT"] && seen["UNTIL"] {
		return errors.New("it needs FREQ, and not both COUNT and UNTIL")
	}
	return nil
}

// check refuses what is out of the bounds of RFC 5545, or of ours.
func (s *series) check() error {
	r := &s.rule
	switch {
	case r.Freq > rrule.DAILY:
		return errors.New("it comes more often than daily: name the hours with BYHOUR")
	case r.Interval < 0 || r.Interval > MaxInterval:
		return fmt.Errorf("INTERVAL is from 1 to %d", MaxInterval)
	case r.Count < 0 || r.Count > MaxCount:
		return fmt.Errorf("COUNT is from 1 to %d", MaxCount)
	case max(len(r.Byhour), 1)*max(len(r.Byminute), 1) > MaxPerDay:
		return fmt.Errorf("it comes more than %d times a day", MaxPerDay)
	}
	if _, err := rrule.NewRRule(*r); err != nil {
		return errors.New("a number in it is none that a day, a month or a year has")
	}
	return nil
}

// walk goes through the times of a series, from a little before an instant up to
// what the clock shows at last, until one that each says is enough.
func (s *series) walk(from time.Time, last time.Time, each func(wall, at time.Time) (enough bool)) {
	rule := s.rule
	if rule.Until.IsZero() || last.Before(rule.Until) {
		rule.Until = last
	}
	if rule.Until.Before(s.start) {
		return
	}
	all, err := rrule.NewRRule(rule)
	if err != nil {
		return // check has seen to that
	}
	begin, next := wallOf(from, s.zone).Add(-far), all.Iterator()
	for wall, more := next(); more; wall, more = next() {
		if !wall.Before(begin) && each(wall, instantOf(wall, s.zone)) {
			return
		}
	}
}

// next is the first time after an instant. Where clocks are set forward the order
// of instants is not that of what clocks show, so it looks on for a while.
func (s *series) next(after time.Time) (found time.Time, is bool) {
	begin := wallOf(after, s.zone)
	if begin.Before(s.start) {
		begin = s.start
	}
	var shown time.Time
	s.walk(after, begin.Add(within), func(wall, at time.Time) bool {
		switch {
		case is && wall.After(shown.Add(far)):
			return true
		case at.After(after) && !is:
			found, shown, is = at, wall, true
		case at.After(after) && at.Before(found):
			found = at
		}
		return false
	})
	return found, is
}

// last is the latest time after an instant and not after another.
func (s *series) last(after, upTo time.Time) (found time.Time, is bool) {
	s.walk(after, wallOf(upTo, s.zone).Add(far), func(_, at time.Time) bool {
		if at.After(after) && !at.After(upTo) && (!is || at.After(found)) {
			found, is = at, true
		}
		return false
	})
	return found, is
}
