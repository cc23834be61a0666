package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

const (
	id2   = "01932b4e-7c1a-7f00-8a00-000000000002"
	zeros = "00000000-0000-0000-0000-000000000000"
	acme  = "01912b4e-7c1a-7f00-8a00-00000000acce"
	stamp = `"stamp":{"ms":1763712930123,"c":0}`
	edit  = `{"op":"edit","kind":"account","id":"` + acme + `","seen":{"log":"812"},"set":{"name":"Acme"}}`
	head  = `"n":2,"id":"` + id2 + `",`
)

// mutation is a good one with the given n.
func mutation(n int) string {
	return fmt.Sprintf(`{"n":%d,"id":"01932b4e-7c1a-7f00-8a00-%012x",`+stamp+`,"edits":[`+edit+`]}`, n, n)
}

func push(mutations ...string) []byte {
	return []byte(`{"replica":"k7f2","prev":"","schema":"3","mutations":[` + strings.Join(mutations, ",") + `]}`)
}

// setTo is a mutation 2 whose one edit sets a field to a value as it stands.
func setTo(raw string) string {
	return `{` + head + stamp + `,"edits":[` + strings.Replace(edit, `"Acme"`, raw, 1) + `]}`
}

// editOf is a mutation 2 with the given edits.
func editOf(edits ...string) string {
	return `{` + head + stamp + `,"edits":[` + strings.Join(edits, ",") + `]}`
}

// with is a mutation 2 with a further or another member.
func with(members string) string { return `{` + head + members + `,"edits":[` + edit + `]}` }

// deleteWith is a mutation 2 that deletes and has values in a member.
func deleteWith(member string) string {
	return editOf(strings.NewReplacer(`"edit"`, `"delete"`, `"set"`, `"`+member+`"`).Replace(edit))
}

// swap is a mutation 2 whose edit has something else in one place.
func swap(old, other string) string { return editOf(strings.Replace(edit, old, other, 1)) }

// nested is a value of so many levels. Inside set it begins on level 5: the
// mutation, its edits, the edit and set stand around it.
func nested(levels int) string {
	return strings.Repeat("[", levels) + strings.Repeat("]", levels)
}

// sized is a mutation of so many bytes.
func sized(bytes int) string {
	empty := len(setTo(`""`))
	return setTo(`"` + strings.Repeat("x", bytes-empty) + `"`)
}

// tied is a mutation 2 that follows so many others.
func tied(n int) string {
	return with(stamp + `,"after":[` + strings.Join(times(n, "1"), ",") + `]`)
}

// again is a mutation 2 with one member of a proof.
func again(member string) string { return with(stamp + `,"again":{` + member + `}`) }

// letters is a text of so many bytes.
func letters(n int) string { return `"` + strings.Repeat("x", n) + `"` }

func times(n int, s string) []string {
	return strings.Split(strings.TrimSuffix(strings.Repeat(s+"\n", n), "\n"), "\n")
}

