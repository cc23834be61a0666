package conflicts_test

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/record/field"
	"roadbook/version"
)

func TestMergeText(t *testing.T) {
	t.Parallel()

	tests := []struct{ name, base, a, b, want, marked string }{
		{"nothing", "", "", "", "", ""},
		{"one has typed", "", "a", "", "a", ""},
		{"both the same", "a", "b", "b", "b", ""},
		{"different lines", "a\nb\nc", "A\nb\nc", "a\nb\nC", "A\nb\nC", ""},
		{"lines that touch", "a\nb", "A\nb", "a\nB", "A\nB", ""},
		{"both have put a line at the end", "a", "a\nb", "a\nc", "a\nb\nc", ""},
		{"the same line at the end", "a", "a\nb", "a\nb", "a\nb", ""},
		{"a line before and one after", "m", "a\nm", "m\nz", "a\nm\nz", ""},
		{"one takes a line away", "a\nb\nc", "a\nc", "a\nb\nc\nd", "a\nc\nd", ""},
		{"both take it away", "a\nb\nc", "a\nc", "a\nc", "a\nc", ""},
		{"one takes more away", "a\nb", "b", "", "", ""},
		{"more, around what the other has put in", "a\nb\nc", "a\nx\nb\nc", "c", "x\nc", ""},
		{"line ends of two kinds", "a\r\nb\r\n", "a\nB\n", "a\r\nb\r\nc\r\n", "a\nB\nc\n", ""},
		{
			"clauses of one line", "老板姓王，周三送货。", "老板姓王，周四送货。", "老板姓王，周三送货。电话改了。",
			"老板姓王，周四送货。电话改了。", "",
		},
		{"a clause without an end", "周三送货", "周四送货", "周三送货，电话改了", "周四送货，电话改了", ""},
		{"both ends of a line", "王老板，周三送货", "王老板娘，周三送货", "王老板，周五送货", "王老板娘，周五送货", ""},
		{
			"in English", "Call on Monday. Bring samples.", "Call on Tuesday. Bring samples.", "Call on Monday. Bring two samples.",
			"Call on Tuesday. Bring two samples.", "",
		},
		{"the same clause", "周三送货", "周四送货", "周五送货", "", "【1】周四送货【2】周五送货"},
		{"the same clause of many", "王老板，周三送货。", "王老板，周四送货。", "王老板，周五送货。", "", "王老板，【1】周四送货【2】周五送货。"},
		{"both begin", "", "a", "b", "a\nb", ""},
		{"one goes on with his own of two versions", "周四", "周四下午", "【1】周三【2】周四", "【1】周三【2】周四下午", ""},
		{"one goes on with his own of two versions", "周四", "周四下午", "【1】周三【2】周四", "【1】周三【2】周四下午", ""},
		{"a line goes that the other changes", "a\nb\nc", "a\nc", "a\nB\nc", "", "a\nB\nc"},
		{"all goes that the other adds to", "a", "", "a\nb", "b", ""},
		{"changes that reach over each other", "a\nb\nc\nd", "x\nd", "a\ny", "", "【1】x\nd【2】a\ny"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, clean := conflicts.MergeText(tt.base, tt.a, tt.b)

			require.Equal(t, tt.want+tt.marked, got)
			require.Equal(t, tt.marked == "", clean)
		})
	}
}

// drawLines is a text of few different lines, each of few different clauses.
func drawLines(t *rapid.T, label string) string {
	line := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"甲", "乙，", "丙。", "d ", "e"}), 0, 4).Draw(t, "clauses"), "")
	})
	return strings.Join(rapid.SliceOfN(line, 0, 6).Draw(t, label), "\n")
}

func TestMergeText_laws(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		base, a, b := drawLines(t, "base"), drawLines(t, "a"), drawLines(t, "b")

		alone, clean := conflicts.MergeText(base, a, base)
		require.True(t, clean)
		require.Equal(t, a, alone, "what the other has left alone")
		alone, _ = conflicts.MergeText(base, base, a)
		require.Equal(t, a, alone)
		same, clean := conflicts.MergeText(base, a, a)
		require.True(t, clean)
		require.Equal(t, a, same, "what both have made alike")

		_, one := conflicts.MergeText(base, a, b)
		_, other := conflicts.MergeText(base, b, a)
		require.Equal(t, one, other, "whether both have changed the same")
	})
}

