package field_test

import (
	"strings"
	"testing"

	"roadbook/record/field"
)

var mapRows = []row{
	{"text", `"\u4e8c\u5341"`, `"二十"`, ""},
	{"a number", ` 20.0 `, `20`, ""},
	{"yes", `true`, `true`, ""},
	{"a list", `[ 1.0, "a", true, null ]`, `[1,"a",true,null]`, ""},
	{"an empty list", `[ ]`, `[]`, ""},
	{
		"an object, its members sorted",
		`{"b":1, "a":{"d":[{}],"c":"\/"}, "":{}}`,
		`{"":{},"a":{"c":"/","d":[{}]},"b":1}`, "",
	},
	{"brackets and quotes in text", `{"a":"]}\",{[","b\"":[","]}`, `{"a":"]}\",{[","b\"":[","]}`, ""},
	{"names in their shortest form", `{"\u5174\"":1}`, `{"兴\"":1}`, ""},
	{"at the limit", jsonText(field.MaxMapBytes - 2), jsonText(field.MaxMapBytes - 2), ""},
	{"one byte longer", jsonText(field.MaxMapBytes - 1), "", "at most 8 KiB"},
	{"blanks do not count", "[1" + strings.Repeat(" ", field.MaxMapBytes) + "]", `[1]`, ""},
	{"longer in canonical form", `[` + strings.Repeat("1e15,", 600) + `1]`, "", "at most 8 KiB"},
	{"as deep as may be", deep(field.MaxDepth), deep(field.MaxDepth), ""},
	{"one level deeper", deep(field.MaxDepth + 1), "", "at most 8 levels"},
	{
		"one level deeper, in lists",
		`{"a":` + strings.Repeat("[", field.MaxDepth) + strings.Repeat("]", field.MaxDepth) + `}`,
		"", "at most 8 levels",
	},
	{"deeper than a decoder goes", strings.Repeat(`{"a":`, 20_000), "", "valid JSON"},
	{"a list of lists", `[1,[2]]`, "", "without lists or objects"},
	{"a list of objects", `[{"a":1}]`, "", "without lists or objects"},
	{"a member twice", `{"a":1,"\u0061":2}`, "", "once"},
	{"a number too large", `{"a":[9007199254740992]}`, "", "between"},
	{"not a number", `NaN`, "", "valid JSON"},
	{"NUL in a name", `{"\u0000":1}`, "", "NUL"},
	{"half a character", `["\udead"]`, "", "surrogate"},
	{"nothing known", `null`, "", "leave it out"},
	{"a comma too many", `[1,]`, "", "valid JSON"},
}

func TestMap(t *testing.T) {
	t.Parallel()
	testTable(t, "map")
}
