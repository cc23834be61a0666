package conflicts_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/conflicts"
	"roadbook/record"
)

func drawStep(t *rapid.T, _ *typed) json.RawMessage {
	return quoted(rapid.SampledFrom(steps).Draw(t, "step"))
}

func TestState_laws(t *testing.T) {
	t.Parallel()

	laws(t, setting("step", drawStep), deterministic, placeOrName, anyOrder(settled), repeatedAtOnce,
		nothingLost, toldSo, knowing, asModel("step"), replacedForGood("step"))
}

// All legal orders of up to four writes end the same.
func TestState_everyOrderOfFour(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		history := drawHistory(t, 4, setting("step", drawStep))
		want := last(settle(t, history, byPlace)).rec
		for _, order := range orders(history) {
			require.Equal(t, settled(want), settled(last(settle(t, order, byName)).rec), "%v", order)
		}
	})
}

// What is stored of versions comes back from the database, so that a later
// write meets the same.
func TestState_reloaded(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		for _, s := range settle(t, drawHistory(t, 6, setting("step", drawStep)), byPlace) {
			reloaded(t, s.rec)
		}
	})
}

// meets has each of some steps arrive from a phone of its own, all typed with
// start on the screen, and returns what stands and what the last was told.
func meets(t require.TestingT, start string, said ...string) (stands string, report conflicts.Report) {
	rec := &record.Record{Kind: anyShop}
	_, err := conflicts.Apply(rec, edit(record.Edit{Op: record.OpCreate, Set: vals("step", string(quoted(start)))}), writeAt(cara, 1, 2))
	require.NoError(t, err)
	rec.Seq = 2
	for i, to := range said {
		w := writeAt(record.ReplicaID(10+i), 5, record.Seq(3+i))
		w.Seen.Log = 2
		w.At = func(string, record.Seq) (json.RawMessage, error) { return quoted(start), nil }
		w.Stood = func(string) (json.RawMessage, error) { return quoted(start), nil }
		report, err = conflicts.Apply(rec, edit(record.Edit{Set: vals("step", string(quoted(to)))}), w)
		require.NoError(t, err)
		rec = reloaded(t, rec)
	}
	return rec.Text("step"), report
}

func TestState_meetings(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name   string
		said   []string
		stands string
		told   bool
		asked  bool
	}{
		{"one alone", []string{"won"}, "won", false, false},
		{"both the same", []string{"won", "won"}, "won", false, false},
		{"the further stands, and its rival's author is told", []string{"approved", "open"}, "approved", true, false},
		{"with a note", []string{"new", "open"}, "open", true, true},
		{"two that make a third", []string{"approved", "changed"}, "redo", true, false},
		{"a question: what was before stays", []string{"won", "lost"}, "open", true, true},
		{"a question is not answered by a third", []string{"won", "lost", "approved"}, "open", true, true},
		{"nor by one of them again", []string{"won", "lost", "won"}, "open", true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reversed := slices.Clone(tt.said)
			slices.Reverse(reversed)
			for _, order := range [][]string{tt.said, reversed} {
				stands, report := meets(t, "open", order...)

				require.Equal(t, tt.stands, stands, "%v", order)
				require.Equal(t, tt.told, len(report.Clashes) > 0 || report.Merged && len(order) > 1 && order[0] != order[1], "%v", order)
				if tt.asked && len(report.Clashes) > 0 {
					require.True(t, report.Clashes[0].Ask)
				}
			}
		})
	}
}

// Whoever knows all versions decides, and what was asked about them is closed.
func TestState_decided(t *testing.T) {
	t.Parallel()

	rec := &record.Record{Kind: anyShop, Seq: base}
	for i, to := range []string{"won", "lost"} {
		w := writeAt(record.ReplicaID(10+i), 5, record.Seq(3+i))
		w.Stood = func(string) (json.RawMessage, error) { return quoted("open"), nil }
		report, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("step", string(quoted(to)))}), w)
		require.NoError(t, err)
		if i == 1 {
			require.Len(t, report.Clashes[0].Versions, 2)
			require.Empty(t, report.Settled)
		}
	}
	require.Equal(t, "open", rec.Text("step"), "the one who came second says where both came from")

	knows := writeAt(cara, 1, 5)
	knows.Seen.Log = 4
	report, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("step", `"lost"`)}), knows)

	require.NoError(t, err)
	require.Equal(t, "lost", rec.Text("step"))
	require.Empty(t, report.Clashes)
	require.Len(t, report.Settled, 1)
	require.Len(t, report.Settled[0].Writers, 2)
	require.JSONEq(t, `"lost"`, string(report.Settled[0].By))
}

