package record_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/record/shipped"
)

// FuzzSchema publishes anything as a schema: it holds together or is refused,
// and one that was taken is stored and read again as it was.
func FuzzSchema(f *testing.F) {
	text, err := shipped.Schema().Stored()
	require.NoError(f, err)
	f.Add(text)
	for _, s := range []string{
		`{}`, `null`, `{"kinds":[null]}`, `{"kinds":[{}]}`, `{"kinds":[{"kind":"a","no":1,"fields":[null]}]}`,
		`{"kinds":[{"kind":"a","no":1,"parent":"b","fields":[{"field":"b","type":"text","policy":"lww"}]}]}`,
		`{"kinds":[{"kind":"a","no":1,"fields":[{"field":"b","type":"choice","policy":"state","choices":["x","y"],"states":{"moves":{"x":["y"]},"order":["y","x"],"joins":[{"of":["x","y"],"ask":true}]}}]}]}`,
		`{"kinds":[{"kind":"a","no":1,"fields":[{"field":"b","type":"map","policy":"lww"}],"readers":{"b":["rep"],"c":[]}}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := record.ParseSchema(text)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		stored, err := s.Stored()
		require.NoError(t, err)
		again, err := record.ParseSchema(stored)
		require.NoError(t, err)
		same, err := again.Stored()
		require.NoError(t, err)
		require.Equal(t, string(stored), string(same))
		for _, k := range s.Kinds {
			require.Equal(t, k, s.Kind(k.Name))
			require.Equal(t, k, s.KindNo(k.No))
			for _, f := range k.Fields {
				require.NotNil(t, k.Field(f.Name+keyOf(f.Type)), f.Name)
				require.Equal(t, f.Join(f.Choices...), f.Join(backwards(f.Choices)...), "%s: what states come to", f.Name)
			}
		}
		_, err = json.Marshal(s)
		require.NoError(t, err)
	})
}

func backwards(names []string) []string {
	out := slices.Clone(names)
	slices.Reverse(out)
	return out
}

// keyOf is what a field of a type is called by, besides its name.
func keyOf(typ string) string {
	if typ == "map" {
		return ".k"
	}
	return ""
}

// FuzzID reads ids in every spelling: one that is taken has one canonical form
// in every way of writing it, and the raw reader takes nothing else.
func FuzzID(f *testing.F) {
	for _, s := range []string{
		"0191c0de-0001-7000-8000-00000000ac01", "0191C0DE-0001-7000-8000-00000000AC01", "{0191c0de-0001-7000-8000-00000000ac01}",
		"urn:uuid:0191c0de-0001-7000-8000-00000000ac01", "0191c0de000170008000000000000001", "", "00000000-0000-0000-0000-000000000000",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted, err := json.Marshal(text)
		require.NoError(t, err)
		fromRaw, ok := record.RawID(quoted)
		id, err := record.ParseID(text)
		if ok {
			require.NoError(t, err)
			require.Equal(t, id, fromRaw)
		}
		if err != nil || id.IsZero() {
			return
		}
		require.Equal(t, id.String(), string(record.AppendID(nil, id)))
		again, err := record.ParseID(id.String())
		require.NoError(t, err)
		require.Equal(t, id, again)
		raw, ok := record.RawID([]byte(`"` + id.String() + `"`))
		require.True(t, ok)
		require.Equal(t, id, raw)
	})
}
