package version_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/version"
)

// FuzzVector holds vectors to their JSON: what is read can be written, what is
// written is JSON, and it reads the same again.
func FuzzVector(f *testing.F) {
	for _, text := range []string{
		`{}`, `null`, `{"log":"812","m3x9":4}`, `{"log":812}`, `{"a":"4","a":5}`, `{"a":-1}`, `{"a":1e3}`, `{"":0}`,
		`{"a":9223372036854775807}`, `{"a":9223372036854775808}`, `{"\u0000":1}`, `{"\u0007\u007f":1}`, `{"王\u2028":1}`,
		"{\"\xff\":1}", `{"a":"1\""}`, `{"a":[]}`, `[]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var v, back version.Vector
		if json.Unmarshal(text, &v) != nil {
			return
		}
		written, err := json.Marshal(v)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(written, &back), "%s", written)
		require.Len(t, back, len(v))
		for r, n := range v {
			require.Equal(t, n, back[r], "%q", r)
			require.True(t, back.Covers(version.Dot{Replica: r, N: n}))
		}
		require.True(t, v.Dominates(back) && back.Dominates(v))
		require.GreaterOrEqual(t, v.Seq(), int64(0))
	})
}

// FuzzStamp holds every stamp that passes the check to its packed form.
func FuzzStamp(f *testing.F) {
	f.Add([]byte(`{"ms":1795302403000,"c":0}`), int64(0))
	f.Add([]byte(`{"ms":7258118400000,"c":65535}`), int64(version.MaxStampMS))
	f.Add([]byte(`{"ms":-1}`), int64(-1))
	f.Fuzz(func(t *testing.T, text []byte, packed int64) {
		require.Equal(t, packed, version.Unpack(packed).Packed())
		var s version.Stamp
		if json.Unmarshal(text, &s) != nil || s.Check() != nil {
			return
		}
		require.Equal(t, s, version.Unpack(s.Packed()))
		require.Positive(t, s.Next().Compare(s))
		require.Greater(t, s.Next().Packed(), s.Packed())
	})
}
