package record_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/errs"
	"roadbook/record"
)

func TestSeq_json(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]record.Seq{
		`"0"`: 0, `"812"`: 812, `812`: 812, `"9223372036854775807"`: 1<<63 - 1, `9007199254740993`: 1<<53 + 1,
	} {
		var got record.Seq

		require.NoError(t, json.Unmarshal([]byte(text), &got), text)

		require.Equal(t, want, got)
		again, err := json.Marshal(got)
		require.NoError(t, err)
		require.Equal(t, `"`+got.String()+`"`, string(again), "it travels as a string")
	}
	for _, text := range []string{
		`-1`, `"-1"`, `1.5`, `"1.5"`, `1e3`, `""`, `"x"`, `" 1"`, `"9223372036854775808"`, `true`, `[]`, `{}`, `"0x1"`,
	} {
		var got record.Seq

		require.Error(t, json.Unmarshal([]byte(text), &got), text)
	}
}

func TestParseID(t *testing.T) {
	t.Parallel()

	const text = "0191c0de-0001-7000-8000-00000000ac01"

	id, err := record.ParseID(text)

	require.NoError(t, err)
	require.Equal(t, text, id.String())
	require.Equal(t, id, record.MustID(text))
	require.False(t, id.IsZero())
	for _, bad := range []string{
		"", "x", text[1:], text + "0", "{" + text + "}", "urn:uuid:" + text, strings.ReplaceAll(text, "-", ""),
		strings.ReplaceAll(text, "-", "0"), "g" + text[1:], strings.Repeat("-", 36),
		strings.Replace(text, "0191c0de-", "0191c0d-e", 1),
	} {
		_, err := record.ParseID(bad)
		require.Error(t, err, "%q", bad)
		require.Panics(t, func() { record.MustID(bad) })
	}
}

func TestID_text(t *testing.T) {
	t.Parallel()

	id := record.MustID("0191c0de-0001-7000-8000-00000000ac01")
	for _, want := range []record.ID{id, record.NoID} {
		text, err := json.Marshal(want)
		require.NoError(t, err)
		got := record.MustID("0191c0de-0001-7000-8000-000000000000")

		require.NoError(t, json.Unmarshal(text, &got))

		require.Equal(t, want, got)
	}
	require.Empty(t, record.NoID.String())
	require.True(t, record.NoID.IsZero())
	var got record.ID
	require.Error(t, json.Unmarshal([]byte(`"0191"`), &got))
}

// Doing the same thing twice names the same record, and two things name two.
func TestID_Derive(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		id := record.MustID(rapid.StringMatching(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).Draw(t, "id"))
		why, other := rapid.String().Draw(t, "why"), rapid.String().Draw(t, "other")

		derived := id.Derive(why)

		require.Equal(t, derived, id.Derive(why))
		require.Equal(t, why == other, derived == id.Derive(other))
		require.NotEqual(t, id, derived)
		require.NotEqual(t, derived, derived.Derive(why))
		again, err := record.ParseID(derived.String())
		require.NoError(t, err)
		require.Equal(t, derived, again)
	})
}

func TestValues(t *testing.T) {
	t.Parallel()

	vs := record.Values{{Field: "a", Raw: json.RawMessage(`"x\n"`)}, {Field: "b", Raw: json.RawMessage(`7`)}}

	require.Equal(t, `7`, string(vs.Get("b")))
	require.Nil(t, vs.Get("c"))
	require.Nil(t, record.Values(nil).Get("a"))
	require.Equal(t, "x\n", vs.Text("a"))
	require.Empty(t, vs.Text("b"), "it is no text")
	require.Empty(t, vs.Text("c"))
}

func TestValues_With(t *testing.T) {
	t.Parallel()

	vs := record.Values{{Field: "a", Raw: json.RawMessage(`1`)}, {Field: "b", Raw: json.RawMessage(`2`)}}

	require.Equal(t, `{"a":3,"b":2}`, string(vs.With("a", json.RawMessage(`3`)).AppendJSON(nil)))
	require.Equal(t, `{"a":1,"b":2,"c":3}`, string(vs.With("c", json.RawMessage(`3`)).AppendJSON(nil)))
	require.Equal(t, `{"a":1}`, string(record.Values(nil).With("a", json.RawMessage(`1`)).AppendJSON(nil)))
	require.Equal(t, `{"a":1,"b":2}`, string(vs.AppendJSON(nil)), "the values themselves are as they were")
}

// An object keeps the order in which it was written, and no name stands twice.
func TestValues_json(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		want := record.Values{}
		for _, name := range rapid.SliceOfNDistinct(rapid.String(), 0, 6, rapid.ID[string]).Draw(t, "names") {
			want = append(want, record.Value{Field: name, Raw: drawRaw(t)})
		}

		text, err := json.Marshal(want)
		require.NoError(t, err)
		var got record.Values
		require.NoError(t, json.Unmarshal(text, &got))

		require.Len(t, got, len(want))
		for i := range want {
			require.Equal(t, want[i].Field, got[i].Field)
			require.JSONEq(t, string(want[i].Raw), string(got[i].Raw))
		}
	})
	var vs record.Values
	require.ErrorIs(t, json.Unmarshal([]byte(`{"a":1,"a":2}`), &vs), record.ErrTwice)
	require.Error(t, json.Unmarshal([]byte(`[]`), &vs))
	vs = record.Values{{Field: "a", Raw: json.RawMessage(`1`)}}
	require.NoError(t, json.Unmarshal([]byte(`null`), &vs))
	require.Len(t, vs, 1, "null is no object, and leaves things as they are")
}

// Values outlive the text that they were decoded from.
func TestValues_UnmarshalJSON_copies(t *testing.T) {
	t.Parallel()

	text := []byte(`{"a":1}`)
	var vs record.Values
	require.NoError(t, vs.UnmarshalJSON(text))

	text[5] = '2'

	require.Equal(t, `1`, string(vs.Get("a")))
}

// Every text is read back by encoding/json as it was, and no longer than that
// would write it.
func TestAppendString(t *testing.T) {
	t.Parallel()

	check := func(t require.TestingT, want string) {
		raw := record.AppendString([]byte("x"), want)[1:]

		var got string
		require.NoError(t, json.Unmarshal(raw, &got), "%q", raw)
		require.Equal(t, want, got)
		usual, err := json.Marshal(want)
		require.NoError(t, err)
		require.LessOrEqual(t, len(raw), len(usual))
	}
	for c := range rune(0x300) {
		check(t, string(c))
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		require.True(t, utf8.ValidString(s))
		check(t, s)
	})
	require.Equal(t, `"兴旺 <\"\\\u0001\n>"`, string(record.AppendString(nil, "兴旺 <\"\\\x01\n>")))
}

func TestRefusalOf(t *testing.T) {
	t.Parallel()

	err := errs.New("sync.check", errs.Invalid, "name: it must be filled in").Coded("required").
		Of(errs.Field{Field: "name", Detail: "it must be filled in"})

	require.Equal(t, &record.Refusal{
		Kind: errs.Invalid, Code: "required", Detail: "name: it must be filled in",
		Fields: []errs.Field{{Field: "name", Detail: "it must be filled in"}},
	}, record.RefusalOf(err.Because(record.ErrTwice)), "the cause stays here")
}
