package sync_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
)

// input is a push as text, of three mutations: two good ones, and between them
// whatever somebody sends.
type input struct {
	*world

	lin  *phone
	shop record.ID
	sent int
}

func newInput(t *testing.T) *input {
	t.Helper()
	w := newWorld(t)
	lin, _, shop := twoOn(w)
	return &input{w, lin, shop, 1}
}

const anyStamp = `"stamp":{"ms":1795248000000,"c":0}`

// push sends them, behind the last that was sent; %ID in bad stands for the
// mutation's id, %SHOP for a customer of the sender's, %NEW for a record that is
// not there.
func (in *input) push(bad string) ([]record.Outcome, error) {
	in.t.Helper()
	var ids []record.ID
	good := func(n int) string {
		ids = append(ids, in.id())
		return fmt.Sprintf(`{"n":%d,"id":"%s",%s,"edits":[{"op":"create","kind":"account","id":"%s","set":{"name":"好 %d"}}]}`,
			n, ids[len(ids)-1], anyStamp, in.id(), n)
	}
	bad = strings.Replace(bad, `"n":3`, fmt.Sprintf(`"n":%d`, in.sent+2), 1)
	bad = strings.NewReplacer(
		"%ID", in.id().String(), "%SHOP", in.shop.String(), "%NEW", in.id().String(), "%STAMP", anyStamp,
	).Replace(bad)
	body := fmt.Sprintf(`{"replica":"%s","prev":"%s","mutations":[%s,%s,%s]}`,
		in.lin.replica, in.lin.names[uint64(in.sent)], good(in.sent+1), bad, good(in.sent+3))
	frame, err := wire.ReadPush([]byte(body))
	if err != nil {
		return nil, err
	}
	answer, err := in.engine.Push(context.Background(), in.lin.who, frame)
	require.NoError(in.t, err, "it is judged, whatever it is")
	in.sent += 3
	in.lin.names[uint64(in.sent)] = ids[1]
	return answer.Outcomes, nil
}

// edit is a mutation of one edit of the shop.
func editWith(members string) string {
	return `{"n":3,"id":"%ID",%STAMP,"edits":[{"op":"edit","kind":"account","id":"%SHOP",` + members + `}]}`
}

func setTo(field, value string) string { return editWith(`"set":{"` + field + `":` + value + `}`) }

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

