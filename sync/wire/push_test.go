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
		{"as many ties as may be", tied(wire.MaxAfter)},
		{"as late as may be", with(fmt.Sprintf(`"stamp":{"ms":%d,"c":65535}`, version.MaxStampMS))},
		{"as early as may be", with(`"stamp":{"ms":0}`)},
		{"a schema as long as may be", with(stamp + `,"schema":` + letters(wire.MaxName))},
		{"a kind as long as may be", swap(`"account"`, letters(wire.MaxName))},
		{"a proof of nulls", again(`"stamp":null,"over":null,"seq":null,"epoch":null,"receipt":null`)},
		{"a receipt as long as may be", again(`"receipt":` + letters(wire.MaxReceipt))},
		{"seen as much as may be", swap(`"812"`, `"9223372036854775807"`)},
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
	named := func(n string) []byte { return push(strings.Replace(mutation(1), `"n":1`, `"n":`+n, 1)) }
	change := func(old, other string) []byte { return push(strings.Replace(mutation(1), old, other, 1)) }
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
		{"a replica with a long name", []byte(`{"replica":` + letters(wire.MaxName+1) + `}`), "envelope"},
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
		{"a mutation whose id is zeros", change("01932b4e-7c1a-7f00-8a00-000000000001", zeros), "envelope"},
		{"a mutation whose id is a number", change(`"01932b4e-7c1a-7f00-8a00-000000000001"`, "1"), "envelope"},
		{"a mutation whose end is missing", push(mutation(1)[:len(mutation(1))-1], mutation(2)), "envelope"},
		{"a mutation of two ids", change(`"edits"`, `"id":"`+id2+`","edits"`), "envelope"},
		{"a mutation of two n", change(`"edits"`, `"n":2,"edits"`), "envelope"},
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
		{"nulls for what is absent", []byte(`{"replica":"k7f2","prev":null,"epoch":null,"sent_ms":null,"schema":null}`), 0},
		{"as many mutations as may be", pushOf(wire.MaxPush), wire.MaxPush},
		{"as many bytes as may be", roomy(wire.MaxPushBytes), 1},
		{"a start anywhere", push(mutation(7), mutation(8)), 2},
		{"the largest n", push(strings.Replace(mutation(1), `"n":1`, `"n":9007199254740991`, 1)), 1},
		{"a replica as long as may be", []byte(`{"replica":` + letters(wire.MaxName) + `}`), 0},
		{"what is not known, however deep", []byte(`{"replica":"k7f2","x":` + nested(100_000) + `}`), 0},
		{"what is not known, however odd", []byte(`{"x":NaN,"replica":"k7f2","mutations":[` + mutation(1) + `]}`), 1},
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

// What says that a log is another than this one's past is read as what it is, or
// breaks the mutation: whoever guesses it wrong takes for seen what was not.
func TestReadPush_apart(t *testing.T) {
	t.Parallel()

	for said, want := range map[string]bool{"true": true, "false": false, "null": false} {
		got, err := wire.ReadPush(push(again(`"seq":"7","apart":` + said)))
		require.NoError(t, err)
		require.Nil(t, got.Mutations[0].Broken)
		require.Equal(t, want, got.Mutations[0].Again.Apart, said)
	}
	for _, said := range []string{`"true"`, "1", "{}", `""`} {
		got, err := wire.ReadPush(push(again(`"seq":"7","apart":` + said)))
		require.NoError(t, err)
		require.NotNil(t, got.Mutations[0].Broken, said)
	}
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
