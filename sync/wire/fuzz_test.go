package wire_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/sync/wire"
)

// odd are pieces of JSON that readers have stumbled over.
var odd = []string{
	``, ` `, `null`, `{}`, `[]`, `{"a":1}`, `{"a":1,"a":2}`, `[1,2,{"b":[]}]`, `"\ud83d\ude00"`, `"\ud800"`, `"\u0000"`,
	`{"a":`, `{"a"`, `"a\`, `[`, `[[[[`, `}`, `{]`, `NaN`, `-`, `1e`, `01`,
	"\"\xff\"", `{"a" 1}`, `"\u00`, `{"n":1}`, `tru`,
	`[1.0,-0,1E+5,9007199254740993]`, `{"\u0061":{"b":1,"a":2},"` + "\x7f" + `":"\/"}`,
}

func FuzzReadPush(f *testing.F) {
	for _, body := range goldens(f, "push") {
		f.Add(body)
	}
	f.Add(pushOf(3))
	for _, s := range odd {
		f.Add([]byte(s))
		f.Add(push(mutation(1), setTo(s), mutation(3)))
		f.Add(push(with(stamp + `,"again":` + s + `,"after":` + s)))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := wire.ReadPush(body)
		if err != nil {
			require.Equal(t, errs.Invalid, errs.KindOf(err))
			require.NotEmpty(t, errs.CodeOf(err))
			return
		}
		for i, m := range got.Mutations {
			require.NotZero(t, m.N)
			require.False(t, m.ID.IsZero())
			require.Equal(t, m.Broken == nil, len(m.Edits) > 0)
			require.Equal(t, got.Mutations[0].N+uint64(i), m.N)
		}
		text, err := json.Marshal(got)
		require.NoError(t, err)
		again, err := wire.ReadPush(text)
		require.NoError(t, err, "%s", text)
		require.Len(t, again.Mutations, len(got.Mutations))
		for i, m := range got.Mutations {
			require.Equal(t, m.ID, again.Mutations[i].ID)
			if m.Broken == nil {
				require.Nil(t, again.Mutations[i].Broken, "%s", text)
				require.Equal(t, m.Hash, again.Mutations[i].Hash, "%s", text)
				require.Equal(t, m.Hash, wire.Hash(&m))
			}
		}
	})
}

func FuzzReadPull(f *testing.F) {
	for _, body := range goldens(f, "pull_request") {
		f.Add(body)
	}
	for _, s := range odd {
		f.Add([]byte(s))
		f.Add([]byte(pull(`,"want":` + s)))
		f.Add([]byte(pull(`,"max_bytes":` + s)))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := wire.ReadPull(body)
		if err != nil {
			require.Equal(t, errs.Invalid, errs.KindOf(err))
			require.NotEmpty(t, errs.CodeOf(err))
			return
		}
		require.NotEmpty(t, got.Replica)
		require.True(t, got.MaxBytes >= 1 && got.MaxBytes <= wire.MaxPageBytes)
		text, err := json.Marshal(got)
		require.NoError(t, err)
		again, err := wire.ReadPull(text)
		require.NoError(t, err, "%s", text)
		text2, err := json.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(text), string(text2))
	})
}

// FuzzCanonical holds the check against encoding/json: what passes is JSON and
// means the same, and what is JSON passes unless it is one of the things that
// are refused on purpose.
func FuzzCanonical(f *testing.F) {
	for _, s := range odd {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := wire.Canonical(nil, raw)
		if err != nil {
			code := errs.CodeOf(err)
			require.True(t, code != "malformed" || !json.Valid(raw) || !utf8.Valid(raw), "%s: %v", raw, err)
			require.True(t, code != "duplicate" || json.Valid(raw))
			require.True(t, code != "deep" || strings.Count(string(raw), "[")+strings.Count(string(raw), "{") > wire.MaxDepth)
			return
		}
		require.True(t, json.Valid(raw))
		require.Equal(t, decoded(t, raw), decoded(t, got))
		again, err := wire.Canonical(nil, got)
		require.NoError(t, err)
		require.Equal(t, string(got), string(again))
		var compact bytes.Buffer
		require.NoError(t, json.Compact(&compact, got))
		require.Equal(t, compact.String(), string(got), "there was white space left")
	})
}
