package wire_test

import (
	"encoding/json"
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
		{"a broken member between good ones", `{"n":2,"x" 7,"id":"` + id2 + `",` + stamp + `,"edits":[` + edit + `]}`, "malformed", ""},
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
		{"one tie too many", with(stamp + `,"after":[` + strings.Join(times(wire.MaxAfter+1, "1"), ",") + `]`), "after", "after"},

		{"a member twice", with(stamp + `,"schema":"3","schema":"3"`), "duplicate", ""},
		{"n twice, the same", with(`"n":2,` + stamp), "duplicate", ""},
		{"an edit's member twice", editOf(strings.Replace(edit, `"set"`, `"op":"edit","set"`, 1)), "duplicate", "edits[0]"},
		{"a field twice", editOf(strings.Replace(edit, `{"name"`, `{"name":1,"name"`, 1)), "duplicate", "edits[0].set"},
		{"a field twice, once escaped", editOf(strings.Replace(edit, `{"name"`, `{"n\u0061me":1,"name"`, 1)), "duplicate", "edits[0].set"},
		{"a replica seen twice", editOf(strings.Replace(edit, `{"log"`, `{"log":1,"log"`, 1)), "duplicate", "edits[0].seen"},
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
		{"a schema that is too long", with(stamp + `,"schema":"` + strings.Repeat("3", wire.MaxName+1) + `"`), "member", "schema"},
		{"after that is no list", with(stamp + `,"after":1`), "member", "after"},
		{"after 0", with(stamp + `,"after":[0]`), "member", "after"},
		{"after 2^53", with(stamp + `,"after":[9007199254740992]`), "member", "after"},
		{"after a word", with(stamp + `,"after":["x"]`), "member", "after"},
		{"again that is no object", with(stamp + `,"again":[]`), "member", "again"},
		{"again over no record", with(stamp + `,"again":{"over":{"x":{}}}`), "member", "again"},
		{"again over no vector", with(stamp + `,"again":{"over":{"` + acme + `":1}}`), "member", "again"},
		{"again over a list", with(stamp + `,"again":{"over":[]}`), "member", "again"},
		{"again with a member twice", with(stamp + `,"again":{"seq":"1","seq":"1"}`), "duplicate", "again"},
		{"again over a record twice", with(stamp + `,"again":{"over":{"` + acme + `":{},"` + acme + `":{}}}`), "duplicate", "again"},
		{"again with a seq below 0", with(stamp + `,"again":{"seq":"-1"}`), "member", "again"},
		{"again with a stamp after 2200", with(stamp + `,"again":{"stamp":{"ms":9000000000000}}`), "stamp", "again"},
		{"again without a receipt's text", with(stamp + `,"again":{"receipt":7}`), "member", "again"},
		{"again with a long receipt", with(stamp + `,"again":{"receipt":"` + strings.Repeat("x", wire.MaxReceipt+1) + `"}`), "member", "again"},
		{"again with no epoch's text", with(stamp + `,"again":{"epoch":7}`), "member", "again"},

		{"no edits", `{` + head + stamp + `}`, "empty", "edits"},
		{"edits that are null", `{` + head + stamp + `,"edits":null}`, "empty", "edits"},
		{"an empty list of edits", editOf(), "empty", "edits"},
		{"edits that are no list", `{` + head + stamp + `,"edits":{}}`, "member", "edits"},
		{"an edit that is no object", editOf(`7`), "member", "edits[0]"},
		{"an unknown operation", editOf(edit, strings.Replace(edit, `"edit"`, `"merge"`, 1)), "op", "edits[1].op"},
		{"an operation in capitals", editOf(strings.Replace(edit, `"edit"`, `"EDIT"`, 1)), "op", "edits[0].op"},
		{"no operation", editOf(strings.Replace(edit, `"op":"edit",`, ``, 1)), "op", "edits[0].op"},
		{"an operation that is a number", editOf(strings.Replace(edit, `"edit"`, `1`, 1)), "member", "edits[0].op"},
		{"no kind", editOf(strings.Replace(edit, `"kind":"account",`, ``, 1)), "member", "edits[0].kind"},
		{"a kind that is a number", editOf(strings.Replace(edit, `"account"`, `1`, 1)), "member", "edits[0].kind"},
		{"a kind that is too long", editOf(strings.Replace(edit, `account`, strings.Repeat("a", wire.MaxName+1), 1)), "member", "edits[0].kind"},
		{"an id that is no UUID", editOf(strings.Replace(edit, acme, "acme", 1)), "id", "edits[0].id"},
		{"an id with a letter too many", editOf(strings.Replace(edit, acme, acme+"0", 1)), "id", "edits[0].id"},
		{"an id of zeros", editOf(strings.Replace(edit, acme, "00000000-0000-0000-0000-000000000000", 1)), "id", "edits[0].id"},
		{"no id", editOf(strings.Replace(edit, `"id":"`+acme+`",`, ``, 1)), "id", "edits[0].id"},
		{"seen that is a list", editOf(strings.Replace(edit, `{"log":"812"}`, `[812]`, 1)), "member", "edits[0].seen"},
		{"seen below 0", editOf(strings.Replace(edit, `"812"`, `"-1"`, 1)), "member", "edits[0].seen"},
		{"seen beyond 63 bits", editOf(strings.Replace(edit, `"812"`, `"9223372036854775808"`, 1)), "member", "edits[0].seen"},
		{"seen with a plus", editOf(strings.Replace(edit, `"812"`, `"+812"`, 1)), "member", "edits[0].seen"},
		{"seen as a word", editOf(strings.Replace(edit, `"812"`, `null`, 1)), "member", "edits[0].seen"},
		{"seen as empty text", editOf(strings.Replace(edit, `"812"`, `""`, 1)), "member", "edits[0].seen"},
		{"seen as a fraction", editOf(strings.Replace(edit, `"812"`, `8.5`, 1)), "member", "edits[0].seen"},
		{"seen of a replica without a name", editOf(strings.Replace(edit, `"log"`, `""`, 1)), "member", "edits[0].seen"},
		{"seen of a replica with a long name", editOf(strings.Replace(edit, `log`, strings.Repeat("l", wire.MaxName+1), 1)), "member", "edits[0].seen"},
		{"set that is a list", editOf(strings.Replace(edit, `{"name":"Acme"}`, `[]`, 1)), "member", "edits[0].set"},
		{"add that is text", editOf(strings.Replace(edit, `"set"`, `"add":"x","set"`, 1)), "member", "edits[0].add"},
		{"remove that is text", editOf(strings.Replace(edit, `"set"`, `"remove":"x","set"`, 1)), "member", "edits[0].remove"},
		{"inc that is a number", editOf(strings.Replace(edit, `"set"`, `"inc":5,"set"`, 1)), "member", "edits[0].inc"},
		{"base that is a number", editOf(strings.Replace(edit, `"set"`, `"base":5,"set"`, 1)), "member", "edits[0].base"},
		{"a delete that sets", editOf(strings.Replace(edit, `"edit"`, `"delete"`, 1)), "member", "edits[0].set"},
		{"a restore that sets", editOf(strings.Replace(edit, `"edit"`, `"restore"`, 1)), "member", "edits[0].set"},
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

// manyNames is an object of n names and one more.
func manyNames(n int) string {
	var b strings.Builder
	for i := range n + 1 {
		fmt.Fprintf(&b, `,"%x":0`, i)
	}
	return `{` + b.String()[1:] + `}`
}

// The limits refuse what is past them, not what is at them.
func TestReadPush_limits(t *testing.T) {
	t.Parallel()

	tests := []struct{ name, mutation string }{
		{"as deep as may be", setTo(nested(wire.MaxDepth - 4))},
		{"as large as may be", sized(record.MaxMutationBytes)},
		{"as many edits as may be", editOf(times(record.MaxEdits, edit)...)},
		{"as many ties as may be", with(stamp + `,"after":[` + strings.Join(times(wire.MaxAfter, "1"), ",") + `]`)},
		{"as late as may be", with(fmt.Sprintf(`"stamp":{"ms":%d,"c":65535}`, version.MaxStampMS))},
		{"as early as may be", with(`"stamp":{"ms":0}`)},
		{"a schema as long as may be", with(stamp + `,"schema":"` + strings.Repeat("3", wire.MaxName) + `"`)},
		{"a kind as long as may be", editOf(strings.Replace(edit, `account`, strings.Repeat("a", wire.MaxName), 1))},
		{"a proof of nulls", with(stamp + `,"again":{"stamp":null,"over":null,"seq":null,"epoch":null,"receipt":null}`)},
		{"a receipt as long as may be", with(stamp + `,"again":{"receipt":"` + strings.Repeat("x", wire.MaxReceipt) + `"}`)},
		{"seen as much as may be", editOf(strings.Replace(edit, `"812"`, `"9223372036854775807"`, 1))},
		{"after as much as may be", with(stamp + `,"after":[9007199254740991,"` + acme + `"]`)},
		{"a whole character in two halves", setTo(`"\ud83d\ude00 \uDBFF\uDFFF"`)},
		{"every escape", setTo(`"\" \\ \/ \b \f \n \r \t \u00e9 \u0001 \uFFFF"`)},
		{"every sort of number", setTo(`[0,-0,1.50,-1e5,1E+5,1e-5,9007199254740993,1e400]`)},
		{"every word", setTo(`[true,false,null,{},[],""]`)},
		{"white space everywhere", setTo(" \t\n\r[ 1 , { \"a\" : 2 } ] ")},
		{"a character that is a deletion", setTo("\"\x7f\"")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := wire.ReadPush(push(mutation(1), tt.mutation, mutation(3)))

			require.NoError(t, err)
			require.Nil(t, got.Mutations[1].Broken)
			require.NotEmpty(t, got.Mutations[1].Edits)
			require.Equal(t, wire.Hash(&got.Mutations[1]), got.Mutations[1].Hash)
		})
	}
}

