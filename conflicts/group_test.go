package conflicts_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/conflicts"
	"roadbook/record"
)

var placeFields = []string{"street", "point"}

// moving draws edits that name one member of the group, or both, or none.
func moving(t *rapid.T, w *typed) record.Edit {
	e := record.Edit{Op: drawOp(t)}
	for _, field := range placeFields {
		if rapid.Bool().Draw(t, field) {
			e.Set = append(e.Set, record.Value{Field: field, Raw: drawText(t, w)})
		}
	}
	return e
}

// moves reports whether an edit writes the group.
func moves(w *typed, field string) bool {
	return (field == "street" || field == "point") && (sets(w, "street") || sets(w, "point"))
}

// unitWriter is the write that stands in the group. A member that never had a
// value has no writer.
func unitWriter(r *record.Record) record.Writer {
	var by record.Writer
	for _, slot := range r.Slots {
		if slot.By.Seq = 0; conflicts.Compare(slot.By, by) > 0 {
			by = slot.By
		}
	}
	return by
}

// A street and its point on the map belong together, whoever wins.
func TestGroup_laws(t *testing.T) {
	t.Parallel()

	whole := law{"the members are what one author had on his screen", func(t *rapid.T, history []*typed) {
		steps := settle(t, history, byPlace)
		for i, now := range steps {
			most := &step{write: &conflicts.Write{}}
			for j := range steps[:i+1] {
				if s := &steps[j]; moves(s.typed, "street") && conflicts.Compare(s.write.By, most.write.By) > 0 {
					most = s
				}
			}
			for _, field := range placeFields {
				want := most.image[field]
				if record.IsNull(want) {
					want = nil
				}
				require.Equal(t, string(want), string(now.rec.Raw(field)), "%s after %v", field, now.typed)
			}
		}
	}}

	oneDot := law{"all members have the one dot", func(t *rapid.T, history []*typed) {
		for _, now := range settle(t, history, byPlace) {
			for _, slot := range now.rec.Slots {
				require.Equal(t, now.rec.Slots[0].By, slot.By)
			}
		}
	}}

	laws(t, moving, deterministic, placeOrName, anyOrder(settled), anyOrder(unitWriter),
		repeatedAtOnce, repeatedEver(settled), repeatedEver(unitWriter), nothingLost, toldSo, knowing, notAgain(moves), whole, oneDot)
}

// All legal orders of up to four writes to a group.
func TestGroup_everyOrderOfFour(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		history := drawHistory(t, 4, moving)
		want := last(settle(t, history, byPlace)).rec

		for _, order := range orders(history) {
			got := last(settle(t, order, byName)).rec

			require.Equal(t, settled(want), settled(got), "%v", order)
			require.Equal(t, unitWriter(want), unitWriter(got), "%v", order)
		}
	})
}

// lane is a record whose place anna has written at 5: a street and its point.
func lane(t require.TestingT) *record.Record {
	rec := &record.Record{Kind: anyShop, Seq: base}
	_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("street", `"Lane 1"`, "point", `"p1"`)}), writeAt(anna, 5, 2))
	require.NoError(t, err)
	return rec
}

