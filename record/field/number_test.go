package field_test

import (
	"strings"
	"testing"

	"roadbook/record/field"
)

var numberRows = []row{
	{"a count", `30`, `30`, ""},
	{"zero", `0`, `0`, ""},
	{"zero has no sign", `-0`, `0`, ""},
	{"zero has no fraction", `-0.00`, `0`, ""},
	{"below zero", `-7`, `-7`, ""},
	{"a fraction", `0.5`, `0.5`, ""},
	{"a whole number in disguise", `1.0`, `1`, ""},
	{"an exponent", `1e3`, `1000`, ""},
	{"another exponent", `12.5E+1`, `125`, ""},
	{"as small as JavaScript writes it out", `1e-6`, `0.000001`, ""},
	{"smaller", `0.0000001`, `1e-7`, ""},
	{"more digits than a double has", `0.1000000000000000055511151231257827`, `0.1`, ""},
	{"white space", " 5\n", `5`, ""},
	{"sixteen digits", `1234567890123456`, `1234567890123456`, ""},
	{"the largest", `9007199254740991`, `9007199254740991`, ""},
	{"the smallest", `-9007199254740991`, `-9007199254740991`, ""},
	{"one past the largest", `9007199254740992`, "", "between"},
	{"one past the smallest", `-9007199254740992`, "", "between"},
	{"a hair past the largest", `9007199254740991.5`, "", "between"},
	{"far past it", `1e300`, "", "between"},
	{"infinite", `1e400`, "", "between"},
	{"a spelling at the limit", `0.` + strings.Repeat("5", field.MaxNumberBytes-2), `0.5555555555555556`, ""},
	{"a spelling past the limit", `0.` + strings.Repeat("5", field.MaxNumberBytes-1), "", "number"},
	{"not a number", `NaN`, "", "number"},
	{"a word for it", `Infinity`, "", "number"},
	{"text", `"12"`, "", "number"},
	{"a leading zero", `012`, "", "number"},
	{"a leading plus", `+12`, "", "number"},
	{"a bare minus", `-`, "", "number"},
	{"two", `1 2`, "", "number"},
	{"a list", `[1]`, "", "number"},
}

func TestNumber(t *testing.T) {
	t.Parallel()
	testTable(t, "number")
}