// What cannot be named, or not be counted, refuses the push as a whole.
func TestReadPush_refused(t *testing.T) {
	t.Parallel()

	noID, noN := `{"n":1,`+stamp+`,"edits":[`+edit+`]}`, `{"id":"`+id2+`",`+stamp+`,"edits":[`+edit+`]}`
	named := func(n string) []byte {
		return push(`{"n":` + n + `,"id":"` + id2 + `",` + stamp + `,"edits":[` + edit + `]}`)
	}
	tests := []struct {
		name string
		body []byte
		code string
	}{
		{"nothing", nil, "envelope"},
		{"no JSON", []byte("hello"), "envelope"},
		{"a list", []byte("[]"), "envelope"},
		{"null", []byte("null"), "envelope"},
		{"cut short", push(mutation(1))[:200], "envelope"},
		{"something behind it", append(push(mutation(1)), 'x'), "envelope"},
		{"a byte order mark before it", append([]byte("\xef\xbb\xbf"), push(mutation(1))...), "envelope"},
		{"no replica", []byte(`{"prev":"","mutations":[]}`), "envelope"},
		{"a replica that is empty", []byte(`{"replica":"","mutations":[]}`), "envelope"},
		{"a replica that is null", []byte(`{"replica":null,"mutations":[]}`), "envelope"},
		{"a replica that is a number", []byte(`{"replica":7,"mutations":[]}`), "envelope"},
		{"a replica of bad text", []byte("{\"replica\":\"\xff\",\"mutations\":[]}"), "envelope"},
		{"a replica with a long name", []byte(`{"replica":"` + strings.Repeat("k", wire.MaxName+1) + `"}`), "envelope"},
		{"a member twice", []byte(`{"replica":"k7f2","replica":"m3x9","mutations":[]}`), "envelope"},
		{"an epoch that is a number", []byte(`{"replica":"k7f2","epoch":1,"mutations":[]}`), "envelope"},
		{"a schema that is a number", []byte(`{"replica":"k7f2","schema":3,"mutations":[]}`), "envelope"},
		{"a prev that is no id", []byte(`{"replica":"k7f2","prev":"x","mutations":[]}`), "envelope"},
		{"a time that is text", []byte(`{"replica":"k7f2","sent_ms":"now","mutations":[]}`), "envelope"},
		{"a time of 2^53", []byte(`{"replica":"k7f2","sent_ms":9007199254740992,"mutations":[]}`), "envelope"},
		{"mutations that are no list", []byte(`{"replica":"k7f2","mutations":{}}`), "envelope"},
		{"mutations cut short", []byte(`{"replica":"k7f2","mutations":[1,]}`), "envelope"},
		{"a mutation that is a number", push(`7`), "envelope"},
		{"a mutation that is null", push(`null`), "envelope"},
		{"a mutation without id", push(noID), "envelope"},
		{"a mutation without n", push(noN), "envelope"},
		{"a mutation whose id is zeros", push(strings.Replace(mutation(1), "01932b4e-7c1a-7f00-8a00-000000000001", "00000000-0000-0000-0000-000000000000", 1)), "envelope"},
		{"a mutation whose id is a number", push(strings.Replace(mutation(1), `"01932b4e-7c1a-7f00-8a00-000000000001"`, "1", 1)), "envelope"},
		{"a mutation whose end is missing", push(mutation(1)[:len(mutation(1))-1], mutation(2)), "envelope"},
		{"a mutation of two ids", push(strings.Replace(mutation(1), `"edits"`, `"id":"`+id2+`","edits"`, 1)), "envelope"},
		{"a mutation of two n", push(strings.Replace(mutation(1), `"edits"`, `"n":2,"edits"`, 1)), "envelope"},
		{"n as text", named(`"1"`), "envelope"},
		{"n as a fraction", named(`1.5`), "envelope"},
		{"n with an exponent", named(`1e3`), "envelope"},
		{"n that is NaN", named(`NaN`), "envelope"},
		{"n with a plus", named(`+1`), "envelope"},
		{"n that is null", named(`null`), "envelope"},
		{"n 0", named(`0`), "n"},
		{"n below 0", named(`-1`), "n"},
		{"n of -2^53 and less", named(`-9007199254740993`), "n"},
		{"n of 2^53", named(`9007199254740992`), "n"},
		{"n beyond 64 bits", named(`99999999999999999999`), "n"},
		{"n with a hole", push(mutation(1), mutation(3)), "order"},
		{"n that stands still", push(mutation(1), mutation(1)), "order"},
		{"n that runs back", push(mutation(2), mutation(1)), "order"},
		{"one mutation too many", pushOf(wire.MaxPush + 1), "many"},
		{"too many to be looked at", push(times(wire.MaxPush+1, "0")...), "many"},
		{"one byte too many", roomy(wire.MaxPushBytes + 1), "size"},
		{"too many names", []byte(`{"replica":"k7f2",` + manyNames(record.MaxNames)[1:]), "envelope"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := wire.ReadPush(tt.body)

			require.Error(t, err)
			require.Equal(t, errs.Invalid, errs.KindOf(err))
			require.Equal(t, tt.code, errs.CodeOf(err))
		})
	}
}