// Bad input is refused with a sentence, that mutation alone; its neighbours
// are applied, what it meant to change stays, and nothing is an internal
// error.
func TestInput_refusedAlone(t *testing.T) {
	t.Parallel()

	tests := []struct{ name, mutation, code string }{
		{"an unknown kind", strings.Replace(setTo("name", `"x"`), "account", "spaceship", 1), "unknown_kind"},
		{"an empty kind", strings.Replace(setTo("name", `"x"`), "account", "", 1), "member"},
		{"an id of another kind", strings.Replace(setTo("title", `"x"`), "account", "task", 1), "kind_mismatch"},
		{"an unknown field", setTo("colour", `"red"`), "unknown_field"},
		{"a field of the server", setTo("pool_state", `"public"`), "server_field"},
		{"a field whose name is long", setTo(strings.Repeat("x", 10_000), `1`), "unknown_field"},
		{"a number for a text", setTo("short_name", `7`), "type"},
		{"a list for a text", setTo("short_name", `["a"]`), "type"},
		{"an object for a text", setTo("short_name", `{"a":1}`), "type"},
		{"a choice that is none", setTo("grade", `"Z"`), "type"},
		{"a place outside the world", setTo("location", `{"lat":91,"lng":0,"crs":"wgs84"}`), "type"},
		{"a number of 2^53", setTo("visit_cycle_days", `9007199254740992`), "type"},
		{"a number of -2^53", setTo("visit_cycle_days", `-9007199254740992`), "type"},
		{"a number that is too large for any", setTo("visit_cycle_days", `1e400`), "type"},
		{"NaN", setTo("visit_cycle_days", `NaN`), "malformed"},
		{"infinity", setTo("visit_cycle_days", `Infinity`), "malformed"},
		{"an amount of 2^53", editWith(`"inc":{"points":9007199254740992}`), "type"},
		{"half an amount", editWith(`"inc":{"points":0.5}`), "type"},
		{"an amount that is text", editWith(`"inc":{"points":"5"}`), "type"},
		{"a sum below the floor", editWith(`"inc":{"points":-1}`), "floor"},
		{"an amount of a text", editWith(`"inc":{"name":1}`), "not_counter"},
		{"an element of a text", editWith(`"add":{"name":["x"]}`), "not_set"},
		{"elements that are no list", editWith(`"add":{"tags":"x"}`), "type"},
		{"an element of the wrong type", editWith(`"add":{"tags":[1]}`), "type"},
		{"501 elements", editWith(`"add":{"tags":[` + numbered(501) + `]}`), "size"},
		{"a set that is set", setTo("tags", `["x"]`), "set_set"},
		{"a counter that is set", setTo("points", `5`), "counter_set"},
		{"a text of 65 KiB", setTo("remark", `"`+strings.Repeat("长", 65*1024/3)+`"`), "type"},
		{"a record of more than 256 KiB", hugeRecord(), "record_size"},
		{"a mutation of more than 512 KiB", setTo("remark", `"`+strings.Repeat("x", 513<<10)+`"`), "size"},
		{"what is nested too deeply", setTo("external_ids.x", nested(40)), "deep"},
		{"what is nested far too deeply", setTo("external_ids.x", nested(5_000)), "deep"},
		{"NUL", setTo("remark", `"a\u0000b"`), "nul"},
		{"NUL as it is", setTo("remark", "\"a\x00b\""), "nul"},
		{"half a character", setTo("remark", `"\ud83d"`), "surrogate"},
		{"the other half", setTo("remark", `"\ude00"`), "surrogate"},
		{"no UTF-8", setTo("remark", "\"\xff\xfe\""), "utf8"},
		{"a field twice", editWith(`"set":{"remark":"a","remark":"b"}`), "duplicate"},
		{"a stamp of 2300", strings.Replace(setTo("remark", `"x"`), "%STAMP", `"stamp":{"ms":10413792000000,"c":0}`, 1), "stamp"},
		{"a stamp below 0", strings.Replace(setTo("remark", `"x"`), "%STAMP", `"stamp":{"ms":-1,"c":0}`, 1), "stamp"},
		{"no stamp", strings.Replace(setTo("remark", `"x"`), "%STAMP", `"stamp":null`, 1), "stamp"},
		{"no edits", `{"n":3,"id":"%ID",%STAMP,"edits":[]}`, "empty"},
		{"51 edits", `{"n":3,"id":"%ID",%STAMP,"edits":[` + manyEdits(51) + `]}`, "edits"},
		{"an unknown operation", strings.Replace(setTo("remark", `"x"`), `"edit"`, `"explode"`, 1), "op"},
		{"seen beyond the head", editWith(`"seen":{"log":"999999"},"set":{"remark":"x"}`), "seen"},
		{"seen that is negative", editWith(`"seen":{"log":"-1"},"set":{"remark":"x"}`), "member"},
		{"a record that is not there", strings.Replace(setTo("remark", `"x"`), "%SHOP", "%NEW", 1), "missing"},
		{"a parent that is not there", child(`"%ID"`), "parent"},
		{"a parent that is itself", child(`"%NEW"`), "kind_mismatch"},
		{"a parent of another kind", child(`"%USER"`), "kind_mismatch"},
		{"a parent that is no id", child(`"x"`), "type"},
		{"an owner who is nobody", setTo("owner", `"%NEW"`), "owner"},
		{"a required field that is empty", setTo("name", `null`), "required"},
		{"a required field of blanks", setTo("name", `"  "`), "required"},
		{"a new record without its required field", `{"n":3,"id":"%ID",%STAMP,"edits":[{"op":"create","kind":"account","id":"%NEW"}]}`, "required"},
		{"a delete with values", strings.Replace(setTo("remark", `"x"`), `"edit"`, `"delete"`, 1), "member"},
		{"after what is to come", strings.Replace(setTo("remark", `"x"`), `"edits"`, `"after":[999999],"edits"`, 1), "after"},
		{"after nothing that is", strings.Replace(setTo("remark", `"x"`), `"edits"`, `"after":["%NEW"],"edits"`, 1), "after"},
		{"a proof that is none", strings.Replace(setTo("remark", `"x"`), `"edits"`, `"again":[],"edits"`, 1), "member"},
	}
	in := newInput(t)
	before := maps.Clone(in.lin.base[in.shop].set)
	for _, tt := range tests {
		out, err := in.push(strings.ReplaceAll(tt.mutation, "%USER", in.person(in.org, "lin").String()))

		require.NoError(t, err, tt.name)
		require.Equal(t, record.Applied, out[0].Result, "the one before: %s", tt.name)
		require.Equal(t, record.Refused, out[1].Result, tt.name)
		require.Equal(t, record.Applied, out[2].Result, "the one after: %s", tt.name)
		require.Equal(t, tt.code, out[1].Refusal.Code, "%s: %s", tt.name, out[1].Refusal.Detail)
		require.NotEqual(t, errs.Internal, out[1].Refusal.Kind, tt.name)
		require.Greater(t, strings.Count(out[1].Refusal.Detail, " "), 2, "a sentence: %s", out[1].Refusal.Detail)
		require.Less(t, len(js(out[1].Refusal)), 2048, "a sentence, not an echo: %s", tt.name)
	}

	in.lin.pull()
	require.Equal(t, before, in.lin.base[in.shop].set)
}

func numbered(n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(`"%d"`, i)
	}
	return strings.Join(parts, ",")
}

func manyEdits(n int) string {
	edits := make([]string, n)
	for i := range edits {
		edits[i] = `{"op":"edit","kind":"account","id":"%SHOP","set":{"remark":"x"}}`
	}
	return strings.Join(edits, ",")
}

