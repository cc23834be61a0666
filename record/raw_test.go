package record_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

func TestParseValues(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name, text string
		want       []string // names and values in turn
	}{
		{"nothing", `{}`, nil},
		{"nothing, with space", " {\n} ", nil},
		{
			"all sorts of values", `{"a":1,"b":"x","c":[1,{"d":2}],"e":{"f":[]},"g":null}`,
			[]string{"a", "1", "b", `"x"`, "c", `[1,{"d":2}]`, "e", `{"f":[]}`, "g", "null"},
		},
		{"space around everything", " { \"a\" : 1 ,\t\"b\" :\r\n2 } ", []string{"a", "1", "b", "2"}},
		{"brackets and quotes in text", `{"a":"}\"]{","b":["\\","]"]}`, []string{"a", `"}\"]{"`, "b", `["\\","]"]`}},
		{"escapes in names", `{"n\u0061me":1,"\"":2,"名":3}`, []string{"name", "1", `"`, "2", "名", "3"}},
		{"an empty name", `{"":1}`, []string{"", "1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := record.ParseValues([]byte(tt.text))

			require.NoError(t, err)
			require.NotNil(t, got, "an empty object is not an absent one")
			var flat []string
			for _, v := range got {
				flat = append(flat, v.Field, string(v.Raw))
			}
			require.Equal(t, tt.want, flat)
		})
	}
}

