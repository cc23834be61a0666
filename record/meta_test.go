package record_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/record"
	"roadbook/version"
)

// writers draws writes from a pool, so that some are drawn twice; a dot has
// one stamp and one place in the log.
func writers(t *rapid.T) *rapid.Generator[record.Writer] {
	type dot struct {
		r record.ReplicaID
		n uint64
	}
	pool := rapid.MapOfN(
		rapid.Custom(func(t *rapid.T) dot {
			return dot{record.ReplicaID(rapid.Int32Min(1).Draw(t, "replica")), rapid.Uint64Range(1, 1<<40).Draw(t, "n")}
		}),
		rapid.Custom(func(t *rapid.T) record.Writer {
			return record.Writer{
				Stamp: version.Stamp{MS: rapid.Int64Range(0, version.MaxStampMS).Draw(t, "ms"), C: rapid.Uint16().Draw(t, "c")},
				Seq:   record.Seq(rapid.Int64Range(1, 1<<50).Draw(t, "seq")),
			}
		}), 1, 8).Draw(t, "writers")
	var all []record.Writer
	for d, w := range pool {
		w.Replica, w.N = d.r, d.n
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b record.Writer) int { return int(a.Replica-b.Replica) + int(a.N-b.N) })
	return rapid.SampledFrom(all)
}

// drawRecord makes a record with all that is stored beside its columns.
func drawRecord(t *rapid.T) *record.Record {
	by := writers(t)
	r := &record.Record{Slots: []record.Slot{}}
	for _, name := range rapid.SliceOfNDistinct(rapid.String(), 0, 6, rapid.ID[string]).Draw(t, "fields") {
		s := record.Slot{Field: name, By: by.Draw(t, "by"), Raw: drawRaw(t)}
		if rapid.Bool().Draw(t, "a set") {
			s.Elems, s.Raw = drawElems(t, by)
		}
		for range rapid.IntRange(0, 3).Draw(t, "versions") {
			s.Versions = append(s.Versions, record.Version{By: by.Draw(t, "version"), Raw: drawVersion(t), From: drawVersion(t)})
		}
		for n := range rapid.IntRange(0, 2).Draw(t, "asked") {
			a := record.Asked{ID: record.NoID.Derive(name + string(rune('a'+n)))}
			for range rapid.IntRange(1, 3).Draw(t, "between") {
				a.Writers = append(a.Writers, by.Draw(t, "one of them"))
			}
			s.Asked = append(s.Asked, a)
		}
		r.Slots = append(r.Slots, s)
	}
	for range rapid.IntRange(0, 4).Draw(t, "vector") {
		r.Saw(by.Draw(t, "saw"))
	}
	if rapid.Bool().Draw(t, "a tombstone") {
		r.Tomb = by.Draw(t, "tomb")
	}
	if rapid.Bool().Draw(t, "after a restore") {
		r.Cover("field", nil, map[record.ReplicaID]uint64{1: 2})
	}
	return r
}

func drawRaw(t *rapid.T) json.RawMessage {
	return rapid.OneOf(
		rapid.Map(rapid.SampledFrom([]string{`null`, `{"lat":1,"list":["]"]}`, `[]`}), func(s string) json.RawMessage { return json.RawMessage(s) }),
		rapid.Map(rapid.Int(), func(n int) json.RawMessage { return json.RawMessage(fmt.Sprint(n)) }),
		rapid.Map(rapid.String(), func(s string) json.RawMessage { return record.AppendString(nil, s) }),
	).Draw(t, "value")
}

// drawVersion is what a version says, or nothing.
func drawVersion(t *rapid.T) json.RawMessage {
	if rapid.Bool().Draw(t, "says nothing") {
		return nil
	}
	return drawRaw(t)
}

func drawElems(t *rapid.T, by *rapid.Generator[record.Writer]) ([]record.Elem, json.RawMessage) {
	var elems []record.Elem
	list := []byte{'['}
	for i, text := range rapid.SliceOfNDistinct(rapid.String(), 0, 4, rapid.ID[string]).Draw(t, "elements") {
		if i > 0 {
			list = append(list, ',')
		}
		raw := record.AppendString(nil, text)
		list = append(list, raw...)
		elems = append(elems, record.Elem{Raw: raw, Adds: rapid.SliceOfN(by, 1, 3).Draw(t, "adds")})
	}
	return elems, append(list, ']')
}

// load reads a record back from what is stored.
func load(t require.TestingT, fields, meta []byte) *record.Record {
	var r record.Record
	require.NoError(t, r.Load(fields, meta))
	return &r
}

