package views_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync/views"
)

// Kinds of these tests.
const (
	account int16 = 1
	visit   int16 = 2
)

func view(seq record.Seq, from record.Month, kinds []int16, sight views.Sight) views.View {
	return views.View{Seq: seq, From: from, Kinds: kinds, Sight: sight}
}

func both(hidden ...string) views.Sight { return views.Sight{account: hidden, visit: nil} }

func TestList_Since(t *testing.T) {
	t.Parallel()

	l := views.List{
		view(0, 8, nil, both()),
		view(10, 10, nil, both()),
		view(20, 6, []int16{account}, both()),
		view(30, 6, nil, both()),
		view(40, 4, nil, both()),
	}
	tests := []struct {
		name  string
		kind  int16
		month record.Month
		since record.Seq
		shown bool
	}{
		{"what has no month, from the beginning", account, 0, 0, true},
		{"a month that was always wanted", account, 11, 0, true},
		{"one that was let go and is wanted again", account, 9, 20, true},
		{"one that is wanted since", account, 6, 20, true},
		{"and lately", account, 5, 40, true},
		{"one that is not", account, 3, 0, false},
		{"a kind that was let go", visit, 0, 30, true},
		{"an early month of that", visit, 4, 40, true},
		{"a kind that nobody reads", 3, 0, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			since, shown := l.Since(tt.kind, tt.month)

			require.Equal(t, tt.shown, shown)
			require.Equal(t, tt.since, since)
			if shown {
				require.Contains(t, l.Starts(tt.kind, true), since)
			}
		})
	}
	require.Equal(t, []record.Seq{0, 20, 40}, l.Starts(account, true))
	require.Equal(t, []record.Seq{30, 40}, l.Starts(visit, true))
	require.Empty(t, l.Starts(3, true))
	require.Equal(t, []record.Seq{0}, l.Starts(account, false))
	require.Equal(t, []record.Seq{30}, l.Starts(visit, false))
}

// Whatever the oldest views were, without them things are shown for a shorter
// time or as long, never longer.
func TestList_withoutItsOldest(t *testing.T) {
	t.Parallel()

	l := views.List{
		view(0, 8, nil, both()), view(10, 10, nil, both()), view(20, 6, []int16{account}, both("cost")), view(30, 6, nil, both()),
	}
	for i := range l {
		for kind := account; kind <= visit; kind++ {
			for m := range record.Month(12) {
				was, shown := l.Since(kind, m)
				is, still := l[i:].Since(kind, m)
				require.Equal(t, shown, still)
				require.GreaterOrEqual(t, is, was)
			}
		}
	}
}

func TestList_Growths(t *testing.T) {
	t.Parallel()

	l := views.List{
		view(0, 8, nil, both("cost", "margin", "source")),
		view(10, 8, nil, both("margin", "source")),
		view(20, 8, nil, both("cost", "source")),
		view(30, 8, nil, both("source")),
		view(40, 8, []int16{visit}, both()),
		view(50, 8, nil, both("source")),
		view(60, 8, nil, both()),
	}

	require.Equal(t, []views.Growth{{60, []string{"source"}}}, l.Growths(account), "before that the kind was away")
	require.Equal(t, []views.Growth{{10, []string{"cost"}}, {20, []string{"margin"}}, {30, []string{"cost"}}}, l[:4].Growths(account))
	require.Empty(t, l[:2].Growths(visit))
	require.Equal(t, []views.Growth{{20, []string{"margin"}}}, l[:3].Growths(account), "cost was seen for a while and is hidden")
}

func TestList_TakenSince(t *testing.T) {
	t.Parallel()

	all := views.Sight{account: nil, visit: nil, 3: nil}
	l := views.List{
		view(5, 8, nil, both("cost")),
		view(10, 8, nil, views.Sight{account: {"cost", "margin"}}),
		view(20, 8, nil, views.Sight{account: {"margin", "source"}}),
	}
	tests := []struct {
		name string
		told record.Seq
		want []views.Taken
	}{
		{"all is told", 20, nil},
		{"cost is seen again", 10, []views.Taken{{account, []string{"source"}}}},
		{"a field and a kind", 9, []views.Taken{{account, []string{"margin", "source"}}, {visit, nil}}},
		{"nobody knows what was seen then", 4, []views.Taken{{account, []string{"margin", "source"}}, {visit, nil}, {3, nil}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tt.want, l.TakenSince(tt.told, all))
		})
	}
}

func TestView_same(t *testing.T) {
	t.Parallel()

	v := view(0, 8, nil, both("cost"))

	require.True(t, v.SameWant(view(9, 8, nil, nil)))
	require.False(t, v.SameWant(view(0, 9, nil, nil)))
	require.False(t, v.SameWant(view(0, 8, []int16{}, nil)), "no kinds are not all kinds")
	require.True(t, v.SameSight(view(9, 1, nil, both("cost"))))
	require.False(t, v.SameSight(view(0, 8, nil, both())))
	require.False(t, v.SameSight(view(0, 8, nil, views.Sight{account: {"cost"}})))
}
