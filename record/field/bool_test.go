package field_test

import "testing"

var boolRows = []row{
	{"yes", `true`, `true`, ""},
	{"no", " false\n", `false`, ""},
	{"a number", `1`, "", "true or false"},
	{"a word", `"true"`, "", "true or false"},
	{"a capital", `True`, "", "true or false"},
	{"two", `true false`, "", "true or false"},
}

func TestBool(t *testing.T) {
	t.Parallel()
	testTable(t, "bool")
}