// roomy is a good push blown up with white space.
func roomy(bytes int) []byte {
	body := push(mutation(1))
	return append(body, strings.Repeat(" ", bytes-len(body))...)
}

func TestReadPush_taken(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name string
		body []byte
		want int
	}{
		{"an empty list", push(), 0},
		{"no list", []byte(`{"replica":"k7f2"}`), 0},
		{"a list that is null", []byte(`{"replica":"k7f2","mutations":null}`), 0},
		{"nulls for what is absent", []byte(`{"replica":"k7f2","prev":null,"epoch":null,"sent_ms":null,"schema":null,"mutations":[` + mutation(1) + `]}`), 1},
		{"as many mutations as may be", pushOf(wire.MaxPush), wire.MaxPush},
		{"as many bytes as may be", roomy(wire.MaxPushBytes), 1},
		{"a start anywhere", push(mutation(7), mutation(8)), 2},
		{"the largest n", push(strings.Replace(mutation(1), `"n":1`, `"n":9007199254740991`, 1)), 1},
		{"a replica as long as may be", []byte(`{"replica":"` + strings.Repeat("k", wire.MaxName) + `"}`), 0},
		{"what is not known, however odd", []byte(`{"replica":"k7f2","x":` + nested(100_000) + `,"y":NaN,"mutations":[` + mutation(1) + `]}`), 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := wire.ReadPush(tt.body)

			require.NoError(t, err)
			require.Len(t, got.Mutations, tt.want)
			for _, m := range got.Mutations {
				require.Nil(t, m.Broken)
			}
		})
	}
}

