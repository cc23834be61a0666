package conflicts_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/record/field"
)

// rowID is the id of a row that tests call by a letter.
func rowID(name string) string {
	return record.MustID("0190aaaa-0000-7000-8000-00000000000a").Derive(name).String()
}

// rowsOf is a list of rows as a client sends it: "a:2 b" are row a with a
// quantity of 2, and row b without one. "a:2:x" has a remark, too.
func rowsOf(text string) json.RawMessage {
	var rows []string
	for _, word := range strings.Fields(text) {
		parts := strings.Split(word, ":")
		row := `{"id":"` + rowID(parts[0]) + `","name":"` + parts[0] + `"`
		if len(parts) > 1 && parts[1] != "" {
			row += `,"qty":"` + parts[1] + `"`
		}
		if len(parts) > 2 {
			row += `,"remark":"` + parts[2] + `"`
		}
		rows = append(rows, row+"}")
	}
	return json.RawMessage("[" + strings.Join(rows, ",") + "]")
}

// shownLines is a stored list in the words of rowsOf.
func shownLines(t require.TestingT, raw json.RawMessage) string {
	var rows []map[string]string
	if !record.IsNull(raw) {
		require.NoError(t, json.Unmarshal(raw, &rows))
	}
	var out []string
	for i, r := range rows {
		require.True(t, field.IsPosition(r["pos"]), "%v", r)
		if i > 0 {
			before := rows[i-1]
			require.True(t, before["pos"] < r["pos"] || before["pos"] == r["pos"] && before["id"] < r["id"], "they are stored as they stand")
		}
		word := r["name"]
		if r["qty"] != "" || r["remark"] != "" {
			word += ":" + r["qty"]
		}
		if r["remark"] != "" {
			word += ":" + r["remark"]
		}
		out = append(out, word)
	}
	return strings.Join(out, " ")
}

// withLines is a record on whose list everybody has seen these rows.
func withLines(t require.TestingT, text string) *record.Record {
	rec := &record.Record{Kind: anyShop}
	_, err := conflicts.Apply(rec, edit(record.Edit{Op: record.OpCreate, Set: vals("lines", string(rowsOf(text)))}), writeAt(cara, 1, 2))
	require.NoError(t, err)
	rec.Seq = 2
	return rec
}

// both has anna and ben each make something of one list, in an order, and
// returns the list then and what the second was told.
func both(t require.TestingT, base string, said map[record.ReplicaID]string, order ...record.ReplicaID) (string, conflicts.Report) {
	rec := withLines(t, base)
	seen := rec.Raw("lines")
	var report conflicts.Report
	for place, who := range order {
		w := writeAt(who, map[record.ReplicaID]uint64{anna: 5, ben: 6}[who], record.Seq(3+place))
		w.Seen.Log = 2
		w.At = func(string, record.Seq) (json.RawMessage, error) { return seen, nil }
		var err error
		report, err = conflicts.Apply(rec, edit(record.Edit{Set: vals("lines", string(rowsOf(said[who])))}), w)
		require.NoError(t, err)
		rec = reloaded(t, rec)
	}
	return shownLines(t, rec.Raw("lines")), report
}

func TestList(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name, base, anna, ben, want string
		told, asked                 bool
	}{
		{"one has done nothing", "a b", "a b", "a b c", "a b c", false, false},
		{"both have added", "a", "a b", "a c", "", false, false},
		{"each another row", "a:1 b:1", "a:2 b:1", "a:1 b:2", "a:2 b:2", false, false},
		{"each another column of a row", "a:1", "a:2", "a:1:x", "a:2:x", false, false},
		{"the same column: the later", "a:1", "a:2", "a:3", "a:3", true, false},
		{"both the same", "a:1", "a:2", "a:2", "a:2", false, false},
		{"one deletes what the other leaves", "a b", "a", "a b:2", "a b:2", true, true},
		{"one deletes a row, the other edits another", "a b", "a", "a:2 b", "a:2", false, false},
		{"both delete", "a b", "a", "a", "a", false, false},
		{"one moves, the other edits", "a b c", "c a b", "a b c:2", "c:2 a b", false, false},
		{"one moves a row that the other deletes", "a b c", "c a b", "a b", "a b", false, false},
		{"both move the same row: where the later has put it", "a b c d", "d a b c", "a d b c", "a d b c", false, false},
		{"one puts in, the other moves", "a b c", "a x b c", "c a b", "c a x b", false, false},
		{"all is gone on one side", "a b", "", "a b c", "c", false, false},
		{"the same row added by both", "a", "a x:1", "a x:2", "a x:2", true, false},
		{"a list where none was", "", "a", "b", "", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			said := map[record.ReplicaID]string{anna: tt.anna, ben: tt.ben}
			one, report := both(t, tt.base, said, anna, ben)
			other, reverse := both(t, tt.base, said, ben, anna)

			require.Equal(t, one, other, "whoever comes first")
			if tt.want != "" {
				require.Equal(t, tt.want, one)
			}
			for _, r := range []conflicts.Report{report, reverse} {
				require.Equal(t, tt.told, len(r.Clashes) == 1)
				require.Equal(t, tt.asked, len(r.Clashes) == 1 && r.Clashes[0].Ask)
			}
		})
	}
}

