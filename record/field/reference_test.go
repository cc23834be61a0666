package field_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record/field"
)

// referenceRows are those of a type that names a record of some sort.
func referenceRows(what string) []row {
	problem := "must be the id of one " + what
	return []row{
		{"an id", `"` + id + `"`, `"` + id + `"`, ""},
		{"capitals become small", `"` + strings.ToUpper(id) + `"`, `"` + id + `"`, ""},
		{"escapes", `"\u0030` + id[1:] + `"`, `"` + id + `"`, ""},
		{"any version", `"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"`, `"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"`, ""},
		{"the id of nothing", `"00000000-0000-0000-0000-000000000000"`, "", problem},
		{"no hyphens", `"` + strings.ReplaceAll(id, "-", "") + `"`, "", problem},
		{"braces", `"{` + id + `}"`, "", problem},
		{"a URN", `"urn:uuid:` + id + `"`, "", problem},
		{"one digit short", `"` + id[1:] + `"`, "", problem},
		{"one digit more", `"` + id + `0"`, "", problem},
		{"no digit", `"g` + id[1:] + `"`, "", problem},
		{"a hyphen astray", `"` + id[:7] + "-" + id[7:8] + id[9:] + `"`, "", problem},
		{"blanks", `" ` + id[1:] + `"`, "", problem},
		{"nothing", `""`, "", problem},
		{"a number", `12`, "", problem},
		{"a list", `["` + id + `"]`, "", problem},
	}
}

func TestReference(t *testing.T) {
	t.Parallel()
	testTable(t, "reference")
}

func TestUser(t *testing.T) {
	t.Parallel()
	testTable(t, "user")
}

func TestFiles(t *testing.T) {
	t.Parallel()
	testTable(t, "files")
}

func TestReference_toAnything(t *testing.T) {
	t.Parallel()

	typ, _ := field.Lookup("reference")
	_, err := typ.Check(field.Spec{}, json.RawMessage(`"x"`))
	require.EqualError(t, err, "must be the id of one record, a UUID of 36 characters")
}
