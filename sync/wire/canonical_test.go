package wire_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

// drawJSON draws a value as encoding/json would decode it, numbers verbatim.
func drawJSON(t *rapid.T, depth int) any {
	kinds := 6
	if depth == 0 {
		kinds = 4
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.SampledFrom([]json.Number{"0", "-0", "1", "1.0", "1e3", "12.50", "9007199254740993"}).Draw(t, "number")
	case 3:
		return drawText(t)
	case 4:
		list := make([]any, rapid.IntRange(0, 3).Draw(t, "length"))
		for i := range list {
			list[i] = drawJSON(t, depth-1)
		}
		return list
	}
	object := map[string]any{}
	for range rapid.IntRange(0, 4).Draw(t, "members") {
		object[drawText(t)] = drawJSON(t, depth-1)
	}
	return object
}

func drawText(t *rapid.T) string {
	runes := []rune("ab\"\\/\b\f\n\r\t\x01\x1f\x7fé兴😀\u2028\ufffd<")
	return rapid.StringOfN(rapid.SampledFrom(runes), 0, 5, -1).Draw(t, "text")
}

// asIs is text that is spelled in one way only: ids and 64-bit numbers, which
// nobody escapes and which are read where they stand.
type asIs string

// spell writes a value in one of the many ways in which it can be written.
func spell(r *rand.Rand, v any) string {
	switch v := v.(type) {
	case asIs:
		return `"` + string(v) + `"`
	case string:
		return spellText(r, v)
	case []any:
		parts := make([]string, len(v))
		for i, one := range v {
			parts[i] = blank(r) + spell(r, one) + blank(r)
		}
		return "[" + strings.Join(parts, ",") + blank(r) + "]"
	case map[string]any:
		var parts []string
		for name, one := range v {
			parts = append(parts, blank(r)+spellText(r, name)+blank(r)+":"+blank(r)+spell(r, one)+blank(r))
		}
		slices.Sort(parts)
		r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		return "{" + strings.Join(parts, ",") + blank(r) + "}"
	}
	text, _ := json.Marshal(v)
	return string(text)
}

func blank(r *rand.Rand) string { return strings.Repeat(" \n\t\r", r.IntN(3)/2) }

func spellText(r *rand.Rand, s string) string {
	var b strings.Builder
	for _, c := range s {
		short := strings.IndexRune("\"\\/\b\f\n\r\t", c)
		switch way := r.IntN(3); {
		case c > 0xffff && way == 0:
			fmt.Fprintf(&b, `\u%04x\u%04X`, 0xd800+(c-0x10000)>>10, 0xdc00+(c-0x10000)&0x3ff)
		case way == 0 && c <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, c)
		case way == 1 && c <= 0xffff, c < 0x20 && short < 0:
			fmt.Fprintf(&b, `\u%04X`, c)
		case short >= 0 && (c != '/' || way == 2):
			b.WriteString([]string{`\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t`}[short])
		default:
			b.WriteRune(c)
		}
	}
	return `"` + b.String() + `"`
}

// decoded is what encoding/json makes of a text, numbers verbatim.
func decoded(tb rapid.TB, text []byte) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	require.NoError(tb, d.Decode(&v), "%s", text)
	return v
}

// However a value is written, its canonical form is one; and values that
// differ never share it.
func TestCanonical_laws(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "spelling"), 0))
		value, other := drawJSON(t, 3), drawJSON(t, 3)

		first, err := wire.Canonical(nil, []byte(spell(r, value)))
		require.NoError(t, err)
		second, err := wire.Canonical([]byte("before"), []byte(blank(r)+spell(r, value)+blank(r)))
		require.NoError(t, err)
		different, err := wire.Canonical(nil, []byte(spell(r, other)))
		require.NoError(t, err)

		require.Equal(t, "before"+string(first), string(second), "one value, two forms")
		require.Equal(t, value, decoded(t, first), "the form says something else")
		same := fmt.Sprintf("%#v", value) == fmt.Sprintf("%#v", other)
		require.Equal(t, same, bytes.Equal(first, different), "%s and %s", first, different)
	})
}