func TestGroup(t *testing.T) {
	t.Parallel()

	type clash struct{ field, kept, lost string }
	tests := []struct {
		name   string
		clock  uint64
		saw    record.Seq
		set    record.Values
		street string
		point  string
		by     record.ReplicaID
		clash  []clash
		was    string
		merged bool
	}{
		{
			"who had seen it writes one member, and the other stays", 6, 2, vals("street", `"Lane 2"`),
			`"Lane 2"`, `"p1"`, ben, nil, `{"street":"Lane 1"}`, false,
		},
		{
			"who had seen it writes both", 6, 2, vals("point", `"p2"`, "street", `"Lane 2"`),
			`"Lane 2"`, `"p2"`, ben, nil, `{"street":"Lane 1","point":"p1"}`, false,
		},
		{
			"a later stranger brings what he had on his screen", 6, 1, vals("street", `"Lane 2"`),
			`"Lane 2"`, `"old"`, ben,
			[]clash{{"street", `"Lane 2"`, `"Lane 1"`}, {"point", `"old"`, `"p1"`}},
			`{"street":"Lane 1","point":"p1"}`, true,
		},
		{
			"an earlier stranger is told of what he named", 4, 1, vals("street", `"Lane 2"`),
			`"Lane 1"`, `"p1"`, anna,
			[]clash{{"street", `"Lane 1"`, `"Lane 2"`}},
			`{}`, true,
		},
		{
			"an earlier stranger who named both is told of both", 4, 1, vals("street", `"Lane 2"`, "point", `null`),
			`"Lane 1"`, `"p1"`, anna,
			[]clash{{"street", `"Lane 1"`, `"Lane 2"`}, {"point", `"p1"`, `null`}},
			`{}`, true,
		},
		{
			"a member in which they agree does not clash", 6, 1, vals("street", `"Lane 1"`, "point", `"p2"`),
			`"Lane 1"`, `"p2"`, ben,
			[]clash{{"point", `"p2"`, `"p1"`}},
			`{"point":"p1"}`, true,
		},
		{
			"nor when the stranger loses", 4, 1, vals("street", `"Lane 1"`, "point", `"p2"`),
			`"Lane 1"`, `"p1"`, anna,
			[]clash{{"point", `"p1"`, `"p2"`}},
			`{}`, true,
		},
		{
			"strangers who agree do not clash, and the later has it", 6, 1, vals("street", `"Lane 1"`, "point", `"p1"`),
			`"Lane 1"`, `"p1"`, ben, nil, `{}`, true,
		},
		{
			"strangers who agree do not clash, and the earlier changes nothing",
			4, 1, vals("street", `"Lane 1"`, "point", `"p1"`),
			`"Lane 1"`, `"p1"`, anna, nil, `{}`, true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			rec := lane(t)
			w := writeAt(ben, tt.clock, 3)
			w.Seen.Log = tt.saw
			w.At = func(field string, at record.Seq) (json.RawMessage, error) {
				require.Equal(t, tt.saw, at)
				return vals("street", `"old"`, "point", `"old"`).Get(field), nil
			}

			report, err := conflicts.Apply(rec, edit(record.Edit{Set: tt.set}), w)

			require.NoError(t, err)
			require.Equal(t, []string{tt.street, tt.point}, []string{string(rec.Raw("street")), string(rec.Raw("point"))})
			require.Equal(t, tt.by, rec.Slot("street").By.Replica)
			require.Equal(t, tt.by, rec.Slot("point").By.Replica)
			var clashes []clash
			for _, c := range report.Clashes {
				clashes = append(clashes, clash{c.Field.Name, string(c.Kept), string(c.Lost)})
				require.True(t, c.Ask)
			}
			require.ElementsMatch(t, tt.clash, clashes)
			require.JSONEq(t, tt.was, string(report.Was.AppendJSON(nil)))
			require.Equal(t, tt.merged, report.Merged)
		})
	}
}

// A member that the author saw empty becomes empty again when he wins.
func TestGroup_whatWasNotThere(t *testing.T) {
	t.Parallel()

	rec := lane(t)

	_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("street", `"Lane 2"`)}), writeAt(ben, 6, 3))

	require.NoError(t, err)
	require.JSONEq(t, `{"street":"Lane 2","point":null}`, stored(t, rec))
}

// To clear what nobody has filled in is a write like another: an earlier one
// that comes after it does not stand.
func TestGroup_clearedBeforeItWasFilled(t *testing.T) {
	t.Parallel()

	rec := &record.Record{Kind: anyShop, Seq: base}
	_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("point", `null`)}), writeAt(anna, 5, 2))
	require.NoError(t, err)

	report, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("point", `"p2"`)}), writeAt(ben, 4, 3))

	require.NoError(t, err)
	require.Empty(t, settled(rec))
	require.Len(t, report.Clashes, 1)
	require.Equal(t, `"p2"`, string(report.Clashes[0].Lost))
}

// If nobody can say what the author saw, nothing is guessed.
func TestGroup_withoutItsHistory(t *testing.T) {
	t.Parallel()

	w := writeAt(ben, 6, 3)
	w.At = func(string, record.Seq) (json.RawMessage, error) { return nil, errors.New("the disk") }

	_, err := conflicts.Apply(lane(t), edit(record.Edit{Set: vals("street", `"Lane 2"`)}), w)

	requireCode(t, err, "history", "point")
}

// Fields that became a group later may have a writer each. The greatest stands
// for them.
func TestGroup_youngerThanItsFields(t *testing.T) {
	t.Parallel()

	rec := &record.Record{Kind: anyShop, Seq: base}
	*rec.Put("street") = record.Slot{Field: "street", Raw: json.RawMessage(`"Lane 1"`), By: at(anna, 1, 5)}
	*rec.Put("point") = record.Slot{Field: "point", Raw: json.RawMessage(`"p1"`), By: at(cara, 1, 7)}

	report, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("street", `"Lane 2"`, "point", `"p2"`)}), writeAt(ben, 6, 3))

	require.NoError(t, err)
	require.Len(t, report.Clashes, 2, "6 is later than one and not than both")
	require.Equal(t, map[string]string{"street": `"Lane 1"`, "point": `"p1"`}, settled(rec))
}
