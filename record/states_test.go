package record_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/record"
)

// process is a field with states a, b and c, to be changed by a test.
func process(change func(*record.Field)) (*record.Field, error) {
	f := &record.Field{Name: "status", Type: "choice", Policy: record.Process, Choices: []string{"a", "b", "c"}, States: &record.States{
		Moves: map[string][]string{"a": {"b"}},
	}}
	change(f)
	s := &record.Schema{Kinds: []*record.Kind{{Name: "order", No: 1, Fields: []*record.Field{f}}}}
	return f, s.Check()
}

// A schema says of its processes everything that can be wrong with them before
// anybody works by them.
func TestSchema_states(t *testing.T) {
	t.Parallel()

	joins := func(rows ...record.Join) func(*record.Field) {
		return func(f *record.Field) { f.States.Joins = rows }
	}
	tests := []struct {
		name   string
		change func(*record.Field)
		wrong  string
	}{
		{"as it is", func(*record.Field) {}, ""},
		{"no states", func(f *record.Field) { f.States = nil }, "order.status: the policy state needs a choice"},
		{"no choice", func(f *record.Field) { f.Type = "text" }, "needs a choice"},
		{"states without the policy", func(f *record.Field) { f.Policy = record.LWW }, "only a field with the policy state has states"},
		{"a move from nowhere", func(f *record.Field) { f.States.Moves["x"] = nil }, `moves names "x", which is no state of it`},
		{"a move to nowhere", func(f *record.Field) { f.States.Moves["a"] = []string{"x"} }, `moves from a names "x"`},
		{"a beginning that is none", func(f *record.Field) { f.States.Begin = []string{"x"} }, `begin names "x"`},
		{"a state twice", func(f *record.Field) { f.Choices = []string{"a", "b", "a"} }, "a state is there twice"},
		{"half an order", func(f *record.Field) { f.States.Order = []string{"a", "b"} }, "order must name every state once"},
		{"an order with one twice", func(f *record.Field) { f.States.Order = []string{"a", "b", "b"} }, "order must name every state once"},
		{"an order", func(f *record.Field) { f.States.Order = []string{"c", "b", "a"} }, ""},
		{"a row about nothing", joins(record.Join{Of: []string{"a"}}), "a row of joins is about two states or more"},
		{"a row about a stranger", joins(record.Join{Of: []string{"a", "x"}}), `joins names "x"`},
		{"a row that leads to a stranger", joins(record.Join{Of: []string{"a", "b"}, To: "x"}), `joins names "x"`},
		{"a state with itself", joins(record.Join{Of: []string{"a", "a"}, To: "b"}), "a with a is a, and no row may say so or otherwise"},
		{"a question and an answer", joins(record.Join{Of: []string{"a", "b"}, To: "b", Ask: true}), "not both"},
		{
			"two answers", joins(record.Join{Of: []string{"b", "a"}, To: "b"}, record.Join{Of: []string{"a", "b", "c"}, Ask: true}),
			"a and b become b by one row and a question by another",
		},
		{"twice the same", joins(record.Join{Of: []string{"a", "b"}, Note: true}, record.Join{Of: []string{"b", "a"}, Note: true}), ""},
		{"a question at the end", joins(record.Join{Of: []string{"b", "c"}, Ask: true}), ""},
		{
			"a question that another state answers", joins(record.Join{Of: []string{"a", "b"}, Ask: true}),
			"what becomes of a, b and c depends on who comes first: a question if a and b meet first, c if b and c do",
		},
		{
			"stone, paper, scissors", joins(record.Join{Of: []string{"a", "c"}, To: "a"}),
			"what becomes of a, b and c depends on who comes first",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := process(tt.change)

			if tt.wrong == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.wrong)
		})
	}
}

// So many states, and no more.
func TestSchema_mostStates(t *testing.T) {
	t.Parallel()

	for n, fits := range map[int]bool{0: false, 1: true, record.MaxStates: true, record.MaxStates + 1: false} {
		_, err := process(func(f *record.Field) {
			f.Choices, f.States.Moves = nil, nil
			for i := range n {
				f.Choices = append(f.Choices, fmt.Sprint(i))
			}
		})
		if fits {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, "at least one state and at most 32")
		}
	}
}

// Whatever table is published, what states come to does not depend on their
// order, on how often one is said, or on which of them met first.
func TestField_Join_laws(t *testing.T) {
	t.Parallel()

	published := 0
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"a", "b", "c", "d"}
		f, err := process(func(f *record.Field) {
			f.Choices, f.States.Moves, f.States.Order = names, nil, rapid.Permutation(names).Draw(t, "order")
			for range rapid.IntRange(0, 2).Draw(t, "rows") {
				row := record.Join{Of: rapid.Permutation(names).Draw(t, "of")[:2]}
				switch rapid.IntRange(0, 2).Draw(t, "sort of row") {
				case 0:
					row.Ask = true
				case 1:
					row.To = rapid.SampledFrom(names).Draw(t, "to")
				default:
					row.Note = true
				}
				f.States.Joins = append(f.States.Joins, row)
			}
		})
		if err != nil {
			return
		}
		published++
		some := rapid.SliceOfN(rapid.SampledFrom(names), 1, 5).Draw(t, "states")
		want := f.Join(some...)

		require.Equal(t, want, f.Join(rapid.Permutation(some).Draw(t, "another order")...))
		require.Equal(t, want, f.Join(append(some, some...)...))
		cut := rapid.IntRange(1, len(some)).Draw(t, "cut")
		one := f.Join(some[:cut]...)
		if rest := some[cut:]; len(rest) > 0 && !one.Ask {
			again := f.Join(append([]string{one.State}, rest...)...)
			require.Equal(t, want.State, again.State, "%v", f.States)
			require.Equal(t, want.Ask, again.Ask)
		} else if one.Ask {
			require.True(t, want.Ask, "a question stays one")
		}
	})
	require.Positive(t, published)
}

func TestField_MayMove(t *testing.T) {
	t.Parallel()

	f, err := process(func(f *record.Field) { f.States.Begin = []string{"a"} })
	require.NoError(t, err)

	require.True(t, f.MayMove("a", "b"))
	require.True(t, f.MayMove("c", "c"), "to say what is there says nothing")
	require.False(t, f.MayMove("b", "a"))
	require.True(t, f.MayMove("", "a"))
	require.False(t, f.MayMove("", "b"))
	require.True(t, (&record.Field{}).MayMove("x", "y"), "of what is no process nobody says")
}