// drawRows makes something of a list: rows go, change, move and come.
func drawRows(t *rapid.T, base, who string) string {
	var out []string
	for _, word := range strings.Fields(base) {
		switch rapid.IntRange(0, 4).Draw(t, "what becomes of "+word) {
		case 0:
		case 1:
			out = append(out, strings.Split(word, ":")[0]+":"+who)
		default:
			out = append(out, word)
		}
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "new") {
		at := rapid.IntRange(0, len(out)).Draw(t, "where")
		out = slices.Insert(out, at, fmt.Sprintf("%s%d:%s", who, i, who))
	}
	if rapid.Bool().Draw(t, "moves") && len(out) > 1 {
		last := out[len(out)-1]
		out = append([]string{last}, out[:len(out)-1]...)
	}
	return strings.Join(out, " ")
}

func TestList_laws(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		base := strings.Join([]string{"a:1", "b:1", "c:1", "d:1"}[:rapid.IntRange(0, 4).Draw(t, "rows")], " ")
		said := map[record.ReplicaID]string{anna: drawRows(t, base, "anna"), ben: drawRows(t, base, "ben")}

		one, report := both(t, base, said, anna, ben)
		other, reverse := both(t, base, said, ben, anna)

		require.Equal(t, one, other, "order of arrival")
		require.Len(t, reverse.Clashes, len(report.Clashes))
		for who, text := range said {
			mark := map[record.ReplicaID]string{anna: "anna", ben: "ben"}[who]
			for _, word := range strings.Fields(text) {
				name := strings.Split(word, ":")[0]
				switch {
				case !strings.HasSuffix(word, ":"+mark):
				case strings.HasPrefix(name, mark):
					require.Contains(t, strings.Fields(one), word, "what was put in is there")
				default:
					require.Contains(t, one, name+":", "what was edited is not gone")
				}
			}
		}
		alone, report := both(t, base, map[record.ReplicaID]string{anna: said[anna], ben: base}, anna, ben)
		require.Equal(t, said[anna], alone, "what one has left alone is as the other made it")
		require.Empty(t, report.Clashes)
	})
}

// The same write twice changes nothing, and who has read the list replaces it.
func TestList_knowing(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		rec := withLines(t, "a b c")
		text := drawRows(t, "a b c", "ben")
		w := writeAt(ben, 9, 3)
		w.Seen.Log = 2
		for range 2 {
			report, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("lines", string(rowsOf(text)))}), w)
			require.NoError(t, err)
			require.False(t, report.Merged)
			require.Equal(t, text, shownLines(t, rec.Raw("lines")))
		}
	})
}

// Who moves one row changes the position of that one.
func TestList_moves(t *testing.T) {
	t.Parallel()

	rec := withLines(t, "a b c d e")
	was := positions(t, rec)
	w := writeAt(ben, 9, 3)
	w.Seen.Log = 2
	_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("lines", string(rowsOf("a e b c d")))}), w)
	require.NoError(t, err)

	now := positions(t, rec)

	require.NotEqual(t, was["e"], now["e"])
	delete(was, "e")
	delete(now, "e")
	require.Equal(t, was, now)
}

// A hundred rows that are put into ever the same place find room.
func TestList_sameplace(t *testing.T) {
	t.Parallel()

	rec, text := withLines(t, "a b"), "b"
	for i := range field.MaxRows - 2 {
		text = fmt.Sprintf("x%d ", i) + text
		w := writeAt(ben, 9, record.Seq(3+i))
		w.Seen.Log = record.Seq(2 + i)
		_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("lines", string(rowsOf("a "+text)))}), w)
		require.NoError(t, err)
		require.Equal(t, "a "+text, shownLines(t, rec.Raw("lines")))
		rec.Seq = w.By.Seq
	}
}

func positions(t require.TestingT, rec *record.Record) map[string]string {
	var rows []map[string]string
	require.NoError(t, json.Unmarshal(rec.Raw("lines"), &rows))
	out := map[string]string{}
	for _, r := range rows {
		out[r["name"]] = r["pos"]
	}
	return out
}

