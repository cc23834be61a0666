package conflicts_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/conflicts"
	"roadbook/errs"
	"roadbook/record"
)

// made is a record on which anna has filled in a field of each sort.
func made(t require.TestingT) *record.Record {
	rec := &record.Record{Kind: anyShop}
	_, err := conflicts.Apply(rec, edit(record.Edit{Op: record.OpCreate, Set: vals(
		"name", `"Acme"`, "tags", `["a","b"]`, "points", `10`, "last", `5`, "check_in", `"here"`, "answers.q1", `true`,
	)}), writeAt(anna, 5, 2))
	require.NoError(t, err)
	rec.Seq = 2
	return rec
}

func TestApply(t *testing.T) {
	t.Parallel()

	const there = `"name":"Acme","tags":["a","b"],"points":10,"last":5,"check_in":"here","answers.q1":true`
	tests := []struct {
		name string
		edit record.Edit
		want string // the record then, where it changed
		was  string
	}{
		{"nothing", record.Edit{}, `{}`, `{}`},
		{"a value", record.Edit{Set: vals("name", `"Bolt"`)}, `{"name":"Bolt"}`, `{"name":"Acme"}`},
		{
			"a value, in its one stored form",
			record.Edit{Set: vals("name", ` "B\u006flt" `)},
			`{"name":"Bolt"}`, `{"name":"Acme"}`,
		},
		{"a value where there was none", record.Edit{Set: vals("stage", `"new"`)}, `{"stage":"new"}`, `{"stage":null}`},
		{"null clears a field", record.Edit{Set: vals("name", `null`)}, `{"name":null}`, `{"name":"Acme"}`},
		{
			"null clears a key of a map",
			record.Edit{Set: vals("answers.q1", `null`)},
			`{"answers.q1":null}`, `{"answers.q1":true}`,
		},
		{
			"another key of a map",
			record.Edit{Set: vals("answers.q2", ` [ 1.0 ] `)},
			`{"answers.q2":[1]}`, `{"answers.q2":null}`,
		},
		{
			"elements come and go",
			record.Edit{Add: vals("tags", `[" c "]`), Remove: vals("tags", `["a"]`)},
			`{"tags":["b","c"]}`, `{"tags":["a","b"]}`,
		},
		{
			"an element that goes and comes stays",
			record.Edit{Add: vals("tags", `["a"]`), Remove: vals("tags", `["a"]`)},
			`{}`, `{"tags":["a","b"]}`,
		},
		{"an element that is not there", record.Edit{Remove: vals("tags", `["x"]`)}, `{}`, `{"tags":["a","b"]}`},
		{
			"a choice that is no longer offered may go",
			record.Edit{Remove: vals("size", `["XXL"]`)},
			`{"size":[]}`, `{"size":null}`,
		},
		{"no elements", record.Edit{Add: vals("tags", `[]`), Remove: vals("size", `[]`)}, `{}`, `{}`},
		{"an amount", record.Edit{Inc: vals("points", `-3`)}, `{"points":7}`, `{"points":10}`},
		{"all at once", record.Edit{
			Set: vals("name", `"Bolt"`, "last", `6`), Add: vals("tags", `["c"]`), Remove: vals("tags", `["b"]`), Inc: vals("points", `1`),
		}, `{"name":"Bolt","last":6,"tags":["a","c"],"points":11}`, `{"name":"Acme","last":5,"tags":["a","b"],"points":10}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			rec := made(t)
			w := writeAt(ben, 6, 3)
			w.Seen.Log = 2

			report, err := conflicts.Apply(rec, edit(tt.edit), w)

			require.NoError(t, err)
			require.JSONEq(t, merged(t, "{"+there+"}", tt.want), stored(t, rec))
			require.JSONEq(t, tt.was, string(report.Was.AppendJSON(nil)), "history")
			require.Empty(t, report.Clashes)
			require.False(t, report.Merged, "he had seen everything")
		})
	}
}

// merged is one object laid over another.
func merged(t testing.TB, under, over string) string {
	t.Helper()
	all := map[string]json.RawMessage{}
	for _, text := range []string{under, over} {
		require.NoError(t, json.Unmarshal([]byte(text), &all))
	}
	text, err := json.Marshal(all)
	require.NoError(t, err)
	return string(text)
}

func TestApply_create(t *testing.T) {
	t.Parallel()

	rec := &record.Record{Kind: anyShop}
	e := record.Edit{Op: record.OpCreate, Set: vals(
		"name", `"Acme"`, "stage", `null`, "tags", `["b","a","b"]`, "size", `[]`, "points", `1e1`, "last", `5`, "first", `null`,
		"check_in", `null`, "answers.q1", `1`, "answers.q2", `null`, "street", `"Lane 1"`, "point", `null`,
	)}

	report, err := conflicts.Apply(rec, &e, writeAt(anna, 5, 2))

	require.NoError(t, err)
	require.JSONEq(t, `{"name":"Acme","tags":["a","b"],"points":10,"last":5,"answers.q1":1,"street":"Lane 1"}`, stored(t, rec),
		"set on a counter counts, on a set it adds, and what nobody filled in is not there")
	require.Empty(t, report.Was, "of a new record there is nothing to keep")
	require.False(t, report.Merged)
	for _, slot := range rec.Slots {
		require.Equal(t, writeAt(anna, 5, 2).By, slot.By)
	}
}

// A null in a create says nothing, whatever the field's policy.
func TestApply_createOfNothing(t *testing.T) {
	t.Parallel()

	for _, f := range anyShop.Fields {
		name := f.Name
		if f.Type == "map" {
			name += ".q1"
		}
		w := writeAt(anna, 5, 2)
		w.Server = true
		for _, rec := range []*record.Record{{Kind: anyShop}, made(t)} {
			before := stored(t, rec)

			report, err := conflicts.Apply(rec, edit(record.Edit{Op: record.OpCreate, Set: vals(name, `null`)}), w)

			require.NoError(t, err, name)
			require.Equal(t, before, stored(t, rec), name)
			require.Equal(t, conflicts.Report{}, report, name)
		}
	}
}

// A create of what is there already is an edit by somebody who has seen
// nothing but his own.
func TestApply_createAgain(t *testing.T) {
	t.Parallel()

	rec := made(t)
	e := record.Edit{Op: record.OpCreate, Set: vals(
		"name", `"Bolt"`, "tags", `["c"]`, "points", `5`, "check_in", `"there"`, "stage", `"new"`,
	)}

	report, err := conflicts.Apply(rec, &e, writeAt(ben, 6, 3))

	require.NoError(t, err)
	require.JSONEq(t, `{"name":"Bolt","tags":["a","b","c"],"points":15,"last":5,"check_in":"here",
		"answers.q1":true,"stage":"new"}`, stored(t, rec))
	require.JSONEq(t, `{"name":"Acme","tags":["a","b"],"points":10,"stage":null}`, string(report.Was.AppendJSON(nil)))
	require.Len(t, report.Clashes, 2)
	require.Equal(t, []string{"name", "check_in"}, []string{report.Clashes[0].Field.Name, report.Clashes[1].Field.Name})
	require.True(t, report.Merged)
}

func TestApply_refused(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("x", 81)
	tests := []struct {
		name   string
		edit   record.Edit
		code   string
		fields []string
	}{
		{"a field that is not there", record.Edit{Set: vals("colour", `1`)}, "unknown_field", []string{"colour"}},
		{
			"wherever it stands",
			record.Edit{Add: vals("a", `[]`), Remove: vals("b", `[]`), Inc: vals("c", `1`)},
			"unknown_field",
			[]string{"b", "a", "c"},
		},
		{"a name without an end is cut", record.Edit{Set: vals(long, `1`)}, "unknown_field", []string{long[:80]}},
		{"a map as a whole", record.Edit{Set: vals("answers", `{}`)}, "unknown_field", []string{"answers"}},
		{"a field of the server's", record.Edit{Set: vals("score", `"9"`)}, "server_field", []string{"score"}},
		{"to clear a field of the server's", record.Edit{Set: vals("score", `null`)}, "server_field", []string{"score"}},
		{"to set a set", record.Edit{Set: vals("tags", `["a"]`)}, "set_set", []string{"tags"}},
		{"to clear a set", record.Edit{Set: vals("tags", `null`)}, "set_set", []string{"tags"}},
		{"to set a counter", record.Edit{Set: vals("points", `1`)}, "counter_set", []string{"points"}},
		{"to clear a counter", record.Edit{Set: vals("points", `null`)}, "counter_set", []string{"points"}},
		{"to add to a plain value", record.Edit{Add: vals("name", `["a"]`)}, "not_set", []string{"name"}},
		{"to remove from a plain value", record.Edit{Remove: vals("name", `["a"]`)}, "not_set", []string{"name"}},
		{"to add to a counter", record.Edit{Add: vals("points", `[1]`)}, "not_set", []string{"points"}},
		{"to count what is no counter", record.Edit{Inc: vals("last", `1`)}, "not_counter", []string{"last"}},
		{"to count a set", record.Edit{Inc: vals("tags", `1`)}, "not_counter", []string{"tags"}},
		{"a value of another type", record.Edit{Set: vals("name", `7`)}, "type", []string{"name"}},
		{"a largest value of another type", record.Edit{Set: vals("last", `"7"`)}, "type", []string{"last"}},
		{"one value where a list was expected", record.Edit{Add: vals("tags", `"a"`)}, "type", []string{"tags"}},
		{"one value in a create", record.Edit{Op: record.OpCreate, Set: vals("tags", `"a"`)}, "type", []string{"tags"}},
		{"no list where one was expected", record.Edit{Remove: vals("tags", `null`)}, "type", []string{"tags"}},
		{"an element of another type", record.Edit{Add: vals("tags", `["a",7,8]`)}, "type", []string{"tags"}},
		{"an element that is not offered", record.Edit{Add: vals("size", `["XXL"]`)}, "type", []string{"size"}},
		{"to remove what is no JSON", record.Edit{Remove: vals("size", `[nothing]`)}, "type", []string{"size"}},
		{"half an amount", record.Edit{Inc: vals("points", `0.5`)}, "type", []string{"points"}},
		{"no amount", record.Edit{Inc: vals("points", `null`)}, "type", []string{"points"}},
		{"no amount in a create", record.Edit{Op: record.OpCreate, Set: vals("points", `"1"`)}, "type", []string{"points"}},
		{"more than can be counted", record.Edit{Inc: vals("points", `9007199254740991`)}, "type", []string{"points"}},
		{"both members of a group", record.Edit{Set: vals("street", `1`, "point", `2`)}, "type", []string{"street", "point"}},
		{"one member of a group", record.Edit{Set: vals("street", `"Lane 2"`, "point", `2`)}, "type", []string{"point"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := conflicts.Apply(made(t), edit(tt.edit), writeAt(ben, 6, 3))

			requireCode(t, err, tt.code, tt.fields...)
		})
	}
}

// A person corrects all that is wrong at once. The code is of the first, and
// so is the sentence.
func TestApply_namesEverythingThatIsWrong(t *testing.T) {
	t.Parallel()

	e := edit(record.Edit{
		Set:    vals("name", `7`, "stage", `"fine"`, "score", `"9"`, "street", `1`, "point", `2`),
		Remove: vals("name", `[]`), Add: vals("size", `["XXL"]`, "colour", `[]`), Inc: vals("points", `"many"`),
	})

	_, err := conflicts.Apply(made(t), e, writeAt(ben, 6, 3))

	requireCode(t, err, "type", "name", "score", "street", "point", "name", "size", "colour", "points")
	var refusal *errs.Error
	require.ErrorAs(t, err, &refusal)
	require.Contains(t, refusal.Msg, "name: ")
	require.Equal(t, "name: "+refusal.Fields[0].Detail, refusal.Msg)
}

// The server itself may write its fields, and they merge like any.
func TestApply_byTheServer(t *testing.T) {
	t.Parallel()

	rec := made(t)
	w := writeAt(ben, 6, 3)
	w.Server = true

	_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("score", `"9"`)}), w)

	require.NoError(t, err)
	require.Equal(t, `"9"`, string(rec.Raw("score")))
	_, err = conflicts.Apply(rec, edit(record.Edit{Add: vals("score", `["9"]`)}), w)
	requireCode(t, err, "not_set", "score")
}

// Slots move in memory as fields come in. Whoever holds the record from before
// keeps it as it was, and no value ends in another's slot.
func TestApply_growsTheRecordBesideItsCopies(t *testing.T) {
	t.Parallel()

	rec := made(t)
	copied := rec.Clone()
	before := stored(t, copied)

	_, err := conflicts.Apply(rec, edit(record.Edit{
		Set: vals("answers.a", `1`, "answers.b", `2`, "name", `"Bolt"`, "answers.c", `3`, "answers.d", `4`,
			"street", `"Lane 1"`, "point", `"p1"`),
		Add: vals("size", `["S"]`, "tags", `["c"]`), Inc: vals("points", `1`),
	}), writeAt(ben, 6, 3))

	require.NoError(t, err)
	require.Equal(t, before, stored(t, copied))
	require.JSONEq(t, `{"name":"Bolt","tags":["a","b","c"],"points":11,"last":5,"check_in":"here","answers.q1":true,
		"answers.a":1,"answers.b":2,"answers.c":3,"answers.d":4,"street":"Lane 1","point":"p1","size":["S"]}`, stored(t, rec))
}

// A type that loses its order is found out when a second value comes.
func TestApply_extremeWithoutAnOrder(t *testing.T) {
	t.Parallel()

	s := &record.Schema{Kinds: []*record.Kind{{Name: "odd", No: 1, Fields: []*record.Field{
		{Name: "last", Type: "text", Policy: record.Max},
	}}}}
	require.NoError(t, s.Check())
	rec := &record.Record{Kind: s.Kinds[0]}
	_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("last", `"a"`)}), writeAt(anna, 5, 2))
	require.NoError(t, err)

	_, err = conflicts.Apply(rec, edit(record.Edit{Set: vals("last", `"b"`)}), writeAt(ben, 6, 3))

	requireCode(t, err, "type", "last")
}

// Whose author says the same as a stranger is told that it was settled, not
// that anything was lost.
func TestApply_strangersWhoAgree(t *testing.T) {
	t.Parallel()

	for _, clock := range []uint64{4, 6} {
		report, err := conflicts.Apply(made(t), edit(record.Edit{Set: vals("name", `"Acme"`)}), writeAt(ben, clock, 3))

		require.NoError(t, err)
		require.True(t, report.Merged)
		require.Empty(t, report.Clashes)
		require.Empty(t, report.Was)
	}
}

// A remove that leaves an element standing, because somebody added it anew, is
// settled and not just applied.
func TestApply_removeOfWhatWasAddedAnew(t *testing.T) {
	t.Parallel()

	rec := made(t)

	report, err := conflicts.Apply(rec, edit(record.Edit{Remove: vals("tags", `["a"]`)}), writeAt(ben, 6, 3))

	require.NoError(t, err)
	require.True(t, report.Merged)
	require.Equal(t, `["a","b"]`, string(rec.Raw("tags")))
}