func TestParseValues_refused(t *testing.T) {
	t.Parallel()

	for _, text := range []string{
		``, ` `, `null`, `[]`, `"x"`, `1`, `}`, `{`, `{"`, `{"a`, `{"a"`, `{"a" `, `{"a":`, `{"a": `, `{"a":}`, `{"a":,}`,
		`{"a":1`, `{"a":1 `, `{"a":1,`, `{"a":1,}`, `{"a":1 "b":2}`, `{"a" 1}`, `{a:1}`, `{,}`, `{"a":1}x`, `{"a":1}{}`,
		`{"a":"x`, `{"a":"x\`, `{"a":"x\"`,
		`{"a":[`, `{"a":[1`, `{"a":{"b":"`, `{"a":[}`, `{"a":"x"y}`, `{"\x":1}`, `{"a":1]`,
		"{\"a\n\":1}",
	} {
		_, err := record.ParseValues([]byte(text))
		require.Error(t, err, "%s", text)
	}
}

// A name may stand once, however many there are, and finding out takes time
// that grows with their number and not with its square.
func TestParseValues_names(t *testing.T) {
	t.Parallel()

	object := func(n int, last string) []byte {
		var b strings.Builder
		for i := range n - 1 {
			fmt.Fprintf(&b, `"%x":0,`, i)
		}
		return []byte(`{` + b.String() + `"` + last + `":1}`)
	}
	for _, n := range []int{2, 3, 23, 24, 25, 26, 48, 49, 1000, record.MaxNames} {
		got, err := record.ParseValues(object(n, "last"))
		require.NoError(t, err, n)
		require.Len(t, got, n)
		for _, twice := range []string{"0", fmt.Sprintf("%x", n-2), `\u0030`} {
			_, err = record.ParseValues(object(n, twice))
			require.ErrorIs(t, err, record.ErrTwice, n)
		}
	}
	_, err := record.ParseValues(object(record.MaxNames+1, "last"))
	require.ErrorIs(t, err, record.ErrTooMany)
}

// What is appended to is left alone: neither searched for the same name nor
// lost.
func TestAppendValues(t *testing.T) {
	t.Parallel()

	vs, err := record.AppendValues(nil, []byte(`{"a":1}`))
	require.NoError(t, err)
	vs, err = record.AppendValues(vs, []byte(`{"a":2,"b":3}`))
	require.NoError(t, err)

	require.Equal(t, `{"a":1,"a":2,"b":3}`, string(vs.AppendJSON(nil)))
	_, err = record.AppendValues(vs, []byte(`{"b":1,"b":2}`))
	require.ErrorIs(t, err, record.ErrTwice)
}

// Values share the text's memory, and yet appending to one spoils none.
func TestParseValues_memory(t *testing.T) {
	t.Parallel()

	text := []byte(`{"a":[1],"b":2}`)
	was := bytes.Clone(text)
	vs, err := record.ParseValues(text)
	require.NoError(t, err)
	list, err := record.ParseList(vs[0].Raw)
	require.NoError(t, err)
	_ = append(vs[0].Raw, "spoilt"...)
	_ = append(list[0], "spoilt"...)
	require.Equal(t, was, text)

	text[len(text)-2] = '3'
	require.Equal(t, "3", string(vs[1].Raw))
}

func TestParseList(t *testing.T) {
	t.Parallel()

	tests := []struct {
		text string
		want []string
	}{
		{`[]`, nil},
		{" [ \n] ", nil},
		{`[1]`, []string{"1"}},
		{` [ 1 , "a,]" ,[2,[]],{"b":[]} , null ] `, []string{"1", `"a,]"`, "[2,[]]", `{"b":[]}`, "null"}},
	}
	for _, tt := range tests {
		got, err := record.ParseList([]byte(tt.text))
		require.NoError(t, err, tt.text)
		var texts []string
		for _, raw := range got {
			texts = append(texts, string(raw))
		}
		require.Equal(t, tt.want, texts, tt.text)
	}
	for _, text := range []string{
		``, ` `, `{}`, `1`, `[`, `[1`, `[1,`, `[1,]`, `[,]`, `[,1]`, `[1 2]`, `[1]x`,
		`["`, `["a`, `[[]`, `[{]`, `]`, `[1}`, `[:]`,
	} {
		_, err := record.ParseList([]byte(text))
		require.Error(t, err, text)
	}
}

func TestAppendList(t *testing.T) {
	t.Parallel()

	list, err := record.AppendList(nil, []byte(`[1,2]`), 2)
	require.NoError(t, err)
	list, err = record.AppendList(list, []byte(`[3,4]`), 2)
	require.NoError(t, err)
	require.Len(t, list, 4)
	_, err = record.AppendList(list, []byte(`[5,6,7]`), 2)
	require.ErrorIs(t, err, record.ErrTooMany)
	_, err = record.AppendList(nil, []byte(`[1]`), 0)
	require.ErrorIs(t, err, record.ErrTooMany)
	_, err = record.AppendList(nil, []byte(`[]`), 0)
	require.NoError(t, err)
}

// From a broken object comes what stands between two commas and is whole.
func TestSalvage(t *testing.T) {
	t.Parallel()

	tests := []struct{ name, text, want string }{
		{"nothing is broken", `{"n":1,"id":"x"}`, `{"n":1,"id":"x"}`},
		{"a bare word", `{"n":1,"a":NaN,"id":"x"}`, `{"n":1,"a":NaN,"id":"x"}`},
		{"a missing colon", `{"n":1,"a" 2,"id":"x"}`, `{"n":1,"id":"x"}`},
		{"a missing comma", `{"n":1 "a":2,"id":"x"}`, `{"id":"x"}`},
		{"a missing value", `{"n":1,"a":,"id":"x"}`, `{"n":1,"id":"x"}`},
		{"a missing name", `{"n":1,:2,"id":"x"}`, `{"n":1,"id":"x"}`},
		{"a name that is none", `{"n":1,a:2,"id":"x"}`, `{"n":1,"id":"x"}`},
		{"a bad escape in a name", `{"n":1,"\x":2,"id":"x"}`, `{"n":1,"id":"x"}`},
		{"commas in what is broken", `{"n":1,"a" [2,"n",{"id":"y"}] ",n,",  "id":"x"}`, `{"n":1,"id":"x"}`},
		{"commas too many", `{"n":1,,,"id":"x",}`, `{"n":1,"id":"x"}`},
		{"a name twice", `{"n":1,"n":2}`, `{"n":1,"n":2}`},
		{"text without an end", `{"n":1,"id":"x`, `{"n":1}`},
		{"a list without an end", `{"n":1,"a" [2,"id":"x"}`, `{"n":1}`},
		{"no end at all", `{"n":1,"id":"x"`, `{"n":1,"id":"x"}`},
		{"another closing bracket", `{"n":1,"a":2],"id":"x"}`, `{"n":1,"id":"x"}`},
		{"no object", `[1]`, `{}`},
		{"nothing", ``, `{}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tt.want, string(record.Salvage([]byte(tt.text)).AppendJSON(nil)))
		})
	}
}

// Remembered names are the names, whichever fall on the same place.
func TestNames(t *testing.T) {
	t.Parallel()

	var names record.Names
	long := strings.Repeat("long", 20)
	for round := range 3 {
		for i := range 2000 {
			name := fmt.Sprintf("field %d", i)
			got, err := names.AppendValues(nil, []byte(`{"`+name+`":1,"`+long+`":2,"é":3,"":4}`))
			require.NoError(t, err)
			require.Equal(t, name, got[0].Field, round)
			require.Equal(t, long, got[1].Field)
		}
	}
}

// A name that is remembered costs no memory, and is a copy. It is not run in
// parallel, because it counts allocations.
func TestNames_memory(t *testing.T) {
	var names record.Names
	text := []byte(`{"name":1,"remark":2}`)
	vs := make(record.Values, 0, 2)

	allocs := testing.AllocsPerRun(100, func() { vs, _ = names.AppendValues(vs[:0], text) })

	require.Zero(t, allocs)
	text[2] = 'X'
	require.Equal(t, "name", vs[0].Field)
}

func TestNames_Text(t *testing.T) {
	t.Parallel()

	var names record.Names
	for raw, want := range map[string]string{`""`: "", `"a"`: "a", `"\u0061\n"`: "a\n", `"兴旺"`: "兴旺"} {
		got, ok := names.Text([]byte(raw))
		require.True(t, ok, raw)
		require.Equal(t, want, got)
	}
	for _, raw := range []string{``, `"`, `a`, `1`, `null`, `"a`, `"a"b`, `"a\"`, `"a""`, `"\x"`, `{}`} {
		_, ok := names.Text([]byte(raw))
		require.False(t, ok, raw)
	}
}

func TestRawID(t *testing.T) {
	t.Parallel()

	const text = "0191c0de-0001-7000-8000-00000000ac01"
	for _, raw := range []string{`"` + text + `"`, `"` + strings.ToUpper(text) + `"`} {
		got, ok := record.RawID([]byte(raw))
		require.True(t, ok)
		require.Equal(t, record.MustID(text), got)
		require.Equal(t, text, string(record.AppendID(nil, got)))
		require.Equal(t, got.String(), string(record.AppendID(nil, got)))
	}
	require.Empty(t, record.AppendID(nil, record.NoID))
	for _, raw := range []string{
		``, `""`, text, `"` + text, `"` + text + `0"`, `"` + text[1:] + `"`, `x` + text + `x`, `{` + text + `}`,
		`"` + strings.ReplaceAll(text, "-", "0") + `"`, `"g` + text[1:] + `"`,
		`"00000000-0000-0000-0000-000000000000"`,
	} {
		_, ok := record.RawID([]byte(raw))
		require.False(t, ok, raw)
	}
}

// decodeOnce reads an object with encoding/json, and says whether it is one
// whose names differ.
func decodeOnce(text []byte) (names []string, values map[string]json.RawMessage, ok bool) {
	if json.Unmarshal(text, &values) != nil || values == nil {
		return nil, nil, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	_, _ = d.Token()
	for d.More() {
		name, _ := d.Token()
		names = append(names, name.(string))
		var skipped json.RawMessage
		_ = d.Decode(&skipped)
	}
	return names, values, len(names) == len(values)
}

// FuzzValues holds the scan against encoding/json: whatever that accepts, the
// scan cuts into the same names and values; and nothing makes it panic.
func FuzzValues(f *testing.F) {
	for _, text := range []string{
		``, ` `, `null`, `{}`, `[]`, `{"a":1}`, `{"a":1,"a":2}`, ` { "a" : [ 1 , "]" ] , "b" : { } } `, `{"a":"\\\"}"}`,
		`{"\ud83d\ude00":"\ud800","é":1}`, `[1,[2,"]"],{"a":null}]`, `{"a":1,}`, `{"a" 1}`, `{"a":`, `{"`, `["\`,
		`[[[`, `{]`,
		`{"a":NaN}`, "{\"\xff\":1}", `{"":0}`, `{"n":1,"x" 2,"id":"y"}`, `[,]`, `{"a":truefalse}`, `[1]]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var cache record.Names
		got, err := record.ParseValues(text)
		cached, cachedErr := cache.AppendValues(nil, text)
		require.Equal(t, err, cachedErr)
		require.Equal(t, got, cached)
		salvaged := record.Salvage(text)

		if names, values, ok := decodeOnce(text); ok {
			require.NoError(t, err)
			require.Len(t, got, len(names))
			require.Len(t, salvaged, len(got))
			for i, v := range got {
				require.Equal(t, names[i], v.Field)
				require.Equal(t, string(values[v.Field]), string(v.Raw))
				require.Equal(t, v, salvaged[i])
			}
			again, err := record.ParseValues(got.AppendJSON(nil))
			require.NoError(t, err)
			require.Equal(t, got, again)
		}
		list, err := record.ParseList(text)
		var want []json.RawMessage
		if json.Unmarshal(text, &want) == nil && want != nil {
			require.NoError(t, err)
			require.Len(t, list, len(want))
			for i := range want {
				require.Equal(t, string(want[i]), string(list[i]))
			}
		}
	})
}

// A record of 20 fields is cut without being decoded.
func BenchmarkAppendValues(b *testing.B) {
	var text []byte
	for i := range 20 {
		text = fmt.Appendf(text, `,"field_%d":"a value of the usual length"`, i)
	}
	text = append(append([]byte{'{'}, text[1:]...), '}')
	var names record.Names
	vs := make(record.Values, 0, 20)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var err error
		vs, err = names.AppendValues(vs[:0], text)
		require.NoError(b, err)
	}
}

// One member of an object that an app has garbled is lost; the others are not.
func ExampleSalvage() {
	vs := record.Salvage([]byte(`{"n":7, "stamp" oops, "id":"0191c0de-0001-7000-8000-00000000ac01"}`))
	for _, v := range vs {
		fmt.Println(v.Field, string(v.Raw))
	}
	// Output:
	// n 7
	// id "0191c0de-0001-7000-8000-00000000ac01"
}