func TestCanonical(t *testing.T) {
	t.Parallel()

	tests := []struct{ name, raw, want string }{
		{"white space goes", " { \"a\" : [ 1 , 2 ] } \n", `{"a":[1,2]}`},
		{"names are sorted", `{"b":1,"a":2}`, `{"a":2,"b":1}`},
		{"at every level", `{"b":{"d":1,"c":2},"a":[{"z":1,"y":2}]}`, `{"a":[{"y":2,"z":1}],"b":{"c":2,"d":1}}`},
		{"a shorter name comes first", `{"ab":1,"a":2,"":3}`, `{"":3,"a":2,"ab":1}`},
		{"what need not be escaped is not", `"\u0041\/\u002f\uD83D\uDE00\u007f\u2028"`, "\"A//😀\x7f\u2028\""},
		{"what must be is in one way", `"\u000a\u0008\u000c\u0022\u005c\u001F"`, `"\n\b\f\"\\\u001f"`},
		{"numbers stay as they were written", `[1,1.0,1e0,-0,1E+2]`, `[1,1.0,1e0,-0,1E+2]`},
		{"the order of a list counts", `[2,1]`, `[2,1]`},
		{"emptiness", `[{},[],""]`, `[{},[],""]`},
		{"a word", ` null `, `null`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := wire.Canonical(nil, []byte(tt.raw))

			require.NoError(t, err)
			require.Equal(t, tt.want, string(got))
		})
	}
}