// What is stored is read back as it was, and stored again as the same bytes.
func TestRecord_Load(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		want := drawRecord(t)
		fields, meta := want.AppendFields(nil), want.AppendMeta(nil)

		got := load(t, fields, meta)

		require.Equal(t, want, got)
		require.Equal(t, string(fields), string(got.AppendFields(nil)))
		require.Equal(t, meta, got.AppendMeta(nil))
		require.True(t, json.Valid(fields))
	})
}

// Both append, and leave what is there alone.
func TestRecord_Append(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		r, before := drawRecord(t), rapid.SliceOf(rapid.Byte()).Draw(t, "before")

		require.Equal(t, append(slices.Clone(before), r.AppendFields(nil)...), r.AppendFields(slices.Clone(before)))
		require.Equal(t, append(slices.Clone(before), r.AppendMeta(nil)...), r.AppendMeta(slices.Clone(before)))
	})
}

// What was loaded into a record before is gone.
func TestRecord_Load_replaces(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		r, want := drawRecord(t), drawRecord(t)

		require.NoError(t, r.Load(want.AppendFields(nil), want.AppendMeta(nil)))

		require.Equal(t, want, r)
	})
}

// The table of writers has no end at a byte.
func TestRecord_Load_manyWriters(t *testing.T) {
	t.Parallel()

	for _, n := range []int{1, 127, 128, 254, 255, 256, 257, 300} {
		want := &record.Record{Slots: []record.Slot{}}
		for i := range n {
			w := record.Writer{Replica: record.ReplicaID(i%200 + 1), N: uint64(i + 1), Seq: record.Seq(i + 1)}
			w.Stamp.MS = 1763712930123
			want.Slots = append(want.Slots, record.Slot{Field: fmt.Sprint("f", i), Raw: json.RawMessage("1"), By: w})
			want.Saw(w)
		}

		got := load(t, want.AppendFields(nil), want.AppendMeta(nil))

		require.Equal(t, want, got, "%d writers", n)
	}
}

// A record written at once has one writer, and its metadata stays small.
func TestRecord_AppendMeta_size(t *testing.T) {
	t.Parallel()

	w := record.Writer{Replica: 1 << 30, N: 1000, Stamp: version.Stamp{MS: 1763712930123, C: 7}, Seq: 1 << 20}
	r := &record.Record{}
	for i := range 20 {
		r.Slots = append(r.Slots, record.Slot{Field: fmt.Sprint("f", i), Raw: json.RawMessage("1"), By: w})
	}
	r.Saw(w)

	require.LessOrEqual(t, len(r.AppendMeta(nil)), 70, "two bytes for a field and some twenty for the writer")
}

// A part of a record is what changed after a place in the log.
func TestSince(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		r := drawRecord(t)
		seq := record.Seq(rapid.Int64Range(0, 1<<50).Draw(t, "seq"))
		if len(r.Slots) > 0 && rapid.Bool().Draw(t, "exactly") {
			seq = rapid.SampledFrom(r.Slots).Draw(t, "slot").By.Seq
		}
		want := record.Values{}
		for _, s := range r.Slots {
			if s.By.Seq > seq {
				want = append(want, record.Value{Field: s.Field, Raw: s.Raw})
			}
		}

		got, err := record.Since(r.AppendFields(nil), r.AppendMeta(nil), seq)

		require.NoError(t, err)
		require.Equal(t, string(want.AppendJSON(nil)), string(got.AppendJSON(nil)))
	})
}

// whole is a record with something of everything, and what is stored of it.
func whole() (r *record.Record, fields, meta []byte) {
	at := func(n uint64) record.Writer {
		return record.Writer{Replica: 7, N: n, Stamp: version.Stamp{MS: 1763712930123, C: 1}, Seq: record.Seq(n)}
	}
	r = &record.Record{
		Slots: []record.Slot{
			{Field: "name", Raw: json.RawMessage(`"Acme"`), By: at(1)},
			{Field: "tags", Raw: json.RawMessage(`["a","b"]`), By: at(3), Elems: []record.Elem{
				{Raw: json.RawMessage(`"a"`), Adds: []record.Writer{at(2), at(3)}},
				{Raw: json.RawMessage(`"b"`), Adds: []record.Writer{at(2)}},
			}},
		},
		Vector: []record.Writer{at(3)},
		Tomb:   at(4),
	}
	return r, r.AppendFields(nil), r.AppendMeta(nil)
}

// Metadata that is cut short anywhere is damaged, and says so.
func TestRecord_Load_cutShort(t *testing.T) {
	t.Parallel()

	_, fields, meta := whole()
	for i := range meta {
		var r record.Record

		require.Error(t, r.Load(fields, meta[:i]), "the first %d bytes", i)
	}
}

