package conflicts_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/conflicts"
	"roadbook/record"
)

// tagging draws edits that take tags away and add some.
func tagging(t *rapid.T, _ *typed) record.Edit {
	some := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{`"a"`, `"b"`, `"c"`}), 0, 2, rapid.ID[string])
	e := record.Edit{Op: drawOp(t)}
	adds := record.Values{{Field: "tags", Raw: raws(some.Draw(t, "adds"))}}
	if e.Op == record.OpCreate {
		e.Set = adds
		return e
	}
	e.Add = adds
	e.Remove = record.Values{{Field: "tags", Raw: raws(some.Draw(t, "removes"))}}
	return e
}

// elements are what an edit adds or removes.
func elements(t require.TestingT, parts ...record.Values) []string {
	var elems []string
	for _, vs := range parts {
		if raw := vs.Get("tags"); !record.IsNull(raw) {
			list, err := record.ParseList(raw)
			require.NoError(t, err)
			for _, e := range list {
				elems = append(elems, string(e))
			}
		}
	}
	return elems
}

// raws is a list of raw elements.
func raws(elems []string) json.RawMessage {
	return json.RawMessage("[" + strings.Join(elems, ",") + "]")
}

// listed are the elements that a record shows.
func listed(t require.TestingT, r *record.Record) []string {
	return elements(t, record.Values{{Field: "tags", Raw: r.Raw("tags")}})
}

// adds are the dots that hold each element of a set, sorted and without their
// places.
func adds(r *record.Record) map[string][]string {
	held := map[string][]string{}
	for _, s := range r.Slots {
		for _, e := range s.Elems {
			for _, w := range e.Adds {
				held[string(e.Raw)] = append(held[string(e.Raw)], fmt.Sprint(w.Replica, w.N, w.Stamp))
			}
			slices.Sort(held[string(e.Raw)])
		}
	}
	return held
}

// An add-wins set: an element is there exactly if some add of it was not seen
// by any remove of it.
func TestSet_laws(t *testing.T) {
	t.Parallel()

	addWins := law{"an element is there exactly if an add of it was seen by no remove", func(t *rapid.T, history []*typed) {
		steps := settle(t, history, byPlace)
		for i, now := range steps {
			want := []string{}
			for _, a := range steps[:i+1] {
				for _, elem := range elements(t, a.typed.edit.Set, a.typed.edit.Add) {
					removed := slices.ContainsFunc(steps[:i+1], func(r step) bool {
						return r.typed != a.typed && r.write.Covers(a.write.By) && slices.Contains(elements(t, r.typed.edit.Remove), elem)
					})
					if !removed && !slices.Contains(want, elem) {
						want = append(want, elem)
					}
				}
			}
			slices.Sort(want)
			if slot := now.rec.Slot("tags"); slot != nil || len(want) > 0 {
				require.Equal(t, string(raws(want)), string(slot.Raw), "after %v", now.typed)
			}
		}
	}}

	shape := law{"the list is sorted, says each element once, and each is held by an add", func(t *rapid.T, history []*typed) {
		for _, now := range settle(t, history, byPlace) {
			slot := now.rec.Slot("tags")
			if slot == nil {
				continue
			}
			var list []string
			for _, e := range slot.Elems {
				list = append(list, string(e.Raw))
				require.NotEmpty(t, e.Adds)
				for i, a := range e.Adds {
					require.False(t, slices.ContainsFunc(e.Adds[:i], a.Same), "an add is held once")
				}
			}
			require.True(t, slices.IsSorted(list))
			require.Len(t, slices.Compact(slices.Clone(list)), len(list))
			require.Equal(t, string(raws(list)), string(slot.Raw))
		}
	}}

	kept := law{"every element that was added is there or in history", func(t *rapid.T, history []*typed) {
		steps := settle(t, history, byPlace)
		var was []string
		for _, s := range steps {
			was = append(was, elements(t, s.report.Was)...)
		}
		for _, w := range history {
			for _, elem := range elements(t, w.edit.Set, w.edit.Add) {
				require.Contains(t, append(was, listed(t, last(steps).rec)...), elem)
			}
		}
	}}

	told := law{"whose remove left an element standing is told", func(t *rapid.T, history []*typed) {
		for _, s := range settle(t, history, byPlace) {
			for _, elem := range elements(t, s.typed.edit.Remove) {
				again := slices.Contains(elements(t, s.typed.edit.Add), elem)
				if !again && slices.Contains(listed(t, s.rec), elem) {
					require.True(t, s.report.Merged)
				}
			}
		}
	}}

	laws(t, tagging, deterministic, placeOrName, anyOrder(settled), anyOrder(adds), repeatedAtOnce, addWins, shape, kept, told)
}

// All legal orders of up to four edits of a set.
func TestSet_everyOrderOfFour(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		history := drawHistory(t, 4, tagging)
		want := last(settle(t, history, byPlace)).rec

		for _, order := range orders(history) {
			got := last(settle(t, order, byName)).rec

			require.Equal(t, settled(want), settled(got), "%v", order)
			require.Equal(t, adds(want), adds(got), "%v", order)
		}
	})
}