func TestCanonical_refused(t *testing.T) {
	t.Parallel()

	tests := []struct{ raw, code string }{
		{``, "malformed"},
		{` `, "malformed"},
		{`{`, "malformed"},
		{`["a`, "malformed"},
		{`["\`, "malformed"},
		{`1 2`, "malformed"},
		{`{"a":1`, "malformed"},
		{"\"\xff\"", "utf8"},
		{`"\ud800"`, "surrogate"},
		{`"\u0000"`, "nul"},
		{nested(wire.MaxDepth + 1), "deep"},
		{`{"a":1,"\u0061":1}`, "duplicate"},
		{`[{"b":1,"a":[{"c":1,"d":1,"c":1}]}]`, "duplicate"},
	}
	for _, tt := range tests {
		_, err := wire.Canonical(nil, []byte(tt.raw))
		require.Equal(t, errs.Invalid, errs.KindOf(err), tt.raw)
		require.Equal(t, tt.code, errs.CodeOf(err), tt.raw)
	}
	_, err := wire.Canonical(nil, []byte(nested(wire.MaxDepth)))
	require.NoError(t, err)
}

// A mutation is the same under another name, and another with other content.
func TestHash(t *testing.T) {
	t.Parallel()

	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	values := func(text string) record.Values {
		vs, err := record.ParseValues([]byte(text))
		require.NoError(t, err)
		return vs
	}
	good := func() record.Mutation {
		return record.Mutation{
			N: 2, ID: record.MustID(id2), Schema: "3", Stamp: version.Stamp{MS: 5, C: 1},
			Edits: []record.Edit{{
				Op: record.OpEdit, Kind: "account", ID: record.MustID(acme), Seen: version.Vector{"log": 812, "m3x9": 4},
				Set:  values(`{"name":"Acme","city":{"a":1,"b":2}}`),
				Add:  values(`{"tags":["x"]}`),
				Inc:  values(`{"points":5}`),
				Base: values(`{"remark":""}`),
			}, {Op: record.OpDelete, Kind: "task", ID: record.MustID(id2)}},
		}
	}
	base := good()
	want := wire.Hash(&base)
	same := map[string]func(m *record.Mutation){
		"another n":                  func(m *record.Mutation) { m.N = 7 },
		"another schema":             func(m *record.Mutation) { m.Schema = "" },
		"another fate":               func(m *record.Mutation) { m.After = []json.RawMessage{raw(`1`)} },
		"a proof":                    func(m *record.Mutation) { m.Again = &record.Again{Epoch: "e1"} },
		"another order of the names": func(m *record.Mutation) { slices.Reverse(m.Edits[0].Set) },
		"another spelling":           func(m *record.Mutation) { m.Edits[0].Set[1].Raw = raw(` {"b" : 2,"\u0061":1}`) },
		"nothing seen, said":         func(m *record.Mutation) { m.Edits[0].Seen["k7f2"] = 0 },
		"nothing removed, said":      func(m *record.Mutation) { m.Edits[0].Remove = record.Values{} },
		"nothing seen at all, said":  func(m *record.Mutation) { m.Edits[1].Seen = version.Vector{"log": 0} },
	}
	for name, change := range same {
		m := good()
		change(&m)
		require.Equal(t, want, wire.Hash(&m), name)
	}
	other := map[string]func(m *record.Mutation){
		"another id":           func(m *record.Mutation) { m.ID = record.MustID(acme) },
		"another time":         func(m *record.Mutation) { m.Stamp.MS++ },
		"another counter":      func(m *record.Mutation) { m.Stamp.C++ },
		"another operation":    func(m *record.Mutation) { m.Edits[1].Op = record.OpRestore },
		"another kind":         func(m *record.Mutation) { m.Edits[0].Kind = "contact" },
		"another record":       func(m *record.Mutation) { m.Edits[0].ID = record.MustID(id2) },
		"other things seen":    func(m *record.Mutation) { m.Edits[0].Seen["log"]++ },
		"nothing seen":         func(m *record.Mutation) { m.Edits[0].Seen = nil },
		"another value":        func(m *record.Mutation) { m.Edits[0].Set[0].Raw = raw(`"acme"`) },
		"another field":        func(m *record.Mutation) { m.Edits[0].Set[0].Field = "nick" },
		"added, not set":       func(m *record.Mutation) { m.Edits[0].Set, m.Edits[0].Add = m.Edits[0].Add, m.Edits[0].Set },
		"removed, not added":   func(m *record.Mutation) { m.Edits[0].Remove, m.Edits[0].Add = m.Edits[0].Add, nil },
		"another delta":        func(m *record.Mutation) { m.Edits[0].Inc[0].Raw = raw(`5.0`) },
		"another base":         func(m *record.Mutation) { m.Edits[0].Base = nil },
		"one edit less":        func(m *record.Mutation) { m.Edits = m.Edits[:1] },
		"another order":        func(m *record.Mutation) { slices.Reverse(m.Edits) },
		"a value that is none": func(m *record.Mutation) { m.Edits[0].Set[0].Raw = raw(`{"a`) },
		"a value that is nil":  func(m *record.Mutation) { m.Edits[0].Set[0].Raw = nil },
	}
	seen := map[[32]byte]string{want: "itself"}
	for name, change := range other {
		m := good()
		change(&m)
		hash := wire.Hash(&m)
		require.Empty(t, seen[hash], name)
		seen[hash] = name
	}
}

// The hash of a push is that of what was read, however it was written.
func TestHash_laws(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "spelling"), 0))
		edit := map[string]any{
			"op": "edit", "kind": "account", "id": asIs(acme),
			"seen": map[string]any{"log": asIs("812"), "m3x9": json.Number("4")},
		}
		for _, member := range []string{"set", "add", "remove", "inc", "base"} {
			values := map[string]any{}
			for range rapid.IntRange(0, 3).Draw(t, member) {
				values[drawText(t)] = drawJSON(t, 2)
			}
			edit[member] = values
		}
		one := map[string]any{
			"n": json.Number("2"), "id": asIs(id2), "unknown": drawJSON(t, 2), "edits": []any{edit},
			"stamp": map[string]any{"ms": json.Number("9999"), "c": json.Number("3")},
		}

		first, err := wire.ReadPush(push(spell(r, one)))
		require.NoError(t, err)
		second, err := wire.ReadPush(push(spell(r, one)))
		require.NoError(t, err)

		require.Nil(t, first.Mutations[0].Broken)
		require.Equal(t, first.Mutations[0].Hash, second.Mutations[0].Hash)
		require.Equal(t, first.Mutations[0].Hash, wire.Hash(&second.Mutations[0]))
	})
}
