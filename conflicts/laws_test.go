package conflicts_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/conflicts"
	"roadbook/record"
)

// settled is what everybody sees of a record: the values that are there.
func settled(r *record.Record) map[string]string {
	values := map[string]string{}
	for _, s := range r.Slots {
		if raw := r.Raw(s.Field); raw != nil {
			values[s.Field] = string(raw)
		}
	}
	return values
}

// winners are the writes that stand in the fields, without their places.
func winners(r *record.Record) map[string]record.Writer {
	by := map[string]record.Writer{}
	for _, s := range r.Slots {
		s.By.Seq = 0
		by[s.Field] = s.By
	}
	return by
}

// lost are the values of a field that were replaced or not taken, as history
// and the clashes tell.
func lost(steps []step, field string) []string {
	var values []string
	for _, s := range steps {
		values = append(values, string(s.report.Was.Get(field)))
		for _, c := range s.report.Clashes {
			if c.Field.Name == field {
				values = append(values, string(c.Lost))
			}
		}
	}
	return values
}

// law is a property of a history.
type law struct {
	name  string
	holds func(t *rapid.T, history []*typed)
}

// laws checks each law on histories of its own.
func laws(t *testing.T, edit editor, all ...law) {
	t.Helper()
	for _, l := range all {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()

			rapid.Check(t, func(t *rapid.T) { l.holds(t, drawHistory(t, 10, edit)) })
		})
	}
}

// deterministic: the same writes in the same order come to the same, to the
// last byte, and nothing that was handed in has changed.
var deterministic = law{"the same input gives the same answer", func(t *rapid.T, history []*typed) {
	before := fmt.Sprint(history)

	once, again := settle(t, history, byPlace), settle(t, history, byPlace)

	require.Equal(t, before, fmt.Sprint(history))
	for i := range once {
		require.Equal(t, once[i].rec, again[i].rec)
		require.Equal(t, once[i].report, again[i].report)
	}
}}

// placeOrName: {"log": s} and the same spelled out always get the same verdict.
var placeOrName = law{"a place in the log says the same as its writers by name", func(t *rapid.T, history []*typed) {
	place, name := settle(t, history, byPlace), settle(t, history, byName)

	for i := range place {
		require.Equal(t, place[i].write.By, name[i].write.By, "the stamp of %v", history[i])
		require.Equal(t, place[i].report, name[i].report, "the verdict on %v", history[i])
		require.Equal(t, place[i].rec, name[i].rec)
	}
}}

// anyOrder: order of arrival changes nothing of what a view shows.
func anyOrder[V any](view func(*record.Record) V) law {
	return law{"order of arrival changes nothing", func(t *rapid.T, history []*typed) {
		otherwise := drawOrder(t, history)

		one, other := settle(t, history, byPlace), settle(t, otherwise, byName)

		require.Equal(t, view(last(one).rec), view(last(other).rec), "%v\n%v", history, otherwise)
	}}
}

// repeatedAtOnce: a write that comes twice running is one.
var repeatedAtOnce = law{"what comes twice running counts once", func(t *rapid.T, history []*typed) {
	for _, s := range settle(t, history, byPlace) {
		again := s.rec.Clone()

		_, err := conflicts.Apply(again, &s.typed.edit, s.write)

		require.NoError(t, err)
		require.Equal(t, s.rec.Slots, again.Slots)
	}
}}

// repeatedEver: nor does it matter what came in between.
func repeatedEver[V any](view func(*record.Record) V) law {
	return law{"what comes again later changes nothing", func(t *rapid.T, history []*typed) {
		steps := settle(t, history, byPlace)
		for _, s := range steps {
			again := last(steps).rec.Clone()

			_, err := conflicts.Apply(again, &s.typed.edit, s.write)

			require.NoError(t, err)
			require.Equal(t, view(last(steps).rec), view(again), "%v came again", s.typed)
		}
	}}
}

// nothingLost: every value that anyone typed is there, in history, or in a
// clash.
var nothingLost = law{"nothing is lost in silence", func(t *rapid.T, history []*typed) {
	steps := settle(t, history, byPlace)

	for _, w := range history {
		for _, v := range w.edit.Set {
			if !record.IsNull(v.Raw) && settled(last(steps).rec)[v.Field] != string(v.Raw) {
				require.Contains(t, lost(steps, v.Field), string(v.Raw), "typed by %v", w)
			}
		}
	}
}}

// toldSo: whose value does not stand when it has arrived is told at once.
var toldSo = law{"whoever loses is told", func(t *rapid.T, history []*typed) {
	for _, s := range settle(t, history, byPlace) {
		for _, v := range s.typed.edit.Set {
			stands := settled(s.rec)[v.Field]
			if record.IsNull(v.Raw) || stands == string(v.Raw) {
				continue
			}
			require.True(t, s.report.Merged)
			require.True(t, slices.ContainsFunc(s.report.Clashes, func(c conflicts.Clash) bool {
				return c.Field.Name == v.Field && string(c.Lost) == string(v.Raw) && c.LostBy == s.write.By &&
					string(c.Kept) == cmp.Or(stands, "null")
			}), "%v was not told about %s: %v", s.typed, v.Field, s.report.Clashes)
		}
	}
}}

// knowing: to replace what one has read is no clash.
var knowing = law{"only strangers clash", func(t *rapid.T, history []*typed) {
	for _, s := range settle(t, history, byPlace) {
		for _, c := range s.report.Clashes {
			other := c.KeptBy
			if c.KeptBy == s.write.By {
				other = c.LostBy
			}
			require.False(t, s.write.Covers(other), "%v knew %v", s.typed, other)
		}
	}
}}

// notAgain: what somebody had read and replaced never comes back, not even
// for a moment.
func notAgain(writes func(*typed, string) bool) law {
	return law{"what its author had read is never resurrected", func(t *rapid.T, history []*typed) {
		steps := settle(t, history, byPlace)
		for i, now := range steps {
			for _, slot := range now.rec.Slots {
				for _, s := range steps[:i+1] {
					if writes(s.typed, slot.Field) && !s.write.By.Same(slot.By) {
						require.False(t, s.write.Covers(slot.By),
							"%s of %v stands, which %v had read", slot.Field, slot.By, s.typed)
					}
				}
			}
		}
	}}
}

// sets reports whether an edit gives a field a value or clears it. A create
// with nothing in a field says nothing about it.
func sets(w *typed, field string) bool {
	raw := w.edit.Set.Get(field)
	return raw != nil && (w.edit.Op != record.OpCreate || !record.IsNull(raw))
}

// drawOp is an edit, now and then a create of what is there already.
func drawOp(t *rapid.T) record.Op {
	return rapid.SampledFrom([]record.Op{record.OpEdit, record.OpEdit, record.OpCreate}).Draw(t, "op")
}

// drawText is one of few values, so that people agree at times, one that
// nobody else types, or nothing.
func drawText(t *rapid.T, w *typed) json.RawMessage {
	own := fmt.Sprintf(`"%d:%d"`, w.by, w.n)
	return json.RawMessage(rapid.SampledFrom([]string{own, `"red"`, `"blue"`, `null`}).Draw(t, "value"))
}

// setting draws edits that set one field.
func setting(field string, draw func(*rapid.T, *typed) json.RawMessage) editor {
	return func(t *rapid.T, w *typed) record.Edit {
		return record.Edit{Op: drawOp(t), Set: record.Values{{Field: field, Raw: draw(t, w)}}}
	}
}
