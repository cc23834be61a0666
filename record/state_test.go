package record_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/record"
)

// Whatever is done to a copy, the record stays as it was.
func TestRecord_Clone(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		r := drawRecord(t)
		r.Scopes, r.Entered = []record.ScopeID{1, 2}, []record.Seq{3, 4}
		before := fmt.Sprint(*r)

		c := r.Clone()

		require.Equal(t, r, c)
		for i := range c.Slots {
			c.Slots[i] = record.Slot{Field: "other"}
		}
		c.Put("new").Raw = json.RawMessage("1")
		c.Scopes[0], c.Entered[0] = 9, 9
		c.Scopes, c.Entered = append(c.Scopes, 8), append(c.Entered, 8)
		c.Saw(record.Writer{Replica: 99, N: 1, Seq: 1 << 60})
		for _, w := range r.Vector {
			w.N++
			c.Saw(w)
		}
		c.Prune(1 << 50)
		c.State, c.Tomb = record.Deleted, record.Writer{Replica: 1, N: 1}
		require.Equal(t, before, fmt.Sprint(*r))
	})
}

// A pruned vector lacks exactly what everybody has applied.
func TestRecord_Prune(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		r := drawRecord(t)
		floor := record.Seq(rapid.Int64Range(0, 1<<50).Draw(t, "floor"))
		if len(r.Vector) > 0 && rapid.Bool().Draw(t, "exactly") {
			floor = rapid.SampledFrom(r.Vector).Draw(t, "writer").Seq
		}
		had := slices.Clone(r.Vector)

		r.Prune(floor)

		for _, w := range had {
			require.Equal(t, w.Seq > floor, slices.Contains(r.Vector, w), "%v, floor %d", w, floor)
		}
		require.Subset(t, had, r.Vector)
	})
}

// The vector has the last write of each replica, whatever the order.
func TestRecord_Saw(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		var r record.Record
		last := map[record.ReplicaID]record.Writer{}
		for range rapid.IntRange(0, 10).Draw(t, "writes") {
			by := record.ReplicaID(rapid.IntRange(1, 3).Draw(t, "replica"))
			w := record.Writer{Replica: by, N: rapid.Uint64Range(1, 9).Draw(t, "n")}
			w.Seq = record.Seq(w.N)
			if w.N > last[w.Replica].N {
				last[w.Replica] = w
			}

			r.Saw(w)
		}

		require.Len(t, r.Vector, len(last))
		for _, w := range r.Vector {
			require.Equal(t, last[w.Replica], w)
		}
	})
}

func TestRecord_Put(t *testing.T) {
	t.Parallel()

	r := &record.Record{}
	require.Nil(t, r.Slot("a"))

	r.Put("a").Raw = json.RawMessage("1")
	r.Put("b").Raw = json.RawMessage("2")

	require.Same(t, r.Slot("a"), r.Put("a"), "what is there is found")
	require.Equal(t, "1", string(r.Slot("a").Raw))
	require.Equal(t, []record.Slot{{Field: "a", Raw: json.RawMessage("1")}, {Field: "b", Raw: json.RawMessage("2")}}, r.Slots)
}

func TestRecord_values(t *testing.T) {
	t.Parallel()

	const id = "0191c0de-0001-7000-8000-00000000ac01"
	tests := []struct {
		name  string
		raw   string
		has   bool
		text  string
		texts []string
		ref   record.ID
	}{
		{"text", `"Acme"`, true, "Acme", nil, record.NoID},
		{"text with escapes", `"A\u0063me \"\n"`, true, "Acme \"\n", nil, record.NoID},
		{"empty text", `""`, true, "", nil, record.NoID},
		{"an id", `"` + id + `"`, true, id, nil, record.MustID(id)},
		{"a list of texts", `["a","b"]`, true, "", []string{"a", "b"}, record.NoID},
		{"an empty list", `[]`, true, "", []string{}, record.NoID},
		{"a list of other things", `[1]`, true, "", nil, record.NoID},
		{"a number", `7`, true, "", nil, record.NoID},
		{"cleared", `null`, false, "", nil, record.NoID},
		{"never given a value", ``, false, "", nil, record.NoID},
		{"damaged", `"\x"`, true, "", nil, record.NoID},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			r := &record.Record{}
			r.Put("f").Raw = json.RawMessage(tt.raw)

			require.Equal(t, tt.has, r.Raw("f") != nil)
			require.Equal(t, tt.text, r.Text("f"))
			require.Equal(t, tt.texts, r.Texts("f"))
			require.Equal(t, tt.ref, r.Ref("f"))
			require.Equal(t, !tt.has, record.IsNull(r.Slot("f").Raw))
		})
	}
	nobody := &record.Record{}
	require.Nil(t, nobody.Raw("f"))
	require.Empty(t, nobody.Text("f"))
	require.Empty(t, nobody.Texts("f"))
	require.Equal(t, record.NoID, nobody.Ref("f"))
}

func TestRecord_In(t *testing.T) {
	t.Parallel()

	r := &record.Record{Scopes: []record.ScopeID{2, 5, 9}, Entered: []record.Seq{20, 50, 90}}

	for scope, want := range map[record.ScopeID]record.Seq{2: 20, 5: 50, 9: 90} {
		since, in := r.In(scope)
		require.True(t, in)
		require.Equal(t, want, since)
	}
	for _, scope := range []record.ScopeID{0, 3, 10} {
		since, in := r.In(scope)
		require.False(t, in)
		require.Zero(t, since)
	}
}

// A write is known by its dot alone.
func TestWriter(t *testing.T) {
	t.Parallel()

	w := record.Writer{Replica: 7, N: 1, Seq: 5}

	require.True(t, w.Same(record.Writer{Replica: 7, N: 1}))
	require.False(t, w.Same(record.Writer{Replica: 7, N: 2, Seq: 5}))
	require.False(t, w.Same(record.Writer{Replica: 8, N: 1, Seq: 5}))
	require.False(t, w.IsZero())
	require.True(t, record.Writer{}.IsZero())
}