func TestRecord_Load_damaged(t *testing.T) {
	t.Parallel()

	_, fields, meta := whole()
	changed := func(at int, to byte) []byte {
		b := slices.Clone(meta)
		b[at] = to
		return b
	}
	one := []byte{1, 1, 7, 1, 0, 1} // one writer, 7:1 at seq 1
	huge := binary.AppendUvarint(nil, 1<<62)
	tests := []struct {
		name         string
		fields, meta string
		since        bool // also for who asks for a part
	}{
		{"no metadata", string(fields), "", true},
		{"a form from the future", string(fields), string(changed(0, 2)), true},
		{"no fields", "", string(meta), true},
		{"fields that are no object", "[1]", string(meta), true},
		{"a field twice", `{"a":1,"a":2}`, string(meta), true},
		{"more writers than bytes", string(fields), string(changed(1, 200)), true},
		{"a writer that is not in the table", `{"a":1}`, string(append(one[:6:6], 2, 0, 0, 0)), true},
		{"an element's that is not", `["x"]`, string(append(one[:6:6], 1, 1, 1, 2, 0, 0)), true},
		{"elements of what is no list", `{"a":1}`, string(append(one[:6:6], 1, 1, 1, 1, 0, 0)), false},
		{"fewer elements than the list", `{"a":["x","y"]}`, string(append(one[:6:6], 1, 1, 1, 1, 0, 0)), false},
		{"more elements than bytes", `{"a":["x"]}`, string(append(one[:6:6], 1, 99)), true},
		{"more elements than there can be", `{"a":["x"]}`, string(append(one[:6:6], append([]byte{1}, huge...)...)), true},
		{"a vector longer than there can be", `{}`, string(append(one[:6:6], huge...)), false},
		{"a number without an end", `{"a":1}`, "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", true},
		{"fields that nobody wrote of", `{"a":1,"b":2}`, string(append(one[:6:6], 1, 0)), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			var r record.Record

			require.Error(t, r.Load([]byte(tt.fields), []byte(tt.meta)))
			_, err := record.Since([]byte(tt.fields), []byte(tt.meta), 0)
			require.Equal(t, tt.since, err != nil)
		})
	}
}

// FuzzLoad holds what is read to what is written: damage never panics, and
// what can be read can be stored and read again, in whole and in part.
func FuzzLoad(f *testing.F) {
	_, fields, meta := whole()
	f.Add(fields, meta)
	f.Add([]byte(`{}`), (&record.Record{}).AppendMeta(nil))
	f.Add([]byte(`{"a":1}`), []byte{1, 1, 7, 1, 0, 1, 1, 0, 1, 1, 0})
	f.Add([]byte(`{"a":[ 1 , 1 ]}`), []byte{1, 1, 7, 0, 0, 1, 1, 2, 1, 1, 0, 0, 0})
	for i := range meta {
		f.Add(fields, meta[:i])
		flipped := slices.Clone(meta)
		flipped[i] ^= 0xff
		f.Add(fields, flipped)
	}
	f.Fuzz(func(t *testing.T, fields, meta []byte) {
		var first record.Record
		_, partErr := record.Since(fields, meta, 3)
		if first.Load(fields, meta) != nil {
			return
		}
		require.NoError(t, partErr, "what can be read can be read in part")

		second := load(t, first.AppendFields(nil), first.AppendMeta(nil))

		third := load(t, second.AppendFields(nil), second.AppendMeta(nil))
		require.Equal(t, second, third)
		require.Len(t, second.Slots, len(first.Slots))
		part, err := record.Since(fields, meta, 3)
		require.NoError(t, err)
		newer := 0
		for _, s := range first.Slots {
			if s.By.Seq > 3 {
				require.Equal(t, s.Raw, part.Get(s.Field))
				newer++
			}
		}
		require.Len(t, part, newer)
	})
}

// What was packed is as it was, and holds on to nothing that it came from.
func TestRecord_Pack(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		want := drawRecord(t)
		packed := want.Clone()

		fields := packed.Pack()

		require.Equal(t, string(want.AppendFields(nil)), string(fields))
		require.Equal(t, want.AppendMeta(nil), packed.AppendMeta(nil))
		for i := range packed.Slots {
			require.Equal(t, want.Slots[i].Raw, packed.Slots[i].Raw)
			require.Len(t, packed.Slots[i].Elems, len(want.Slots[i].Elems))
			for j, e := range packed.Slots[i].Elems {
				require.Equal(t, string(want.Slots[i].Elems[j].Raw), string(e.Raw))
			}
		}
		clear(fields)
		for i := range packed.Slots {
			require.Equal(t, make([]byte, len(packed.Slots[i].Raw)), []byte(packed.Slots[i].Raw), "it shares the memory of what was written")
		}
	})
}
