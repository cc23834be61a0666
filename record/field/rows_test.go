package field_test

import (
	"fmt"
	"strings"
	"testing"

	"roadbook/record/field"
)

var rowsRows = []row{
	{"none", ` [ ] `, `[]`, ""},
	{
		"two", `[{"qty":2.0,"id":"` + strings.ToUpper(id) + `"}, {"id":"` + other + `","name":"\u5174"}]`,
		`[{"id":"` + id + `","qty":2},{"id":"` + other + `","name":"兴"}]`, "",
	},
	{
		"their order is kept",
		`[{"id":"` + other + `"},{"id":"` + id + `"}]`,
		`[{"id":"` + other + `"},{"id":"` + id + `"}]`, "",
	},
	{
		"scalars and objects", `[{"id":"` + id + `","a":null,"b":true,"c":{"z":1,"y":[1,2]}}]`,
		`[{"a":null,"b":true,"c":{"y":[1,2],"z":1},"id":"` + id + `"}]`, "",
	},
	{"two hundred", list(field.MaxRows), list(field.MaxRows), ""},
	{"two hundred and one", list(field.MaxRows + 1), "", "at most 200 rows"},
	{"fifty members", wide(field.MaxRowMembers), wide(field.MaxRowMembers), ""},
	{
		"fifty members and a position", strings.Replace(wide(field.MaxRowMembers), `"}]`, `","pos":"i"}]`, 1),
		strings.Replace(wide(field.MaxRowMembers), `"}]`, `","pos":"i"}]`, 1), "",
	},
	{"fifty-one members", wide(field.MaxRowMembers + 1), "", "row 1 must have at most 50 members"},
	{"as long as may be", long(field.MaxRowsBytes), long(field.MaxRowsBytes), ""},
	{"one byte longer", long(field.MaxRowsBytes + 1), "", "at most 64 KiB"},
	{
		"as deep as may be",
		`[{"a":` + deep(field.MaxDepth-2) + `,"id":"` + id + `"}]`,
		`[{"a":` + deep(field.MaxDepth-2) + `,"id":"` + id + `"}]`, "",
	},
	{
		"one level deeper",
		`[{"a":` + deep(field.MaxDepth-1) + `,"id":"` + id + `"}]`,
		"", "row 1 must be nested at most 8",
	},
	{"deeper than a decoder goes", strings.Repeat("[", 20_000), "", "list of rows"},
	{"no id", `[{"id":"` + id + `"},{"qty":2}]`, "", "row 2 must have an id"},
	{"a null id", `[{"id":null}]`, "", "row 1 must have an id"},
	{"an id that is none", `[{"id":"1"}]`, "", "row 1 must have an id"},
	{
		"one id twice",
		`[{"id":"` + id + `"},{"id":"` + strings.ToUpper(id) + `"}]`,
		"", "row 2 must have an id that no other",
	},
	{"a member twice", `[{"id":"` + id + `","a":1,"a":1}]`, "", "row 1 must name each"},
	{"a list in a row", `[{"id":"` + id + `","a":[1]}]`, "", "no lists"},
	{"a number too large", `[{"id":"` + id + `","a":{"b":9007199254740992}}]`, "", "row 1 must be a number between"},
	{"a row that is none", `["a"]`, "", "row 1 must have an id"},
	{"an object", `{"id":"` + id + `"}`, "", "list of rows"},
	{"cut off", `[{"id":"` + id + `"}`, "", "list of rows"},
}

func TestRows(t *testing.T) {
	t.Parallel()
	testTable(t, "rows")
}

// list is a list of n rows.
func list(n int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf(`{"id":"%08x%s"}`, i, id[8:])
	}
	return "[" + strings.Join(rows, ",") + "]"
}

// wide is a row of n members.
func wide(n int) string {
	members := make([]string, n)
	for i := range members {
		members[i] = fmt.Sprintf(`"a%02d":%d`, i, i)
	}
	members[n-1] = `"id":"` + id + `"`
	return "[{" + strings.Join(members, ",") + "}]"
}

// long is a list of n bytes.
func long(n int) string {
	const start = `[{"a":"`
	const end = `","id":"` + id + `"}]`
	return start + strings.Repeat("a", n-len(start)-len(end)) + end
}

// deep is an object n levels deep.
func deep(n int) string {
	return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n)
}
