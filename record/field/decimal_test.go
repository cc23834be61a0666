package field_test

import (
	"strings"
	"testing"

	"roadbook/record/field"
)

var decimalRows = []row{
	{"a price", `"12.50"`, `"12.5"`, ""},
	{"whole", `"12"`, `"12"`, ""},
	{"whole in disguise", `"12.000"`, `"12"`, ""},
	{"a plus and zeros before it", `"+0012.5"`, `"12.5"`, ""},
	{"below zero", `"-012.50"`, `"-12.5"`, ""},
	{"zero has no sign", `"-0.00"`, `"0"`, ""},
	{"a point first", `".5"`, `"0.5"`, ""},
	{"a point last", `"5."`, `"5"`, ""},
	{"a number", `12.50`, `"12.5"`, ""},
	{"a number with an exponent", `1.25e1`, `"12.5"`, ""},
	{"a number with an exponent below zero", `-125E-4`, `"-0.0125"`, ""},
	{"an exponent past all digits", `1.5e10`, `"15000000000"`, ""},
	{"zero with an absurd exponent", `0e999999999999999999999`, `"0"`, ""},
	{"a number that no float holds", `123456789012345.123456`, `"123456789012345.123456"`, ""},
	{"at both limits", `"999999999999999.999999"`, `"999999999999999.999999"`, ""},
	{"zeros past both limits", `"0999999999999999.9999990"`, `"999999999999999.999999"`, ""},
	{"one digit too large", `"1000000000000000"`, "", "15 digits before"},
	{"one digit too fine", `"0.0000001"`, "", "6 digits after"},
	{"too large by its exponent", `1e15`, "", "15 digits before"},
	{"too fine by its exponent", `1e-7`, "", "6 digits after"},
	{"absurdly large", `1e999999999999999999999`, "", "15 digits before"},
	{"absurdly fine", `1e-999999999999999999999`, "", "6 digits after"},
	{"a spelling at the limit", `"` + strings.Repeat("0", field.MaxNumberBytes-1) + `1"`, `"1"`, ""},
	{"a spelling past the limit", `"` + strings.Repeat("0", field.MaxNumberBytes) + `1"`, "", "decimal"},
	{"what 0.1 + 0.2 is to a float", `0.30000000000000004`, "", "6 digits after"},
	{"an exponent in text", `"1e3"`, "", "decimal"},
	{"thousands", `"1,000"`, "", "decimal"},
	{"two signs", `"+-1"`, "", "decimal"},
	{"two points", `"1.2.3"`, "", "decimal"},
	{"blanks", `" 1"`, "", "decimal"},
	{"wide digits", `"１２"`, "", "decimal"},
	{"no digits", `"."`, "", "decimal"},
	{"nothing", `""`, "", "decimal"},
	{"true", `true`, "", "decimal"},
}

func TestDecimal(t *testing.T) {
	t.Parallel()
	testTable(t, "decimal")
}