// A phone of next year sends members that nobody here knows, and one of last
// year leaves out what it can.
func TestReadPush_oldAndNew(t *testing.T) {
	t.Parallel()

	plain := mutation(1)
	known := strings.NewReplacer(
		`"stamp":{`, `"mood":["good"],"schema":"2","stamp":{"zone":"+08:00",`,
		`"op":`, `"why":{"x":null},"add":null,"remove":{},"op":`,
		`"seen":{"log":"812"}`, `"seen":{"log":812,"m3x9":0}`,
	).Replace(plain)

	got, err := wire.ReadPush(push(plain))
	require.NoError(t, err)
	odd, err := wire.ReadPush(push(known))
	require.NoError(t, err)

	require.Nil(t, odd.Mutations[0].Broken)
	require.Equal(t, "3", got.Mutations[0].Schema, "the schema of the push")
	require.Equal(t, "2", odd.Mutations[0].Schema, "its own schema")
	require.Equal(t, got.Mutations[0].Hash, odd.Mutations[0].Hash, "it says the same")
	require.Equal(t, got.Mutations[0].Edits[0].Set, odd.Mutations[0].Edits[0].Set)
}

// Ids are read in either case and compared as numbers; prev becomes canonical.
func TestReadPush_ids(t *testing.T) {
	t.Parallel()

	body := []byte(`{"replica":"k7f2","prev":"` + strings.ToUpper(id2) + `","mutations":[` +
		strings.Replace(mutation(3), acme, strings.ToUpper(acme), 1) + `]}`)

	got, err := wire.ReadPush(body)

	require.NoError(t, err)
	require.Equal(t, id2, got.Prev)
	require.Equal(t, record.MustID(acme), got.Mutations[0].Edits[0].ID)
}

// The values of a push share its memory, yet appending to one reaches no other.
func TestReadPush_memory(t *testing.T) {
	t.Parallel()

	body := push(mutation(1), mutation(2))
	before := string(body)
	got, err := wire.ReadPush(body)
	require.NoError(t, err)

	set := got.Mutations[0].Edits[0].Set
	_ = append(set[0].Raw, "overwritten"...)
	_ = append(set, record.Value{Field: "overwritten", Raw: json.RawMessage("1")})

	require.Equal(t, before, string(body))
	require.Equal(t, "name", got.Mutations[1].Edits[0].Set[0].Field)
}

// A push read, written and read again says the same.
func TestReadPush_again(t *testing.T) {
	t.Parallel()

	for _, body := range goldens(t, "push") {
		first, err := wire.ReadPush(body)
		require.NoError(t, err)
		text, err := json.Marshal(first)
		require.NoError(t, err)
		second, err := wire.ReadPush(text)
		require.NoError(t, err)
		require.Equal(t, encode(t, "push", first), encode(t, "push", second))
		for i := range first.Mutations {
			require.Equal(t, first.Mutations[i].Hash, second.Mutations[i].Hash)
		}
	}
}