// Whatever is wrong with a mutation, it can still be named and refused, and
// its neighbours stand.
func TestReadPush_broken(t *testing.T) {
	t.Parallel()

	tests := []struct{ name, mutation, code, at string }{
		{"a bare NaN", setTo(`NaN`), "malformed", ""},
		{"a bare Infinity", setTo(`-Infinity`), "malformed", ""},
		{"a bare word", setTo(`undefined`), "malformed", ""},
		{"a word that goes on", setTo(`truee`), "malformed", ""},
		{"a word cut short", setTo(`nul`), "malformed", ""},
		{"a number with a plus", setTo(`+1`), "malformed", ""},
		{"a number with a leading zero", setTo(`01`), "malformed", ""},
		{"a number without digits", setTo(`-`), "malformed", ""},
		{"a number that ends in a point", setTo(`1.`), "malformed", ""},
		{"a number without exponent", setTo(`1e`), "malformed", ""},
		{"a number in hexadecimal", setTo(`0x10`), "malformed", ""},
		{"single quotes", setTo(`'x'`), "malformed", ""},
		{"an escape that is none", setTo(`"\x41"`), "malformed", ""},
		{"an escape cut short", setTo(`"\u00"`), "malformed", ""},
		{"a line break in text", setTo("\"a\nb\""), "malformed", ""},
		{"a missing value", setTo(``), "malformed", ""},
		{"a comma too many in an object", setTo(`{"a":1,}`), "malformed", ""},
		{"a comma too many in a list", setTo(`[1,]`), "malformed", ""},
		{"a missing comma in a list", setTo(`[1 2]`), "malformed", ""},
		{"a missing comma in an object", setTo(`{"a":1 "b":2}`), "malformed", ""},
		{"a missing colon", setTo(`{"a" 1}`), "malformed", ""},
		{"a name without quotes", setTo(`{a:1}`), "malformed", ""},
		{"brackets of two sorts", setTo(`[}`), "malformed", ""},
		{"a comment", setTo(`/* x */ 1`), "malformed", ""},
		{"a broken member between good ones", strings.Replace(with(stamp), `"id"`, `"x" 7,"id"`, 1), "malformed", ""},
		{"a bare word in the stamp", with(`"stamp":{"ms":NaN,"c":0}`), "malformed", ""},

		{"bytes that are not UTF-8", setTo("\"\xff\""), "utf8", ""},
		{"UTF-8 cut short", setTo("\"\xe5\x85\""), "utf8", ""},
		{"a surrogate in UTF-8", setTo("\"\xed\xa0\x80\""), "utf8", ""},
		{"a name that is not UTF-8", setTo("{\"\xff\":1}"), "utf8", ""},
		{"the first half of a character", setTo(`"\ud83d"`), "surrogate", ""},
		{"the second half of a character", setTo(`"\ude00"`), "surrogate", ""},
		{"two first halves", setTo(`"\ud83d\ud83d"`), "surrogate", ""},
		{"half a character and text", setTo(`"\ud83dx\ude00"`), "surrogate", ""},
		{"half a character in a name", setTo(`{"\uDBFF":1}`), "surrogate", ""},
		{"half a character at the very end", with(stamp + `,"x":"\ud83d"`), "surrogate", ""},
		{"NUL as an escape", setTo(`"a\u0000b"`), "nul", ""},
		{"NUL as a byte", setTo("\"a\x00b\""), "nul", ""},
		{"NUL in a name", setTo(`{"\u0000":1}`), "nul", ""},

		{"one level too many", setTo(nested(wire.MaxDepth - 4 + 1)), "deep", ""},
		{"thousands of levels", setTo(nested(100_000)), "deep", ""},
		{"one byte too many", sized(record.MaxMutationBytes + 1), "size", ""},
		{"one edit too many", editOf(times(record.MaxEdits+1, edit)...), "edits", "edits"},
		{"one tie too many", tied(wire.MaxAfter + 1), "after", "after"},

		{"a member twice", with(stamp + `,"schema":"3","schema":"3"`), "duplicate", ""},
		{"n twice, the same", with(`"n":2,` + stamp), "duplicate", ""},
		{"an edit's member twice", swap(`"set"`, `"op":"edit","set"`), "duplicate", "edits[0]"},
		{"a field twice", swap(`{"name"`, `{"name":1,"name"`), "duplicate", "edits[0].set"},
		{"a field twice, once escaped", swap(`{"name"`, `{"n\u0061me":1,"name"`), "duplicate", "edits[0].set"},
		{"a replica seen twice", swap(`{"log"`, `{"log":1,"log"`), "duplicate", "edits[0].seen"},
		{"a name twice inside a value", setTo(`[{"a":1,"b":2,"a":1}]`), "duplicate", "edits"},

		{"no stamp", `{` + head + `"edits":[` + edit + `]}`, "stamp", "stamp"},
		{"a stamp that is null", with(`"stamp":null`), "stamp", "stamp"},
		{"a stamp without time", with(`"stamp":{"c":1}`), "stamp", "stamp"},
		{"a stamp before 1970", with(`"stamp":{"ms":-1,"c":0}`), "stamp", "stamp"},
		{"a stamp after 2200", with(fmt.Sprintf(`"stamp":{"ms":%d}`, version.MaxStampMS+1)), "stamp", "stamp"},
		{"a stamp beyond 64 bits", with(`"stamp":{"ms":99999999999999999999}`), "stamp", "stamp"},
		{"a stamp's counter beyond 16 bits", with(`"stamp":{"ms":1,"c":65536}`), "stamp", "stamp"},
		{"a stamp's counter below 0", with(`"stamp":{"ms":1,"c":-1}`), "stamp", "stamp"},
		{"a stamp that is text", with(`"stamp":"now"`), "member", "stamp"},
		{"a stamp of text", with(`"stamp":{"ms":"1","c":0}`), "member", "stamp"},
		{"a stamp with a fraction", with(`"stamp":{"ms":1.5,"c":0}`), "member", "stamp"},

		{"a schema that is a number", with(stamp + `,"schema":3`), "member", "schema"},
		{"a schema that is too long", with(stamp + `,"schema":` + letters(wire.MaxName+1)), "member", "schema"},
		{"after that is no list", with(stamp + `,"after":1`), "member", "after"},
		{"after 0", with(stamp + `,"after":[0]`), "member", "after"},
		{"after 2^53", with(stamp + `,"after":[9007199254740992]`), "member", "after"},
		{"after a word", with(stamp + `,"after":["x"]`), "member", "after"},
		{"again that is no object", with(stamp + `,"again":[]`), "member", "again"},
		{"again over no record", again(`"over":{"x":{}}`), "member", "again"},
		{"again over no vector", again(`"over":{"` + acme + `":1}`), "member", "again"},
		{"again over a list", again(`"over":[]`), "member", "again"},
		{"again with a member twice", again(`"seq":"1","seq":"1"`), "duplicate", "again"},
		{"again over a record twice", again(`"over":{"` + acme + `":{},"` + acme + `":{}}`), "duplicate", "again"},
		{"again with a seq below 0", again(`"seq":"-1"`), "member", "again"},
		{"again with a stamp after 2200", again(`"stamp":{"ms":9000000000000}`), "stamp", "again"},
		{"again without a receipt's text", again(`"receipt":7`), "member", "again"},
		{"again with a long receipt", again(`"receipt":` + letters(wire.MaxReceipt+1)), "member", "again"},
		{"again with no epoch's text", again(`"epoch":7`), "member", "again"},

		{"no edits", `{` + head + stamp + `}`, "empty", "edits"},
		{"edits that are null", `{` + head + stamp + `,"edits":null}`, "empty", "edits"},
		{"an empty list of edits", editOf(), "empty", "edits"},
		{"edits that are no list", `{` + head + stamp + `,"edits":{}}`, "member", "edits"},
		{"an edit that is no object", editOf(`7`), "member", "edits[0]"},
		{"an unknown operation", editOf(edit, strings.Replace(edit, `"edit"`, `"merge"`, 1)), "op", "edits[1].op"},
		{"an operation in capitals", swap(`"edit"`, `"EDIT"`), "op", "edits[0].op"},
		{"no operation", swap(`"op":"edit",`, ``), "op", "edits[0].op"},
		{"an operation that is a number", swap(`"edit"`, `1`), "member", "edits[0].op"},
		{"no kind", swap(`"kind":"account",`, ``), "member", "edits[0].kind"},
		{"a kind that is a number", swap(`"account"`, `1`), "member", "edits[0].kind"},
		{"a kind that is too long", swap(`"account"`, letters(wire.MaxName+1)), "member", "edits[0].kind"},
		{"an id that is no UUID", swap(acme, "acme"), "id", "edits[0].id"},
		{"an id with a letter too many", swap(acme, acme+"0"), "id", "edits[0].id"},
		{"an id of zeros", swap(acme, zeros), "id", "edits[0].id"},
		{"no id", swap(`"id":"`+acme+`",`, ``), "id", "edits[0].id"},
		{"seen that is a list", swap(`{"log":"812"}`, `[812]`), "member", "edits[0].seen"},
		{"seen below 0", swap(`"812"`, `"-1"`), "member", "edits[0].seen"},
		{"seen beyond 63 bits", swap(`"812"`, `"9223372036854775808"`), "member", "edits[0].seen"},
		{"seen with a plus", swap(`"812"`, `"+812"`), "member", "edits[0].seen"},
		{"seen as a word", swap(`"812"`, `null`), "member", "edits[0].seen"},
		{"seen as empty text", swap(`"812"`, `""`), "member", "edits[0].seen"},
		{"seen as a fraction", swap(`"812"`, `8.5`), "member", "edits[0].seen"},
		{"seen of a replica without a name", swap(`"log"`, `""`), "member", "edits[0].seen"},
		{"seen of a replica with a long name", swap(`"log"`, letters(wire.MaxName+1)), "member", "edits[0].seen"},
		{"set that is a list", swap(`{"name":"Acme"}`, `[]`), "member", "edits[0].set"},
		{"add that is text", swap(`"set"`, `"add":"x","set"`), "member", "edits[0].add"},
		{"remove that is text", swap(`"set"`, `"remove":"x","set"`), "member", "edits[0].remove"},
		{"inc that is a number", swap(`"set"`, `"inc":5,"set"`), "member", "edits[0].inc"},
		{"base that is a number", swap(`"set"`, `"base":5,"set"`), "member", "edits[0].base"},
		{"a delete that sets", swap(`"edit"`, `"delete"`), "member", "edits[0].set"},
		{"a restore that sets", swap(`"edit"`, `"restore"`), "member", "edits[0].set"},
		{"a delete that adds", deleteWith("add"), "member", "edits[0].add"},
		{"a delete that removes", deleteWith("remove"), "member", "edits[0].remove"},
		{"a delete that counts", deleteWith("inc"), "member", "edits[0].inc"},
		{"a delete with a base", deleteWith("base"), "member", "edits[0].base"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := wire.ReadPush(push(mutation(1), tt.mutation, mutation(3)))

			require.NoError(t, err)
			require.Len(t, got.Mutations, 3)
			want := record.Mutation{N: 2, ID: record.MustID(id2), Schema: "3", Broken: got.Mutations[1].Broken}
			require.NotNil(t, want.Broken)
			require.Equal(t, want, got.Mutations[1], "a broken mutation is a name and nothing else")
			require.Equal(t, errs.Invalid, want.Broken.Kind)
			require.Equal(t, tt.code, want.Broken.Code)
			require.NotEmpty(t, want.Broken.Msg)
			if tt.at != "" {
				require.Equal(t, tt.at, want.Broken.Fields[0].Field)
			}
			for _, i := range []int{0, 2} {
				require.Nil(t, got.Mutations[i].Broken)
				require.Len(t, got.Mutations[i].Edits, 1)
				require.Equal(t, `"Acme"`, string(got.Mutations[i].Edits[0].Set.Get("name")))
				require.Equal(t, wire.Hash(&got.Mutations[i]), got.Mutations[i].Hash)
			}
		})
	}
}