// Somebody who goes on without a network builds on what he typed, and not on
// what that was merged with.
func TestList_ownOnTop(t *testing.T) {
	t.Parallel()

	rec := withLines(t, "a")
	seen := rec.Raw("lines")
	screens := map[record.ReplicaID]json.RawMessage{anna: seen, ben: seen}
	for place, s := range []struct {
		by   record.ReplicaID
		n    uint64
		text string
	}{{ben, 2, "a b"}, {anna, 2, "a x"}, {anna, 3, "y a x"}, {ben, 3, "a b:2"}, {anna, 4, "y a"}} {
		w := writeAt(s.by, 5, record.Seq(3+place))
		w.By.N, w.Seen.Log = s.n, 2
		w.At = func(string, record.Seq) (json.RawMessage, error) { return screens[s.by], nil }
		report, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("lines", string(rowsOf(s.text)))}), w)
		require.NoError(t, err)
		require.Empty(t, report.Clashes)
		screens[s.by], err = anyShop.Field("lines").Check(rowsOf(s.text))
		require.NoError(t, err)
		rec = reloaded(t, rec)
	}

	require.Equal(t, "y a b:2", shownLines(t, rec.Raw("lines")))
}

// Where both lists together would be too long, the later stands whole and a
// person is asked.
func TestList_tooMany(t *testing.T) {
	t.Parallel()

	many := func(from, n int) string {
		var words []string
		for i := range n {
			words = append(words, fmt.Sprintf("r%d", from+i))
		}
		return strings.Join(words, " ")
	}
	half := field.MaxRows / 2
	_, fits := both(t, "", map[record.ReplicaID]string{anna: many(0, half), ben: many(half, half)}, anna, ben)
	require.Empty(t, fits.Clashes)
	for _, order := range [][]record.ReplicaID{{anna, ben}, {ben, anna}} {
		got, report := both(t, "", map[record.ReplicaID]string{anna: many(0, half), ben: many(half, half+1)}, order...)
		require.Len(t, report.Clashes, 1)
		require.True(t, report.Clashes[0].Ask)
		require.Len(t, strings.Fields(got), half+1)
	}
}

// A field that was lww once has rows without positions, and they get some.
func TestList_fromAnotherPolicy(t *testing.T) {
	t.Parallel()

	for _, order := range [][]record.ReplicaID{{anna, ben}, {ben, anna}} {
		rec := &record.Record{Kind: anyShop, Seq: 2, Slots: []record.Slot{{Field: "lines", Raw: rowsOf("a b"), By: at(cara, 1, 1)}}}
		for place, who := range order {
			w := writeAt(who, 5, record.Seq(3+place))
			w.Seen.Log = 2
			w.At = func(string, record.Seq) (json.RawMessage, error) { return rowsOf("a b"), nil }
			text := map[record.ReplicaID]string{anna: "a x b", ben: "b a:2"}[who]
			_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("lines", string(rowsOf(text)))}), w)
			require.NoError(t, err)
		}
		require.ElementsMatch(t, []string{"a:2", "x", "b"}, strings.Fields(shownLines(t, rec.Raw("lines"))))
	}
}

// FuzzList merges what anybody sends as a list: it is refused, or what is stored
// is a list with a place for each row.
func FuzzList(f *testing.F) {
	f.Add([]byte(rowsOf("a:1 b")), []byte(rowsOf("b a:2")), []byte(rowsOf("a")))
	f.Add([]byte(`[{"id":"`+rowID("a")+`","pos":"zzzz0"}]`), []byte(`null`), []byte(`[{"id":"`+rowID("a")+`","pos":7,"x":{"y":null}}]`))
	f.Fuzz(func(t *testing.T, base, a, b []byte) {
		rec := &record.Record{Kind: anyShop, Seq: 2}
		if checked, err := anyShop.Field("lines").Check(base); err == nil {
			rec.Slots = []record.Slot{{Field: "lines", Raw: checked, By: at(cara, 1, 1)}}
		}
		was := rec.Raw("lines")
		for i, raw := range [][]byte{a, b} {
			w := writeAt(record.ReplicaID(i+1), 5, record.Seq(3+i))
			w.Seen.Log = 2
			w.At = func(string, record.Seq) (json.RawMessage, error) { return was, nil }
			next := rec.Clone()
			if _, err := conflicts.Apply(next, edit(record.Edit{Set: vals("lines", string(raw))}), w); err != nil {
				continue
			}
			rec = reloaded(t, next)
			if stands := rec.Raw("lines"); stands != nil {
				again, err := anyShop.Field("lines").Check(stands)
				require.NoError(t, err)
				require.Equal(t, string(stands), string(again))
			}
		}
	})
}
