package field_test

import (
	"strings"
	"testing"

	"roadbook/record/field"
)

var tagRows = []row{
	{"a tag", `"冷链"`, `"冷链"`, ""},
	{"blanks around it go, wide ones too", `" 　冷链\n"`, `"冷链"`, ""},
	{"blanks within it stay", `"老 客户"`, `"老 客户"`, ""},
	{
		"at the limit",
		`"` + strings.Repeat("链", field.MaxTagRunes) + ` "`,
		`"` + strings.Repeat("链", field.MaxTagRunes) + `"`, "",
	},
	{"one past the limit", `"` + strings.Repeat("链", field.MaxTagRunes+1) + `"`, "", "at most 64 characters"},
	{"nothing", `""`, "", "at least one"},
	{"blanks only", `" \t　"`, "", "at least one"},
	{"two lines", `"a\nb"`, "", "one line"},
	{"a control character", `"a\u007fb"`, "", "one line"},
	{"a list of tags", `["a"]`, "", "text"},
	{"a number", `1`, "", "text"},
}

func TestTag(t *testing.T) {
	t.Parallel()
	testTable(t, "tags")
}