func TestAdd(t *testing.T) {
	t.Parallel()

	slot := record.Slot{Field: "tags"}
	add := func(elem string, by record.Writer, seen ...record.Writer) {
		conflicts.Add(&slot, json.RawMessage(elem), &conflicts.Write{By: by, Seen: conflicts.Seen{Dots: dots(seen)}})
	}

	add(`"b"`, at(anna, 1, 1))
	add(`"a"`, at(ben, 1, 2))
	add(`"b"`, at(ben, 2, 3))
	add(`"a"`, at(cara, 1, 4), at(ben, 1, 2))

	require.Equal(t, `["a","b"]`, string(slot.Raw))
	require.Equal(t, []record.Elem{
		{Raw: json.RawMessage(`"a"`), Adds: []record.Writer{at(cara, 1, 4)}},
		{Raw: json.RawMessage(`"b"`), Adds: []record.Writer{at(anna, 1, 1), at(ben, 2, 3)}},
	}, slot.Elems, "an add replaces those that its author had seen and stands beside the others")
	require.Equal(t, at(cara, 1, 4), slot.By)
}

func TestRemove(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name string
		elem string
		seen []record.Writer
		gone bool
		want string
	}{
		{"what its author had seen goes", `"a"`, []record.Writer{at(anna, 1, 1)}, true, `["b"]`},
		{"what he had not seen stays", `"a"`, nil, false, `["a","b"]`},
		{"what was added by two stays if he saw one", `"b"`, []record.Writer{at(anna, 1, 1)}, false, `["a","b"]`},
		{"what was added by two goes if he saw both", `"b"`, []record.Writer{at(anna, 1, 1), at(ben, 1, 2)}, true, `["a"]`},
		{"what is not there is gone", `"c"`, nil, true, `["a","b"]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			slot := record.Slot{Field: "tags"}
			conflicts.Add(&slot, json.RawMessage(`"a"`), &conflicts.Write{By: at(anna, 1, 1)})
			conflicts.Add(&slot, json.RawMessage(`"b"`), &conflicts.Write{By: at(anna, 1, 1)})
			conflicts.Add(&slot, json.RawMessage(`"b"`), &conflicts.Write{By: at(ben, 1, 2)})

			w := &conflicts.Write{By: at(cara, 1, 3), Seen: conflicts.Seen{Dots: dots(tt.seen)}}

			gone := conflicts.Remove(&slot, json.RawMessage(tt.elem), w)

			require.Equal(t, tt.gone, gone)
			require.Equal(t, tt.want, string(slot.Raw))
			require.Equal(t, at(cara, 1, 3), slot.By, "it changed the set, if only its dots")
		})
	}
}

// A remove from a set that nobody has filled leaves an empty list, not nothing.
func TestRemove_fromNothing(t *testing.T) {
	t.Parallel()

	slot := record.Slot{Field: "tags"}

	require.True(t, conflicts.Remove(&slot, json.RawMessage(`"a"`), &conflicts.Write{By: at(anna, 1, 1)}))

	require.Equal(t, "[]", string(slot.Raw))
}

// Whoever holds a copy of the record from before keeps what he had.
func TestSet_leavesCopiesAlone(t *testing.T) {
	t.Parallel()

	rec := record.Record{Kind: anyShop, Seq: base}
	_, err := conflicts.Apply(&rec, edit(record.Edit{Add: vals("tags", `["a","b","c"]`)}), writeAt(anna, 1, 2))
	require.NoError(t, err)
	copied := rec.Clone()
	before := fmt.Sprint(*copied)

	for i, e := range []record.Edit{
		{Add: vals("tags", `["aa","b"]`)},
		{Remove: vals("tags", `["a"]`)},
		{Remove: vals("tags", `["b"]`)},
		{Remove: vals("tags", `["x"]`)},
	} {
		w := writeAt(ben, 2, record.Seq(3+i))
		w.Seen.Log = w.By.Seq
		_, err = conflicts.Apply(&rec, edit(e), w)
		require.NoError(t, err)
	}

	require.Equal(t, `["aa","c"]`, string(rec.Raw("tags")))
	require.Equal(t, before, fmt.Sprint(*copied))
}

// A set holds MaxElements and not one more, wherever they come from.
func TestSet_limit(t *testing.T) {
	t.Parallel()

	many := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = strconv.Quote("tag " + strconv.Itoa(i))
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	for _, made := range []record.Edit{
		{Op: record.OpCreate, Set: vals("tags", many(conflicts.MaxElements))},
		{Add: vals("tags", many(conflicts.MaxElements))},
	} {
		rec := record.Record{Kind: anyShop, Seq: base}
		_, err := conflicts.Apply(&rec, edit(made), writeAt(anna, 1, 2))
		require.NoError(t, err)

		_, same := conflicts.Apply(rec.Clone(), edit(record.Edit{Add: vals("tags", `["tag 7"]`)}), writeAt(ben, 2, 3))
		_, more := conflicts.Apply(rec.Clone(), edit(record.Edit{Add: vals("tags", `["one more"]`)}), writeAt(ben, 2, 3))
		instead := writeAt(ben, 2, 3)
		instead.Seen.Log = 2
		_, swapped := conflicts.Apply(rec.Clone(), edit(record.Edit{
			Add: vals("tags", `["one more"]`), Remove: vals("tags", `["tag 7"]`),
		}), instead)

		require.NoError(t, same, "it is there already")
		requireCode(t, more, "size", "tags")
		require.NoError(t, swapped, "what goes makes room for what comes")
	}
	for _, made := range []record.Edit{
		{Op: record.OpCreate, Set: vals("tags", many(conflicts.MaxElements+1))},
		{Add: vals("tags", many(conflicts.MaxElements+1))},
	} {
		_, err := conflicts.Apply(&record.Record{Kind: anyShop}, edit(made), writeAt(anna, 1, 2))
		requireCode(t, err, "size", "tags")
	}
}

func dots(writers []record.Writer) vector {
	v := vector{}
	for _, w := range writers {
		v[w.Replica] = max(v[w.Replica], w.N)
	}
	return v
}