// What anybody put in is there afterwards, whatever became of it.
func TestMergeText_losesNothing(t *testing.T) {
	t.Parallel()

	typed := func(t *rapid.T, base []string, mark string) (string, []string) {
		var out, put []string
		for i := range len(base) + 1 {
			for range rapid.IntRange(0, 1).Draw(t, "put in") {
				put = append(put, mark+string(rune('a'+len(put))))
				out = append(out, put[len(put)-1])
			}
			if i < len(base) && rapid.Bool().Draw(t, "left alone") {
				out = append(out, base[i])
			}
		}
		return strings.Join(out, "\n"), put
	}
	rapid.Check(t, func(t *rapid.T) {
		base := []string{"一", "二", "三", "四"}[:rapid.IntRange(0, 4).Draw(t, "lines")]
		a, fromA := typed(t, base, "A")
		b, fromB := typed(t, base, "B")

		merged, _ := conflicts.MergeText(strings.Join(base, "\n"), a, b)

		for _, line := range append(fromA, fromB...) {
			require.Contains(t, merged, line)
		}
	})
}

// Of two who did not know of each other it does not matter who comes first; who
// has read both replaces them.
func TestText_order(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		texts := []string{drawLines(t, "base"), drawLines(t, "anna's"), drawLines(t, "ben's")}
		stamps := []uint64{rapid.Uint64Range(3, 5).Draw(t, "anna's stamp"), rapid.Uint64Range(3, 5).Draw(t, "ben's stamp")}
		var ends []string
		for _, order := range [][]int{{0, 1}, {1, 0}} {
			rec := noted(t, texts[0])
			for place, who := range order {
				w := writeAt([]record.ReplicaID{anna, ben}[who], stamps[who], record.Seq(3+place))
				w.Seen.Log = 2
				w.At = func(string, record.Seq) (json.RawMessage, error) { return quoted(texts[0]), nil }
				_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("note", string(quoted(texts[1+who])))}), w)
				require.NoError(t, err)
			}
			ends = append(ends, string(rec.Raw("note")))

			knows := writeAt(cara, 9, 5)
			knows.Seen.Log = 4
			report, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("note", `"new"`)}), knows)
			require.NoError(t, err)
			require.False(t, report.Merged)
			require.Equal(t, `"new"`, string(rec.Raw("note")))
		}
		require.Equal(t, ends[0], ends[1])
	})
}

// Somebody who goes on typing without a network has not read what his first
// text was merged with.
func TestText_ownOnTop(t *testing.T) {
	t.Parallel()

	rec := noted(t, "一\n二")
	type typed struct {
		by         record.ReplicaID
		n          uint64
		base, text string
	}
	for place, s := range []typed{
		{ben, 2, "一\n二", "一\n二\n班"},
		{anna, 2, "一\n二", "安\n二"},
		{anna, 3, "安\n二", "安娜\n二"},
		{ben, 3, "一\n二\n班", "一\n二\n班本"},
	} {
		w := &conflicts.Write{By: record.Writer{Replica: s.by, N: s.n, Stamp: version.Stamp{MS: 5}, Seq: record.Seq(3 + place)}}
		w.Seen.Log = 2
		w.At = func(string, record.Seq) (json.RawMessage, error) { return quoted(s.base), nil }
		report, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("note", string(quoted(s.text)))}), w)
		require.NoError(t, err)
		require.Empty(t, report.Clashes)
		rec = reloaded(t, rec)
	}
	require.JSONEq(t, string(quoted("安娜\n二\n班本")), string(rec.Raw("note")))
}

// Of what is larger than can be compared, and differs at both ends, all counts as
// changed.
func TestMergeText_large(t *testing.T) {
	t.Parallel()

	side := int(math.Sqrt(conflicts.MaxCells))
	require.Equal(t, conflicts.MaxCells, side*side)
	for lines, clean := range map[int]bool{side: true, side + 1: false} {
		base := make([]string, lines)
		for i := range base {
			base[i] = strconv.Itoa(i)
		}
		a, b := slices.Clone(base), slices.Clone(base)
		a[0], a[lines-1], b[lines/2] = "first", "last", "middle"
		want := slices.Clone(a)
		want[lines/2] = "middle"

		merged, is := conflicts.MergeText(strings.Join(base, "\n"), strings.Join(a, "\n"), strings.Join(b, "\n"))

		require.Equal(t, clean, is, lines)
		if clean {
			require.Equal(t, strings.Join(want, "\n"), merged)
		}
	}
}

