package reminder_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/record/reminder"
)

// fields are what a record says.
type fields map[string]string

func (f fields) Text(name string) string { return f[name] }

func at(t testing.TB, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return parsed
}

// rings lists the next times of a reminder, in UTC.
func rings(t *testing.T, f fields, n int) (all []string) {
	t.Helper()
	r, err := reminder.Read(f)
	require.NoError(t, err)
	var after time.Time
	for range n {
		next, is := r.Next(after)
		if !is {
			break
		}
		all, after = append(all, next.UTC().Format("2006-01-02T15:04Z")), next
	}
	return all
}

// Nine o'clock is nine o'clock, whatever is done to clocks. An hour that comes
// twice counts once, one that is left out is as long after its beginning.
func TestRead_acrossClockChanges(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		at, zone, recurrence string
		want                 []string
	}{
		"a day of 23 hours": {
			"2026-03-28T08:00:00Z", "Europe/Berlin", "FREQ=DAILY",
			[]string{"2026-03-28T08:00Z", "2026-03-29T07:00Z", "2026-03-30T07:00Z"},
		},
		"a day of 25 hours": {
			"2026-10-24T07:00:00Z", "Europe/Berlin", "FREQ=DAILY",
			[]string{"2026-10-24T07:00Z", "2026-10-25T08:00Z", "2026-10-26T08:00Z"},
		},
		"in the hour that is left out": {
			"2026-03-28T01:30:00Z", "Europe/Berlin", "FREQ=DAILY",
			[]string{"2026-03-28T01:30Z", "2026-03-29T01:30Z", "2026-03-30T00:30Z"}, // 02:30, 03:30 and 02:30 on the clock
		},
		"in the hour that comes twice": {
			"2026-10-24T00:30:00Z", "Europe/Berlin", "FREQ=DAILY",
			[]string{"2026-10-24T00:30Z", "2026-10-25T00:30Z", "2026-10-26T01:30Z"}, // the first of the two
		},
		"the hour left out, and the one after it": {
			"2026-03-28T01:15:00Z", "Europe/Berlin", "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=15,45",
			[]string{
				"2026-03-28T01:15Z", "2026-03-28T01:45Z", "2026-03-28T02:15Z", "2026-03-28T02:45Z",
				"2026-03-29T01:15Z", "2026-03-29T01:45Z", // 02:15 and 03:15 are one
				"2026-03-30T00:15Z",
			},
		},
		"New York, an hour later in the year": {
			"2026-10-31T13:00:00Z", "America/New_York", "FREQ=DAILY",
			[]string{"2026-10-31T13:00Z", "2026-11-01T14:00Z"},
		},
		"Shanghai sets no clocks": {
			"2026-03-28T01:00:00Z", "Asia/Shanghai", "FREQ=DAILY;INTERVAL=2",
			[]string{"2026-03-28T01:00Z", "2026-03-30T01:00Z"},
		},
		"a day that never was": {
			"2011-12-29T19:00:00Z", "Pacific/Apia", "FREQ=DAILY", // nine o'clock of the 29th; the 30th was left out
			[]string{"2011-12-29T19:00Z", "2011-12-30T19:00Z", "2011-12-31T19:00Z"},
		},
		"until an instant": {
			"2026-03-28T08:00:00Z", "Europe/Berlin", "FREQ=DAILY;UNTIL=20260329T070000Z",
			[]string{"2026-03-28T08:00Z", "2026-03-29T07:00Z"},
		},
		"counted": {
			"2026-11-23T01:00:00Z", "Asia/Shanghai", "RRULE:FREQ=WEEKLY;BYDAY=MO,FR;COUNT=3",
			[]string{"2026-11-23T01:00Z", "2026-11-27T01:00Z", "2026-11-30T01:00Z"},
		},
		"the last working day of the month": {
			"2026-11-01T01:00:00Z", "Asia/Shanghai", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2",
			[]string{"2026-11-30T01:00Z", "2026-12-31T01:00Z"},
		},
		"once": {"2026-11-23T01:00:00Z", "", "", []string{"2026-11-23T01:00Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			f := fields{"at": tt.at, "zone": tt.zone, "recurrence": tt.recurrence}
			got := rings(t, f, len(tt.want)+1)
			require.Equal(t, tt.want, got[:min(len(tt.want), len(got))])
			if strings.Contains(tt.recurrence, "COUNT") || strings.Contains(tt.recurrence, "UNTIL") || tt.recurrence == "" {
				require.Len(t, got, len(tt.want), "and no more")
			}
		})
	}
}

