package field_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record/field"
)

var choiceRows = []row{
	{"one of them", `"A"`, `"A"`, ""},
	{"in Chinese", `"重点"`, `"重点"`, ""},
	{"escapes", `"\u0041"`, `"A"`, ""},
	{"not one of them", `"C"`, "", "must be one of: A, B, 重点"},
	{"spelled otherwise", `"a"`, "", "one of: A"},
	{"with a blank", `"A "`, "", "one of: A"},
	{"nothing", `""`, "", "one of: A"},
	{"a list of them", `["A"]`, "", "one of: A"},
	{"a number", `0`, "", "one of: A"},
}

func TestChoice(t *testing.T) {
	t.Parallel()
	testTable(t, "choice")
}

func TestMultiChoice(t *testing.T) {
	t.Parallel()
	testTable(t, "multi_choice")
}

func TestChoice_manyOrNone(t *testing.T) {
	t.Parallel()

	typ, _ := field.Lookup("choice")
	for _, choices := range [][]string{nil, {}, {strings.Repeat("a", 200)}} {
		_, err := typ.Check(field.Spec{Choices: choices}, json.RawMessage(`"A"`))
		require.EqualError(t, err, "must be one of the choices offered")
	}
}