// hugeRecord sets forty keys of a map to as much as one may hold.
func hugeRecord() string {
	parts := make([]string, 40)
	for i := range parts {
		parts[i] = fmt.Sprintf(`"external_ids.k%d":"%s"`, i, strings.Repeat("x", 8000))
	}
	return editWith(`"set":{` + strings.Join(parts, ",") + `}`)
}

func child(parent string) string {
	return `{"n":3,"id":"%ID",%STAMP,"edits":[{"op":"create","kind":"contact","id":"%NEW","set":{"account":` + parent + `}}]}`
}

// What is just good enough is taken.
func TestInput_atTheLimit(t *testing.T) {
	t.Parallel()

	tests := []struct{ name, mutation string }{
		{"a text of 64 KiB", setTo("remark", `"`+strings.Repeat("x", 64<<10)+`"`)},
		{"a number below 2^53", setTo("visit_cycle_days", `9007199254740991`)},
		{"500 elements", editWith(`"add":{"tags":[` + numbered(500) + `]}`)},
		{"50 edits", `{"n":3,"id":"%ID",%STAMP,"edits":[` + manyEdits(50) + `]}`},
		{"a stamp of 2200", strings.Replace(setTo("remark", `"x"`), "%STAMP", `"stamp":{"ms":7258118400000,"c":0}`, 1)},
		{"a stamp of 1970", strings.Replace(setTo("remark", `"x"`), "%STAMP", `"stamp":{"ms":0,"c":0}`, 1)},
		{"every character", setTo("remark", `"😀 \ud83d\ude00 \u0001 \t \" \\ \/ 林"`)},
		{"what nobody knows", strings.Replace(setTo("remark", `"x"`), `"edits"`, `"mood":{"x":[1]},"edits"`, 1)},
	}
	in := newInput(t)
	for _, tt := range tests {
		out, err := in.push(tt.mutation)

		require.NoError(t, err, tt.name)
		require.NotEqual(t, record.Refused, out[1].Result, "%s: %+v", tt.name, out[1].Refusal)
	}

	in.lin.pull()
	require.Equal(t, "x", in.lin.text(in.shop, "remark"))
}

// What cannot be counted refuses the push as a whole, and nothing of it is
// judged.
func TestInput_refusedAsAWhole(t *testing.T) {
	t.Parallel()

	good := setTo("remark", `"x"`)
	tests := []struct{ name, mutation, code string }{
		{"n 0", strings.Replace(good, `"n":3`, `"n":0`, 1), "n"},
		{"n below 0", strings.Replace(good, `"n":3`, `"n":-3`, 1), "n"},
		{"n of 2^53", strings.Replace(good, `"n":3`, `"n":9007199254740992`, 1), "n"},
		{"a hole", strings.Replace(good, `"n":3`, `"n":5`, 1), "order"},
		{"n twice", strings.Replace(good, `"n":3`, `"n":2`, 1), "order"},
		{"no n", strings.Replace(good, `"n":3,`, ``, 1), "envelope"},
		{"no id", strings.Replace(good, `"id":"%ID",`, ``, 1), "envelope"},
		{"an id that is none", strings.Replace(good, `%ID`, `x`, 1), "envelope"},
		{"no object", `7`, "envelope"},
		{"no end", strings.TrimSuffix(good, "}"), "envelope"},
		{"500 more", strings.TrimSuffix(strings.Repeat(good+",", 500), ","), "many"},
		{"more than 8 MiB", setTo("remark", `"`+strings.Repeat("x", 8<<20)+`"`), "size"},
	}
	in := newInput(t)
	head := len(in.entries())
	for _, tt := range tests {
		_, err := in.push(tt.mutation)

		require.Equal(t, errs.Invalid, errs.KindOf(err), "%s: %v", tt.name, err)
		require.Equal(t, tt.code, errs.CodeOf(err), tt.name)
	}

	require.Len(t, in.entries(), head)
}

// A foreign org's records are not there: not to edit, not as a parent, not as
// an owner, not to be found out by the words of a refusal.
func TestInput_foreignOrg(t *testing.T) {
	t.Parallel()

	in := newInput(t)
	stranger := in.phoneIn(in.newOrg("elsewhere"), "lin")
	theirs := stranger.create("account", values("name", "别人的"))
	stranger.sync()
	mutations := []string{
		strings.Replace(setTo("remark", `"x"`), "%SHOP", "%REC", 1), child(`"%REC"`), setTo("owner", `"%REC"`),
	}
	for _, mutation := range mutations {
		var words []string
		for _, id := range []record.ID{theirs, in.id()} {
			out, err := in.push(strings.ReplaceAll(mutation, "%REC", id.String()))
			require.NoError(t, err)
			require.Equal(t, record.Refused, out[1].Result)
			words = append(words, string(js(out[1].Refusal)))
		}
		require.Equal(t, words[0], words[1], "as if there were no such record")
	}

	stranger.pull()
	require.Equal(t, "别人的", stranger.text(theirs, "name"))
}