// What cannot work is refused, and says which field and why. Each limit holds at
// it and not one past it.
func TestRead_refuses(t *testing.T) {
	t.Parallel()

	base := func(more ...string) fields {
		f := fields{"at": "2026-11-23T01:00:00Z", "zone": "Asia/Shanghai"}
		for i := 0; i < len(more); i += 2 {
			f[more[i]] = more[i+1]
		}
		return f
	}
	hours := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprint(i % 24)
		}
		return "FREQ=DAILY;BYHOUR=" + strings.Join(list, ",")
	}
	long := func(n int) string {
		text := "FREQ=DAILY;BYMONTH="
		for len(text) < n-1 {
			text += "1,"
		}
		return (text + "11")[:n]
	}
	for name, tt := range map[string]struct {
		f     fields
		field string // none: it is taken
	}{
		"no time":             {base("at", ""), "at"},
		"no zone":             {base("zone", "", "recurrence", "FREQ=DAILY"), "zone"},
		"no such zone":        {base("zone", "Asia/Atlantis"), "zone"},
		"the machine's zone":  {base("zone", "Local"), "zone"},
		"a path":              {base("zone", "../../etc/passwd"), "zone"},
		"nonsense":            {base("recurrence", "every day"), "recurrence"},
		"two rules":           {base("recurrence", "FREQ=DAILY\nRRULE:FREQ=DAILY"), "recurrence"},
		"a beginning":         {base("recurrence", "FREQ=DAILY;DTSTART=20260101T000000Z"), "recurrence"},
		"twice":               {base("recurrence", "FREQ=DAILY;FREQ=DAILY"), "recurrence"},
		"no frequency":        {base("recurrence", "BYHOUR=9"), "recurrence"},
		"counted and until":   {base("recurrence", "FREQ=DAILY;COUNT=2;UNTIL=20270101T000000Z"), "recurrence"},
		"hourly":              {base("recurrence", "FREQ=HOURLY"), "recurrence"},
		"the 40th":            {base("recurrence", "FREQ=MONTHLY;BYMONTHDAY=40"), "recurrence"},
		"never":               {base("recurrence", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), "recurrence"},
		"over before it was":  {base("recurrence", "FREQ=DAILY;UNTIL=20200101T000000Z"), "recurrence"},
		"long ago":            {base("at", "1999-12-30T01:00:00Z", "recurrence", "FREQ=DAILY"), "recurrence"},
		"24 a day":            {base("recurrence", hours(reminder.MaxPerDay)), ""},
		"25 a day":            {base("recurrence", hours(reminder.MaxPerDay+1)), "recurrence"},
		"count at the limit":  {base("recurrence", fmt.Sprintf("FREQ=DAILY;COUNT=%d", reminder.MaxCount)), ""},
		"count beyond it":     {base("recurrence", fmt.Sprintf("FREQ=DAILY;COUNT=%d", reminder.MaxCount+1)), "recurrence"},
		"interval at it":      {base("recurrence", fmt.Sprintf("FREQ=DAILY;INTERVAL=%d", reminder.MaxInterval)), ""},
		"interval beyond it":  {base("recurrence", fmt.Sprintf("FREQ=DAILY;INTERVAL=%d", reminder.MaxInterval+1)), "recurrence"},
		"no interval":         {base("recurrence", "FREQ=DAILY;INTERVAL=-1"), "recurrence"},
		"length at the limit": {base("recurrence", long(reminder.MaxRecurrence)), ""},
		"length beyond it":    {base("recurrence", long(reminder.MaxRecurrence+1)), "recurrence"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := reminder.Read(tt.f)
			if tt.field == "" {
				require.NoError(t, err)
				return
			}
			var e *errs.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, errs.Invalid, e.Kind)
			require.Equal(t, tt.field, e.Fields[0].Field)
		})
	}
}

