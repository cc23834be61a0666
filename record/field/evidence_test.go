package field_test

import (
	"strings"
	"testing"

	"roadbook/record/field"
)

const fullEvidence = `{"time_device":"2026-11-21T01:00:00.250Z","time_since_boot_ms":86400000.5,` +
	`"last_server_time":"2026-11-21T00:30:00Z",` +
	`"location":{"lat":31.2,"lng":121.4,"crs":"gcj02","accuracy":25,"provider":"amap","mock":false},` +
	`"photo":"` + id + `","wifi_hash":"a1","cell_hash":"b2","mock_flag":false}`

var evidenceRows = []row{
	{"all of it", fullEvidence, fullEvidence, ""},
	{"the least of it", `{"time_device":"2026-11-21T09:00:00+08:00"}`, `{"time_device":"2026-11-21T01:00:00Z"}`, ""},
	{
		"in another order, with nulls", `{"mock_flag":true, "photo":null, "time_device":"2026-11-21T01:00:00Z"}`,
		`{"time_device":"2026-11-21T01:00:00Z","mock_flag":true}`, "",
	},
	{
		"a clock that was never set",
		`{"time_device":"1970-01-01T00:00:07Z"}`,
		`{"time_device":"1970-01-01T00:00:07Z"}`, "",
	},
	{"just booted", evidenceWith("time_since_boot_ms", "0"), evidenceWith("time_since_boot_ms", "0"), ""},
	{"before booting", evidenceWith("time_since_boot_ms", "-1"), "", "time_since_boot_ms must be from 0"},
	{
		"a hash at the limit",
		evidenceWith("wifi_hash", jsonText(field.MaxHashRunes)),
		evidenceWith("wifi_hash", jsonText(field.MaxHashRunes)), "",
	},
	{
		"a hash past the limit",
		evidenceWith("wifi_hash", jsonText(field.MaxHashRunes+1)),
		"", "wifi_hash must be at most 128",
	},
	{
		"the other hash past the limit",
		evidenceWith("cell_hash", jsonText(field.MaxHashRunes+1)),
		"", "cell_hash must be at most 128",
	},
	{"no network", evidenceWith("cell_hash", `""`), evidenceWith("cell_hash", `""`), ""},
	{"no time", `{"mock_flag":true}`, "", "time_device is missing"},
	{"a null time", `{"time_device":null}`, "", "time_device is missing"},
	{"a time without an offset", `{"time_device":"2026-11-21T09:00:00"}`, "", "time_device must be a date and time"},
	{"a server time that is none", evidenceWith("last_server_time", `0`), "", "last_server_time must be"},
	{
		"a place off the earth",
		evidenceWith("location", `{"lat":91,"lng":0,"crs":"wgs84"}`),
		"", "location lat must be from -90 to 90",
	},
	{"a photo that is no id", evidenceWith("photo", `"IMG_1.jpg"`), "", "photo must be the id of one attachment"},
	{"a flag that is none", evidenceWith("mock_flag", `1`), "", "mock_flag must be true or false"},
	{"a further member", evidenceWith("grade", `"verified"`), "", `has no "grade"`},
	{"a further member with an odd name", evidenceWith(strings.Repeat(`\n`, 99), `1`), "", `has no "\n`},
	{"a bare time", `"2026-11-21T01:00:00Z"`, "", "evidence of a check-in"},
}

func TestEvidence(t *testing.T) {
	t.Parallel()
	testTable(t, "evidence")
}

func evidenceWith(name, value string) string {
	return `{"time_device":"2026-11-21T01:00:00Z","` + name + `":` + value + `}`
}