// What two have put in may be as long as a text may be.
func TestText_asLongAsCanBe(t *testing.T) {
	t.Parallel()

	for over, asks := range []int{0, 1} {
		rec := noted(t, "")
		_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("note", string(quoted("a")))}), writeAt(anna, 5, 3))
		require.NoError(t, err)
		rest := strings.Repeat("b", field.MaxTextBytes-len("a\n")+over)

		report, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("note", string(quoted(rest)))}), writeAt(ben, 6, 4))

		require.NoError(t, err)
		require.Len(t, report.Clashes, asks)
	}
}

// A text that comes back to a restored server stays replaced, if whoever replaced
// it had seen it and is back already.
func TestText_replacedForGood(t *testing.T) {
	t.Parallel()

	rec := noted(t, "一")
	later := writeAt(ben, 6, 3)
	later.Seen.Log = 2
	later.Seen.Dots = map[record.ReplicaID]uint64{anna: 1}
	later.Awaited = map[record.ReplicaID]uint64{anna: 1}
	_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("note", string(quoted("三")))}), later)
	require.NoError(t, err)

	report, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("note", string(quoted("一\n二")))}), writeAt(anna, 5, 4))

	require.NoError(t, err)
	require.True(t, report.Merged)
	require.Equal(t, `"三"`, string(rec.Raw("note")))
}

// Where the merged text would be too long, the later one stands and a person is
// asked.
func TestText_tooLong(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("x", field.MaxTextBytes/2)
	for _, stamp := range []uint64{1, 9} {
		rec := noted(t, "")
		first := writeAt(anna, 5, 3)
		_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("note", string(quoted(long+"a")))}), first)
		require.NoError(t, err)
		w := writeAt(ben, stamp, 4)
		w.At = func(string, record.Seq) (json.RawMessage, error) { return nil, nil }
		report, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("note", string(quoted(long+"b")))}), w)
		require.NoError(t, err)
		require.Len(t, report.Clashes, 1)
		require.True(t, report.Clashes[0].Ask)
		require.Equal(t, stamp == 9, strings.HasSuffix(string(rec.Raw("note")), `b"`))
	}
}

// The base that a client brings counts only if he has seen nothing of the log.
func TestText_base(t *testing.T) {
	t.Parallel()

	for seen, want := range map[record.Seq]string{0: "甲\n二\n乙", 2: "甲\n二\n三\n一\n二\n乙"} {
		rec := noted(t, "甲\n二\n三")
		w := writeAt(ben, 5, 4)
		w.Seen.Log = seen
		other := writeAt(anna, 4, 3)
		other.Seen.Log = 2
		_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("note", string(quoted("甲\n二\n三")))}), other)
		require.NoError(t, err)
		w.At = func(string, record.Seq) (json.RawMessage, error) { return nil, nil }
		_, err = conflicts.Apply(rec, edit(record.Edit{
			Set: vals("note", string(quoted("一\n二\n乙"))), Base: vals("note", string(quoted("一\n二\n三"))),
		}), w)
		require.NoError(t, err)
		require.JSONEq(t, string(quoted(want)), string(rec.Raw("note")))
	}
}

func noted(t require.TestingT, text string) *record.Record {
	rec := &record.Record{Kind: anyShop}
	_, err := conflicts.Apply(rec, edit(record.Edit{Op: record.OpCreate, Set: vals("note", string(quoted(text)))}), writeAt(cara, 1, 2))
	require.NoError(t, err)
	rec.Seq = 2
	return rec
}

// reloaded is a record as it comes back from the database.
func reloaded(t require.TestingT, r *record.Record) *record.Record {
	again := &record.Record{Kind: r.Kind, Seq: r.Seq}
	require.NoError(t, again.Load(r.AppendFields(nil), r.AppendMeta(nil)))
	require.Equal(t, r.Slots, again.Slots)
	return again
}

func quoted(text string) json.RawMessage { return record.AppendString(nil, text) }

func FuzzMergeText(f *testing.F) {
	f.Add("a\nb", "a\r\nB", "a，b。c")
	f.Fuzz(func(t *testing.T, base, a, b string) {
		merged, clean := conflicts.MergeText(base, a, b)
		again, _ := conflicts.MergeText(base, a, b)
		require.Equal(t, merged, again)
		_, other := conflicts.MergeText(base, b, a)
		require.Equal(t, clean, other)
	})
}
