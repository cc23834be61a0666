package conflicts_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/conflicts"
	"roadbook/record"
)

// answering draws edits that answer some questions of a form.
func answering(t *rapid.T, w *typed) record.Edit {
	e := record.Edit{Op: drawOp(t)}
	for _, field := range []string{"answers.q1", "answers.q2", "answers.q.3"} {
		if rapid.Bool().Draw(t, field) {
			e.Set = append(e.Set, record.Value{Field: field, Raw: drawText(t, w)})
		}
	}
	return e
}

// Each key of a map merges as a field of its own.
func TestMap_laws(t *testing.T) {
	t.Parallel()

	alone := law{"each key settles as if it were alone", func(t *rapid.T, history []*typed) {
		together := last(settle(t, history, byPlace)).rec

		for _, field := range []string{"answers.q1", "answers.q2", "answers.q.3"} {
			var only []*typed
			for _, w := range history {
				one := *w
				one.edit.Set = nil
				if raw := w.edit.Set.Get(field); raw != nil {
					one.edit.Set = vals(field, string(raw))
				}
				only = append(only, &one)
			}
			require.Equal(t, together.Slot(field), last(settle(t, only, byPlace)).rec.Slot(field))
		}
	}}

	laws(t, answering, deterministic, placeOrName, anyOrder(settled), anyOrder(winners),
		repeatedAtOnce, repeatedEver(settled), repeatedEver(winners), nothingLost, toldSo, knowing, notAgain(sets), greatestStands, alone)
}

// A map itself is no field, and a key that cannot be one is unknown.
func TestMap_isSetKeyByKey(t *testing.T) {
	t.Parallel()

	for _, field := range []string{"answers", "answers.", `answers."`, "name.x", ".q1"} {
		rec := record.Record{Kind: anyShop}

		_, err := conflicts.Apply(&rec, edit(record.Edit{Set: vals(field, `{"q1":1}`)}), writeAt(anna, 1, 2))

		requireCode(t, err, "unknown_field", field)
	}
}
