package push_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/push"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

func zone(t require.TestingT, name string) *time.Location {
	z, err := time.LoadLocation(name)
	require.NoError(t, err)
	return z
}

func clock(t require.TestingT, text string) push.Clock {
	c, good := push.ParseClock(text)
	require.True(t, good, text)
	return c
}

// When it is quiet and until when, to the second: over midnight, within a day, and
// on days of 23 and 25 hours, also when the quiet begins or ends at a time that
// comes twice or not at all.
func TestQuiet(t *testing.T) {
	t.Parallel()

	tests := []struct{ name, zone, from, to, now, until string }{
		{"before", "Asia/Shanghai", "22:00", "07:00", "2026-11-29T21:59:59+08:00", ""},
		{"as it begins", "Asia/Shanghai", "22:00", "07:00", "2026-11-29T22:00:00+08:00", "2026-11-30T07:00:00+08:00"},
		{"after midnight", "Asia/Shanghai", "22:00", "07:00", "2026-11-30T06:59:59+08:00", "2026-11-30T07:00:00+08:00"},
		{"as it ends", "Asia/Shanghai", "22:00", "07:00", "2026-11-30T07:00:00+08:00", ""},
		{"at noon", "Asia/Shanghai", "12:00", "13:30", "2026-11-29T13:29:59+08:00", "2026-11-29T13:30:00+08:00"},
		{"after noon", "Asia/Shanghai", "12:00", "13:30", "2026-11-29T13:30:00+08:00", ""},
		{"from midnight", "Asia/Shanghai", "00:00", "08:00", "2026-11-29T00:00:00+08:00", "2026-11-29T08:00:00+08:00"},
		{"until midnight", "Asia/Shanghai", "20:00", "00:00", "2026-11-29T23:59:59+08:00", "2026-11-30T00:00:00+08:00"},
		{"a night that is an hour shorter", "Europe/Berlin", "22:00", "07:00", "2026-03-28T22:00:00+01:00", "2026-03-29T07:00:00+02:00"},
		{"a night that is an hour longer", "Europe/Berlin", "22:00", "07:00", "2026-10-24T22:00:00+02:00", "2026-10-25T07:00:00+01:00"},
		{"it ends at a time that there is not", "Europe/Berlin", "22:00", "02:30", "2026-03-29T01:59:59+01:00", "2026-03-29T03:00:00+02:00"},
		{"it has ended there", "Europe/Berlin", "22:00", "02:30", "2026-03-29T03:00:00+02:00", ""},
		{"it begins at a time that there is not", "Europe/Berlin", "02:30", "05:00", "2026-03-29T03:00:00+02:00", "2026-03-29T05:00:00+02:00"},
		{"and not before", "Europe/Berlin", "02:30", "05:00", "2026-03-29T01:59:59+01:00", ""},
		{"it ends at a time that comes twice", "Europe/Berlin", "22:00", "02:30", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"},
		{"the second time", "Europe/Berlin", "22:00", "02:30", "2026-10-25T02:30:00+01:00", ""},
		{"it begins at a time that comes twice", "Europe/Berlin", "02:30", "05:00", "2026-10-25T02:30:00+02:00", "2026-10-25T05:00:00+01:00"},
		{"a clock that is set by half an hour", "Australia/Lord_Howe", "01:00", "02:15", "2026-10-04T01:59:00+10:30", "2026-10-04T02:30:00+11:00"},
		{"none", "Asia/Shanghai", "22:00", "22:00", "2026-11-29T22:00:00+08:00", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			q := push.Quiet{From: clock(t, tt.from), To: clock(t, tt.to), Zone: zone(t, tt.zone)}
			now, err := time.Parse(time.RFC3339, tt.now)
			require.NoError(t, err)

			until, quiet := q.Until(now)

			require.Equal(t, tt.until != "", quiet)
			if quiet {
				require.Equal(t, tt.until, until.In(q.Zone).Format(time.RFC3339))
			}
		})
	}
	_, quiet := push.Quiet{}.Until(time.Unix(0, 0))
	require.False(t, quiet)
}