// A step that cannot be taken from what its author had before him is refused,
// whatever others have done meanwhile; and one that could, is not.
func TestState_transitions(t *testing.T) {
	t.Parallel()

	k := &record.Kind{Name: "task", No: 1, OnDelete: record.Revive, Fields: []*record.Field{{
		Name: "status", Type: "choice", Policy: record.Process, Choices: []string{"open", "doing", "done", "cancelled"},
		States: &record.States{Begin: []string{"open"}, Moves: map[string][]string{"open": {"doing", "done", "cancelled"}, "doing": {"done"}, "done": {"open"}}},
	}}}
	require.NoError(t, (&record.Schema{Kinds: []*record.Kind{k}}).Check())
	tests := []struct{ name, there, screen, to, stands, why string }{
		{"a step on", "open", "open", "doing", "doing", ""},
		{"the same again", "doing", "doing", "doing", "doing", ""},
		{"a step that there is not", "doing", "doing", "open", "", `it was at "doing", and from there it cannot go to "open"`},
		{"from where nothing follows", "cancelled", "cancelled", "open", "", "cannot go to"},
		{"not from what is there now, but from what he saw", "done", "open", "doing", "done", ""},
		{"nor the other way round", "open", "done", "doing", "", `it was at "done"`},
		{"a beginning", "", "", "open", "open", ""},
		{"a beginning that is none", "", "", "done", "", `it cannot begin as "done"`},
		{"who has seen nothing begins", "done", "", "open", "done", ""},
		{"a step is not emptied", "open", "open", "", "", "cannot be emptied"},
		{"nothing where nothing is says nothing", "", "", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rec := &record.Record{Kind: k, Seq: 5}
			if tt.there != "" {
				*rec.Put("status") = record.Slot{Field: "status", Raw: quoted(tt.there), By: at(anna, 1, 5)}
			}
			w := writeAt(ben, 9, 6)
			if tt.there == tt.screen {
				w.Seen.Log = 5
			}
			w.At = func(string, record.Seq) (json.RawMessage, error) { return stateOrNone(tt.screen), nil }
			w.Stood = func(string) (json.RawMessage, error) { return stateOrNone(tt.screen), nil }

			_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("status", string(stateOrNone(tt.to)))}), w)

			if tt.why != "" {
				requireCode(t, err, "transition", "status")
				require.ErrorContains(t, err, tt.why)
				w.Again = true
				if tt.to != "" {
					_, err = conflicts.Apply(rec, edit(record.Edit{Set: vals("status", string(stateOrNone(tt.to)))}), w)
					require.NoError(t, err, "what a log that is lost has allowed is allowed")
				}
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.stands, rec.Text("status"))
			require.True(t, json.Valid(rec.AppendFields(nil)))
		})
	}
}

func stateOrNone(name string) json.RawMessage {
	if name == "" {
		return json.RawMessage("null")
	}
	return quoted(name)
}

// A write that comes back after a restore, when somebody who had replaced it
// knowingly is back already, does not stand against him.
func TestState_comesBackLate(t *testing.T) {
	t.Parallel()

	rec := &record.Record{Kind: anyShop, Seq: base}
	knows := writeAt(ben, 6, 3)
	knows.Again, knows.Awaited = true, map[record.ReplicaID]uint64{anna: 1}
	knows.Seen.Dots = map[record.ReplicaID]uint64{anna: 1}
	_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("step", `"open"`)}), knows)
	require.NoError(t, err)
	late := writeAt(anna, 5, 4)
	late.Again = true

	report, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("step", `"won"`)}), late)

	require.NoError(t, err)
	require.Equal(t, "open", rec.Text("step"))
	require.Empty(t, report.Clashes)
	require.True(t, report.Merged)
}
