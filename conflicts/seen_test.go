package conflicts_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/conflicts"
	"roadbook/record"
)

func TestWrite_Covers(t *testing.T) {
	t.Parallel()

	write := func(seen conflicts.Seen) *conflicts.Write {
		return &conflicts.Write{By: record.Writer{Replica: anna, N: 5, Seq: 50}, Seen: seen}
	}
	of := func(by record.ReplicaID, n uint64, seq record.Seq) record.Writer {
		return record.Writer{Replica: by, N: n, Seq: seq}
	}
	line := conflicts.Seen{Line: []conflicts.Ancestor{{Replica: 7, UpTo: 3}, {Replica: 8, UpTo: 2}}}
	tests := []struct {
		name string
		seen conflicts.Seen
		o    record.Writer
		want bool
	}{
		{"nobody's write is known to all", conflicts.Seen{}, record.Writer{}, true},
		{"a stranger's is not", conflicts.Seen{}, of(ben, 1, 10), false},
		{"what the log had there is", conflicts.Seen{Log: 10}, of(ben, 1, 10), true},
		{"what came after is not", conflicts.Seen{Log: 9}, of(ben, 1, 10), false},
		{"an earlier one of one's own is", conflicts.Seen{}, of(anna, 4, 49), true},
		{"this very one is", conflicts.Seen{}, of(anna, 5, 50), true},
		{"a later one of one's own, met after a restore, is not", conflicts.Seen{}, of(anna, 6, 40), false},
		{"not even if a vector names it", conflicts.Seen{Dots: vector{anna: 6}}, of(anna, 6, 40), false},
		{"but if the log had it, it is", conflicts.Seen{Log: 40}, of(anna, 6, 40), true},
		{"met outside the log", conflicts.Seen{Log: 5, Dots: vector{ben: 2}}, of(ben, 2, 10), true},
		{"up to there and no further", conflicts.Seen{Log: 5, Dots: vector{ben: 2}}, of(ben, 3, 11), false},
		{"the line's own, up to the fork", line, of(7, 3, 10), true},
		{"the twin's, after the fork", line, of(7, 4, 10), false},
		{"of a longer line", line, of(8, 2, 10), true},
		{"beyond it", line, of(8, 3, 10), false},
		{"judged under another name", conflicts.Seen{Twins: []record.Writer{of(8, 1, 0), of(9, 4, 0)}}, of(9, 4, 10), true},
		{"its neighbour was not", conflicts.Seen{Twins: []record.Writer{of(8, 1, 0), of(9, 4, 0)}}, of(9, 3, 9), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tt.want, write(tt.seen).Covers(tt.o))
		})
	}
}

// Who knows more knows all that he knew before.
func TestWrite_Covers_grows(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Uint64Range(0, 4)
		by := record.ReplicaID(rapid.IntRange(1, 3).Draw(t, "replica"))
		o := record.Writer{Replica: by, N: number.Draw(t, "n"), Seq: record.Seq(number.Draw(t, "seq"))}
		less := &conflicts.Write{By: at(anna, number.Draw(t, "own"), 0), Seen: conflicts.Seen{
			Log: record.Seq(number.Draw(t, "log")), Dots: vector{ben: number.Draw(t, "ben"), cara: number.Draw(t, "cara")},
		}}
		more := *less
		more.By.N += number.Draw(t, "later")
		more.Seen.Log += record.Seq(number.Draw(t, "further"))
		more.Seen.Dots = vector{ben: less.Seen.Dots[ben] + number.Draw(t, "more of ben"), cara: less.Seen.Dots[cara]}

		if less.Covers(o) {
			require.True(t, more.Covers(o))
		}
	})
}

func TestUnseen(t *testing.T) {
	t.Parallel()

	w := &conflicts.Write{By: at(cara, 1, 1), Seen: conflicts.Seen{Log: 2}}
	rec := &record.Record{}

	require.False(t, conflicts.Unseen(rec, w), "nobody wrote")
	rec.Saw(at(anna, 1, 1))
	require.False(t, conflicts.Unseen(rec, w))
	rec.Saw(at(anna, 2, 1))
	require.True(t, conflicts.Unseen(rec, w), "her last stands for all")
}

// What everybody has applied may be forgotten: for whoever has read that far,
// a pruned vector answers as the whole one did.
func TestUnseen_pruned(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		rec := &record.Record{}
		number := rapid.Uint64Range(1, 6)
		for i := range rapid.IntRange(0, 6).Draw(t, "writes") {
			by := record.ReplicaID(rapid.IntRange(1, 3).Draw(t, "replica"))
			rec.Saw(record.Writer{Replica: by, N: uint64(i + 1), Seq: record.Seq(i + 1)})
		}
		floor := record.Seq(number.Draw(t, "floor"))
		w := &conflicts.Write{
			By:   record.Writer{Replica: anna, N: 3, Seq: 9},
			Seen: conflicts.Seen{Log: max(floor, record.Seq(number.Draw(t, "log"))), Dots: vector{ben: number.Draw(t, "ben")}},
		}
		want := conflicts.Unseen(rec, w)

		rec.Prune(floor)

		require.Equal(t, want, conflicts.Unseen(rec, w))
	})
}