// Whatever the zone and the day: it is quiet when the clock on the wall says so,
// except in the hours around a change of the clock; it is not quiet at its end,
// and it is all the way until there.
func TestQuiet_isWhatTheClockSays(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		q := push.Quiet{
			Zone: zone(t, rapid.SampledFrom([]string{"Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"}).Draw(t, "zone")),
			From: push.Clock(rapid.IntRange(0, 24*60-1).Draw(t, "from")), To: push.Clock(rapid.IntRange(0, 24*60-1).Draw(t, "to")),
		}
		now := time.Unix(1767225600+rapid.Int64Range(0, 366*24*60).Draw(t, "minute")*60, 0)
		at := now.In(q.Zone)
		on := push.Clock(at.Hour()*60 + at.Minute())
		want := q.From <= on && on < q.To
		if q.To < q.From {
			want = on >= q.From || on < q.To
		}

		until, quiet := q.Until(now)

		_, before := at.Add(-25 * time.Hour).Zone()
		_, after := at.Add(25 * time.Hour).Zone()
		if before == after {
			require.Equal(t, want, quiet)
		}
		if quiet {
			require.True(t, until.After(now))
			still, _ := q.Until(until.Add(-time.Second))
			require.True(t, still.Equal(until))
			if _, on := q.Until(until); on { // of two nights that touch, as the clock is set
				require.NotEqual(t, before, after)
			}
		}
	})
}

// pushes has somebody's phone write, as devices do.
func (w *world) prefers(login string, id record.ID, pairs ...string) record.Outcome {
	w.t.Helper()
	return w.tries(person(login), record.Edit{Op: record.OpCreate, Kind: "preference", ID: id, Set: values(pairs...)})
}

// tries writes as somebody and says what became of it.
func (w *world) tries(who record.ID, edits ...record.Edit) record.Outcome {
	w.t.Helper()
	w.made++
	m := record.Mutation{ID: seedID.Derive("try " + w.t.Name() + string(rune('a'+w.made))), Stamp: version.StampAt(w.clock), Edits: edits}
	m.Hash = wire.Hash(&m)
	out, err := w.engine.Commit(w.t.Context(), w.org, proposed(who, m))
	require.NoError(w.t, err)
	return out[0]
}

// Each has preferences of his own under one id, and sees nobody else's. What
// cannot be kept to is refused, field by field.
func TestRule(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	own := push.PreferenceID(person("lin"))
	for _, bad := range [][]string{
		{"quiet_from", "22:00"},
		{"quiet_to", "07:00"},
		{"quiet_from", "7:00", "quiet_to", "09:00"},
		{"quiet_from", "24:00", "quiet_to", "07:00"},
		{"quiet_from", "22:00", "quiet_to", "22:00"},
		{"zone", "Shanghai"},
		{"zone", "Local"},
	} {
		out := w.prefers("lin", own, bad...)
		require.Equal(t, record.Refused, out.Result, bad)
		require.Equal(t, "quiet", out.Refusal.Code)
		require.NotEmpty(t, out.Refusal.Fields)
	}
	for _, other := range []record.ID{push.PreferenceID(person("zhou")), seedID} {
		out := w.prefers("lin", other, "zone", "UTC")
		require.Equal(t, record.Refused, out.Result)
		require.Equal(t, "preference", out.Refusal.Code)
	}

	require.Equal(t, record.Applied, w.prefers("lin", own, "zone", "Europe/Berlin", "quiet_from", "22:00", "quiet_to", "07:00").Result)
	require.NotEqual(t, record.Refused, w.tries(person("lin"), record.Edit{Op: record.OpEdit, Kind: "preference", ID: own, Set: record.Values{
		{Field: "quiet_from", Raw: json.RawMessage("null")}, {Field: "quiet_to", Raw: json.RawMessage("null")},
	}}).Result)
	out := w.tries(person("chen"), record.Edit{Op: record.OpEdit, Kind: "preference", ID: own, Set: values("zone", "UTC")})
	require.Equal(t, record.Refused, out.Result, "nor an administrator")
	_, err := w.courier.Deliveries(t.Context(), access.Caller{Org: w.org, Person: person("lin")}, own)
	require.Equal(t, errs.Missing, errs.KindOf(err), "which is no notification")
}
