package conflicts_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/conflicts"
	"roadbook/record"
)

// greatest is the write of a field that comes last in the order of Compare.
func greatest(steps []step, field string) *step {
	var most *step
	for i := range steps {
		if s := &steps[i]; sets(s.typed, field) && (most == nil || conflicts.Compare(s.write.By, most.write.By) > 0) {
			most = s
		}
	}
	return most
}

// The greatest of all writes stands in the field, and is what everyone settles
// on.
var greatestStands = law{"the greatest write stands", func(t *rapid.T, history []*typed) {
	steps := settle(t, history, byPlace)
	for i, now := range steps {
		for _, slot := range now.rec.Slots {
			most := greatest(steps[:i+1], slot.Field)
			require.Equal(t, string(most.typed.edit.Set.Get(slot.Field)), string(slot.Raw))
			require.Equal(t, most.write.By, slot.By)
		}
	}
}}

// The laws of the plain policies. The server's own fields are plain to the
// server, and a key of a map is a field like another.
func TestLWW_laws(t *testing.T) {
	t.Parallel()

	for _, field := range []string{"name", "stage", "score", "answers.q7"} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()

			laws(t, setting(field, drawText), deterministic, placeOrName, anyOrder(settled), anyOrder(winners),
				repeatedAtOnce, repeatedEver(settled), repeatedEver(winners), nothingLost, toldSo, knowing, notAgain(sets), greatestStands)
		})
	}
}

// All legal orders of up to four writes, after the model that found that
// lifting a stamp above nothing but the present value is not enough.
func TestLWW_everyOrderOfFour(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		history := drawHistory(t, 4, setting("name", drawText))
		want := last(settle(t, history, byPlace)).rec

		for _, order := range orders(history) {
			got := last(settle(t, order, byName)).rec

			require.Equal(t, settled(want), settled(got), "%v", order)
			require.Equal(t, winners(want), winners(got), "%v", order)
		}
	})
}

// A person is asked only where the schema wants it, and then whoever comes
// first.
func TestLWW_whoIsAsked(t *testing.T) {
	t.Parallel()

	for field, asks := range map[string]bool{"name": false, "stage": true} {
		for _, late := range []uint64{1, 2} {
			rec := record.Record{Kind: anyShop, Seq: base}
			early, other := writeAt(1, late, 2), writeAt(2, 2, 3)
			_, err := conflicts.Apply(&rec, edit(record.Edit{Set: vals(field, `"red"`)}), early)
			require.NoError(t, err)

			report, err := conflicts.Apply(&rec, edit(record.Edit{Set: vals(field, `"blue"`)}), other)

			require.NoError(t, err)
			require.Len(t, report.Clashes, 1)
			require.Equal(t, asks, report.Clashes[0].Ask)
			require.True(t, report.Merged)
		}
	}
}

// The order of writes is total: by stamp, then replica, then number.
func TestCompare(t *testing.T) {
	t.Parallel()

	inOrder := []record.Writer{
		{},
		at(1, 1, 1), at(1, 2, 1), at(2, 1, 1), at(1, 1, 2), at(1, 3, 2),
	}
	for i, a := range inOrder {
		for j, b := range inOrder {
			got := conflicts.Compare(a, b)

			require.Equal(t, i > j, got > 0, "%v %v", a, b)
			require.Equal(t, i == j, got == 0, "%v %v", a, b)
		}
	}
}

func TestLWW_verdicts(t *testing.T) {
	t.Parallel()

	sawAnna := conflicts.Seen{Dots: vector{anna: 1}}
	tests := []struct {
		name  string
		value string // that ben writes, where anna has written "red" at 5
		clock int64
		seen  conflicts.Seen
		want  conflicts.Verdict
		field string // what is there then
		by    record.ReplicaID
	}{
		{"a reply stands without a clash", `"blue"`, 6, sawAnna, conflicts.Took, `"blue"`, ben},
		{"a reply that says the same stands too", `"red"`, 6, sawAnna, conflicts.Took, `"red"`, ben},
		{"between strangers the later stands", `"blue"`, 6, conflicts.Seen{}, conflicts.Beat, `"blue"`, ben},
		{"between strangers the earlier is lost", `"blue"`, 4, conflicts.Seen{}, conflicts.Lost, `"red"`, anna},
		{"a tie falls to the greater name", `"blue"`, 5, conflicts.Seen{}, conflicts.Beat, `"blue"`, ben},
		{
			"strangers who agree do not clash, and the later has it",
			`"red"`, 6,
			conflicts.Seen{},
			conflicts.Agreed, `"red"`, ben,
		},
		{"strangers who agree do not clash, whoever is first", `"red"`, 4, conflicts.Seen{}, conflicts.Agreed, `"red"`, anna},
		{"to clear is to write", `null`, 6, conflicts.Seen{}, conflicts.Beat, `null`, ben},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			slot := record.Slot{Field: "name", Raw: json.RawMessage(`"red"`), By: at(anna, 1, 5)}

			got := conflicts.LWW(&slot, json.RawMessage(tt.value), &conflicts.Write{By: at(ben, 1, tt.clock), Seen: tt.seen})

			require.Equal(t, tt.want, got)
			require.Equal(t, tt.field, string(slot.Raw))
			require.Equal(t, tt.by, slot.By.Replica)
		})
	}
}

// A field that was cleared and one that was never set say the same.
func TestLWW_nothingIsNothing(t *testing.T) {
	t.Parallel()

	slot := record.Slot{Field: "name", By: at(anna, 1, 5)}

	got := conflicts.LWW(&slot, json.RawMessage("null"), &conflicts.Write{By: at(ben, 1, 4)})

	require.Equal(t, conflicts.Agreed, got)
}
