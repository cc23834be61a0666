package field_test

import (
	"strings"
	"testing"

	"roadbook/record/field"
)

var textRows = []row{
	{"words", `"兴旺超市 & Co"`, `"兴旺超市 & Co"`, ""},
	{"nothing at all", `""`, `""`, ""},
	{"blanks are kept", `"  a\n"`, `"  a\n"`, ""},
	{"white space around it goes", " \n\"a\"\t", `"a"`, ""},
	{"needless escapes go", `"\u5174\u65fa\/\u003c"`, `"兴旺/<"`, ""},
	{
		"needed escapes are the shortest",
		`"\u0022\u005c\u000a\u0009\u000d\u0008\u000c\u001F\u000b"`,
		`"\"\\\n\t\r\b\f\u001f\u000b"`, "",
	},
	{"a pair of surrogates is one character", `"\ud83d\ude00"`, `"😀"`, ""},
	{"a replacement character may be typed", `"\ufffd"`, "\"\ufffd\"", ""},
	{"line separators need no escape", `"\u2028"`, "\"\u2028\"", ""},
	{"at the limit", jsonText(field.MaxTextBytes), jsonText(field.MaxTextBytes), ""},
	{
		"at the limit, all escapes",
		`"` + strings.Repeat(`\n`, field.MaxTextBytes) + `"`,
		`"` + strings.Repeat(`\n`, field.MaxTextBytes) + `"`, "",
	},
	{"one past the limit", jsonText(field.MaxTextBytes + 1), "", "64 KiB"},
	{"one past the limit, in wide characters", `"` + strings.Repeat("字", field.MaxTextBytes/3) + `ab"`, "", "64 KiB"},
	{"one past the limit, escaped", `"` + strings.Repeat(`\n`, field.MaxTextBytes+1) + `"`, "", "64 KiB"},
	{"NUL", `"a\u0000b"`, "", "NUL"},
	{"a bare control character", "\"a\nb\"", "", "text"},
	{"invalid UTF-8", "\"\xc3\x28\"", "", "UTF-8"},
	{"a surrogate encoded in UTF-8", "\"\xed\xa0\x80\"", "", "UTF-8"},
	{"half a pair", `"\ud83d"`, "", "surrogate"},
	{"half a pair, then text", `"\ud83dabcdef"`, "", "surrogate"},
	{"half a pair, then another escape", `"\ud83d\u0041"`, "", "surrogate"},
	{"half a pair, then a short escape", `"\ud83d\n"`, "", "surrogate"},
	{"the wrong half first", `"\ude00\ud83d"`, "", "surrogate"},
	{"an escaped backslash before a u is no escape", `"\\ud83d"`, `"\\ud83d"`, ""},
	{"a number", `12`, "", "text"},
	{"two texts", `"a" "b"`, "", "text"},
	{"a text that does not end", `"a\"`, "", "text"},
	{"a cut escape", `"\u12"`, "", "text"},
}

func TestText(t *testing.T) {
	t.Parallel()
	testTable(t, "text")
}

// jsonText is a JSON string of n characters.
func jsonText(n int) string { return `"` + strings.Repeat("a", n) + `"` }
