package field_test

import (
	"strings"
	"testing"

	"roadbook/record/field"
)

var phoneRows = []row{
	{"a mobile", `"13800138000"`, `"13800138000"`, ""},
	{"with a country", `"+86 138-0013-8000"`, `"+8613800138000"`, ""},
	{"with parentheses", `"(+86) (021) 6555 1234"`, `"+8602165551234"`, ""},
	{"from a Chinese keyboard", `"（０２１）６５５５－１２３４　"`, `"02165551234"`, ""},
	{"a wide plus", `"＋86 138"`, `"+86138"`, ""},
	{
		"from an address book, in marks of direction",
		`"\u202a+86 138\u00a00013\u20138000\u202c"`,
		`"+8613800138000"`, "",
	},
	{"an extension", `"010-65551234 ext 12"`, `"01065551234ext12"`, ""},
	{"an extension, written otherwise", `"010-65551234 EXT. 12"`, `"01065551234ext12"`, ""},
	{"an extension in Chinese", `"010-65551234转12"`, `"01065551234ext12"`, ""},
	{"a line break at its end", `"13800138000\r\n"`, `"13800138000"`, ""},
	{"three digits", `"110"`, `"110"`, ""},
	{"two digits", `"11"`, "", "3 to 20 digits"},
	{"two digits and an extension", `"11 ext 12"`, "", "3 to 20 digits"},
	{"twenty digits", `"01234567890123456789"`, `"01234567890123456789"`, ""},
	{"twenty-one digits", `"012345678901234567890"`, "", "3 to 20 digits"},
	{"twenty-one with the extension", `"0123456789012345678 ext 90"`, "", "3 to 20 digits"},
	{"as long as it may be written", `"1` + strings.Repeat("-", field.MaxPhoneRunes-3) + `10"`, `"110"`, ""},
	{"one character longer", `"1` + strings.Repeat("-", field.MaxPhoneRunes-2) + `10"`, "", "telephone"},
	{"blanks around it do not count", `"  1` + strings.Repeat("-", field.MaxPhoneRunes-3) + `10  "`, `"110"`, ""},
	{"two numbers", `"13800138000 / 13900139000"`, "", "one telephone number"},
	{"two numbers in two lines", `"110\n120"`, "", "one telephone number"},
	{"a plus astray", `"86+138000"`, "", "telephone"},
	{"two pluses", `"++86138000"`, "", "telephone"},
	{"an empty extension", `"010-65551234 ext"`, "", "telephone"},
	{"two extensions", `"01065551234 ext 1 ext 2"`, "", "telephone"},
	{"letters", `"1-800-FLOWERS"`, "", "telephone"},
	{"digits of another script", `"١٢٣٤٥"`, "", "telephone"},
	{"nothing", `""`, "", "telephone"},
	{"a number", `13800138000`, "", "telephone"},
}

func TestPhone(t *testing.T) {
	t.Parallel()
	testTable(t, "phone")
}
