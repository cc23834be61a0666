package field_test

import (
	"strings"
	"testing"

	"roadbook/record/field"
)

var datetimeRows = []row{
	{"in UTC", `"2026-11-21T09:00:00Z"`, `"2026-11-21T09:00:00Z"`, ""},
	{"with an offset", `"2026-11-21T17:00:00+08:00"`, `"2026-11-21T09:00:00Z"`, ""},
	{"an offset that changes the day", `"2026-11-21T02:30:00+08:00"`, `"2026-11-20T18:30:00Z"`, ""},
	{"an offset that is none", `"2026-11-21T09:00:00-00:00"`, `"2026-11-21T09:00:00Z"`, ""},
	{"milliseconds", `"2026-11-21T09:00:00.123Z"`, `"2026-11-21T09:00:00.123Z"`, ""},
	{"milliseconds have three digits", `"2026-11-21T09:00:00.1Z"`, `"2026-11-21T09:00:00.100Z"`, ""},
	{"no milliseconds have none", `"2026-11-21T09:00:00.000Z"`, `"2026-11-21T09:00:00Z"`, ""},
	{"finer is cut off", `"2026-11-21T09:00:00.999999Z"`, `"2026-11-21T09:00:00.999Z"`, ""},
	{"finer is cut off before 1970 too", `"1969-12-31T23:59:59.999999Z"`, `"1969-12-31T23:59:59.999Z"`, ""},
	{"escapes", `"2026-11-21T09:00:00\u005a"`, `"2026-11-21T09:00:00Z"`, ""},
	{"the first", `"1900-01-01T00:00:00Z"`, `"1900-01-01T00:00:00Z"`, ""},
	{"the last", `"2199-12-31T23:59:59.999Z"`, `"2199-12-31T23:59:59.999Z"`, ""},
	{"before the first, by its offset", `"1900-01-01T00:00:00+08:00"`, "", "1900 to 2199"},
	{"after the last, by its offset", `"2199-12-31T23:59:59-08:00"`, "", "1900 to 2199"},
	{"the zero time of Go", `"0001-01-01T00:00:00Z"`, "", "1900 to 2199"},
	{"no offset", `"2026-11-21T09:00:00"`, "", "offset"},
	{"no seconds", `"2026-11-21T09:00Z"`, "", "offset"},
	{"a blank for the T", `"2026-11-21 09:00:00Z"`, "", "offset"},
	{"a comma", `"2026-11-21T09:00:00,5Z"`, "", "offset"},
	{"one digit of an hour", `"2026-11-21T9:00:00Z"`, "", "offset"},
	{"hour 24", `"2026-11-21T24:00:00Z"`, "", "offset"},
	{"the largest offset", `"2026-11-22T00:00:00+23:59"`, `"2026-11-21T00:01:00Z"`, ""},
	{"an offset of 24 hours", `"2026-11-21T09:00:00+24:00"`, "", "offset"},
	{"an offset of 60 minutes", `"2026-11-21T09:00:00+08:60"`, "", "offset"},
	{"an offset without a colon", `"2026-11-21T09:00:00.123+0800"`, "", "offset"},
	{"a leap second", `"2026-12-31T23:59:60Z"`, "", "offset"},
	{"an offset of 25 hours", `"2026-11-21T09:00:00+25:00"`, "", "offset"},
	{"the 30th of February", `"2026-02-30T09:00:00Z"`, "", "offset"},
	{
		"as many digits as a spelling may have",
		`"2026-11-21T09:00:00.` + strings.Repeat("0", field.MaxInstantBytes-21) + `Z"`,
		`"2026-11-21T09:00:00Z"`, "",
	},
	{"one more digit", `"2026-11-21T09:00:00.` + strings.Repeat("0", field.MaxInstantBytes-20) + `Z"`, "", "offset"},
	{"a day", `"2026-11-21"`, "", "offset"},
	{"milliseconds since 1970", `1795251600000`, "", "offset"},
}

func TestDatetime(t *testing.T) {
	t.Parallel()
	testTable(t, "datetime")
}