// What was missed rings once, at the latest time; what is over does not; a snooze
// is one more time, and the series goes on.
func TestReminder_due(t *testing.T) {
	t.Parallel()

	now := at(t, "2026-11-23T05:00:00Z")
	daily := fields{"at": "2026-11-01T01:00:00Z", "zone": "Asia/Shanghai", "recurrence": "FREQ=DAILY"}
	with := func(f fields, more ...string) fields {
		out := fields{}
		for k, v := range f {
			out[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	once := fields{"at": "2026-11-23T04:00:00Z"}
	for name, tt := range map[string]struct {
		f         fields
		due, next string // none: no
	}{
		"missed for weeks":      {daily, "2026-11-23T01:00:00Z", "2026-11-24T01:00:00Z"},
		"rung":                  {with(daily, "fired_until", "2026-11-23T01:00:00Z"), "", "2026-11-24T01:00:00Z"},
		"done":                  {with(daily, "done_at", "2026-11-20T00:00:00Z"), "", ""},
		"snoozed, to come":      {with(daily, "fired_until", "2026-11-23T01:00:00Z", "snoozed_until", "2026-11-23T06:00:00Z"), "", "2026-11-23T06:00:00Z"},
		"snoozed, come":         {with(daily, "fired_until", "2026-11-23T01:00:00Z", "snoozed_until", "2026-11-23T04:30:00Z"), "2026-11-23T04:30:00Z", "2026-11-24T01:00:00Z"},
		"snoozed and rung":      {with(daily, "fired_until", "2026-11-23T04:30:00Z", "snoozed_until", "2026-11-23T04:30:00Z"), "", "2026-11-24T01:00:00Z"},
		"snoozed over the next": {with(daily, "fired_until", "2026-11-23T01:00:00Z", "snoozed_until", "2026-11-24T02:00:00Z"), "", "2026-11-24T01:00:00Z"},
		"once, due":             {once, "2026-11-23T04:00:00Z", ""},
		"once, rung":            {with(once, "fired_until", "2026-11-23T04:00:00Z"), "", ""},
		"once, to come":         {with(once, "at", "2026-11-23T05:00:01Z"), "", "2026-11-23T05:00:01Z"},
		"once, this instant":    {with(once, "at", "2026-11-23T05:00:00Z"), "2026-11-23T05:00:00Z", ""},
		"moved after it rang":   {with(once, "fired_until", "2026-11-23T04:00:00Z", "at", "2026-11-25T04:00:00Z"), "", "2026-11-25T04:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			r, err := reminder.Read(tt.f)
			require.NoError(t, err)
			said := func(when time.Time, is bool) string {
				if !is {
					return ""
				}
				return when.UTC().Format(time.RFC3339)
			}
			require.Equal(t, tt.due, said(r.Due(now)))
			require.Equal(t, tt.next, said(r.Next(now)))
		})
	}
}

// A promise is for what a reminder says, and ends with each of it.
func TestReminder_promise(t *testing.T) {
	t.Parallel()

	phone, lin := record.MustID("0190aaaa-0000-7000-8000-000000000009"), record.MustID("0190aaaa-0000-7000-8000-000000000001")
	f := fields{"at": "2026-11-23T09:00:00+08:00", "zone": "Asia/Shanghai", "recurrence": "FREQ=DAILY", "owner": lin.String()}
	r, err := reminder.Read(f)
	require.NoError(t, err)
	require.True(t, r.Device.IsZero())
	f["rings_on"] = r.Promise(phone)
	require.Equal(t, phone.String()+" e013075d", f["rings_on"], "as docs/protocol.md has it")

	f["at"] = "2026-11-23T01:00:00Z" // the same instant
	r, err = reminder.Read(f)
	require.NoError(t, err)
	require.Equal(t, phone, r.Device)
	for field, value := range map[string]string{
		"at": "2026-11-23T01:00:01Z", "zone": "Asia/Tokyo", "recurrence": "FREQ=DAILY;INTERVAL=2", "snoozed_until": "2026-11-23T02:00:00Z",
		"owner": phone.String(), "rings_on": phone.String(),
	} {
		was := f[field]
		f[field] = value
		r, err = reminder.Read(f)
		require.NoError(t, err)
		require.True(t, r.Device.IsZero(), field)
		f[field] = was
	}
}

// Next and Due agree: whoever rings at each next time in turn rings at all of
// them, in order, and after each nothing is due.
func TestReminder_laws(t *testing.T) {
	t.Parallel()

	zones := []string{"Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"}
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 400*24*60).Draw(t, "start")) * time.Minute)
		f := fields{
			"at": start.Format(time.RFC3339), "zone": rapid.SampledFrom(zones).Draw(t, "zone"),
			"recurrence": rapid.SampledFrom([]string{
				"", "FREQ=DAILY", "FREQ=DAILY;BYHOUR=0,1,2,3,4;BYMINUTE=0,30", "FREQ=WEEKLY;BYDAY=SU,SA;BYHOUR=2,3", "FREQ=MONTHLY;BYMONTHDAY=-1",
			}).Draw(t, "recurrence"),
		}
		if rapid.Bool().Draw(t, "snoozed") {
			f["snoozed_until"] = start.Add(time.Duration(rapid.IntRange(1, 20_000).Draw(t, "snooze")) * time.Minute).Format(time.RFC3339)
		}
		for range rapid.IntRange(1, 12).Draw(t, "n") {
			r, err := reminder.Read(f)
			require.NoError(t, err)
			next, is := r.First()
			if !is {
				return
			}
			if r.Fired.IsZero() {
				require.False(t, next.Before(start.Truncate(time.Minute)))
			}
			_, early := r.Due(next.Add(-time.Millisecond))
			require.False(t, early)
			due, is := r.Due(next)
			require.True(t, is)
			require.Equal(t, next, due)
			f["fired_until"] = due.Format(time.RFC3339)
			r, err = reminder.Read(f)
			require.NoError(t, err)
			_, again := r.Due(due)
			require.False(t, again)
		}
	})
}

// FuzzRecurrence reads any text: it is refused, or it ends in time and says times
// in order.
func FuzzRecurrence(f *testing.F) {
	for _, seed := range []string{
		"FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,-1FR", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO", "FREQ=YEARLY;BYWEEKNO=53",
		"FREQ=DAILY;UNTIL=20270101", "FREQ=DAILY;COUNT=0", "FREQ=YEARLY;BYDAY=53SU;INTERVAL=1000", "FREQ=DAILY;BYHOUR=25",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := reminder.Read(fields{"at": "2026-11-23T01:00:00Z", "zone": "Europe/Berlin", "recurrence": text})
		if err != nil {
			return
		}
		var after time.Time
		for range 5 {
			next, is := r.Next(after)
			if !is {
				return
			}
			require.True(t, next.After(after))
			after = next
		}
	})
}
