package field_test

import "testing"

var dateRows = []row{
	{"a day", `"2026-11-21"`, `"2026-11-21"`, ""},
	{"a leap day", `"2028-02-29"`, `"2028-02-29"`, ""},
	{"escapes", `"2026\u002d11-21"`, `"2026-11-21"`, ""},
	{"the first", `"1900-01-01"`, `"1900-01-01"`, ""},
	{"the last", `"2199-12-31"`, `"2199-12-31"`, ""},
	{"the day before the first", `"1899-12-31"`, "", "1900 to 2199"},
	{"the day after the last", `"2200-01-01"`, "", "1900 to 2199"},
	{"no leap day", `"2027-02-29"`, "", "calendar"},
	{"no leap day in 1900 either", `"1900-02-29"`, "", "calendar"},
	{"the 31st of April", `"2026-04-31"`, "", "calendar"},
	{"month 13", `"2026-13-01"`, "", "calendar"},
	{"day 0", `"2026-01-00"`, "", "calendar"},
	{"no zeros", `"2026-1-1"`, "", "calendar"},
	{"slashes", `"2026/11/21"`, "", "calendar"},
	{"a time too", `"2026-11-21T00:00:00Z"`, "", "calendar"},
	{"five digits", `"12026-1-21"`, "", "calendar"},
	{"blanks", `" 2026-11-2"`, "", "calendar"},
	{"a number", `20261121`, "", "calendar"},
}

func TestDate(t *testing.T) {
	t.Parallel()
	testTable(t, "date")
}
