package conflicts_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/conflicts"
	"roadbook/errs"
	"roadbook/record"
)

func TestDecision(t *testing.T) {
	t.Parallel()

	me, you := record.MustID("0190aaaa-0000-7000-8000-000000000001"), record.MustID("0190aaaa-0000-7000-8000-000000000002")
	versions := conflicts.Versions(json.RawMessage(`[
		{"id":"` + you.Derive("a").String() + `","value":"\"theirs\"","author":"` + you.String() + `","at":"2026-11-21T08:00:00Z"},
		{"id":"` + me.Derive("b").String() + `","value":"\"mine\"","author":"` + me.String() + `"}]`))
	require.Len(t, versions, 2)
	require.Equal(t, "2026-11-21T08:00:00Z", versions[0].At)
	long := append(slices.Clone(versions[:1]), conflicts.Version{ID: me.Derive("b"), Author: me})
	third := append(slices.Clone(versions[:2]), conflicts.Version{ID: you.Derive("c"), Author: you, Value: json.RawMessage(`"more"`)})
	text, choice := &record.Field{Type: "text", Policy: record.LWW}, &record.Field{Type: "choice", Policy: record.LWW}
	for _, tt := range []struct {
		name string
		d    conflicts.Decision
		of   []conflicts.Version
		f    *record.Field
		want string // or a code
	}{
		{"mine", conflicts.Decision{Keep: "mine"}, versions, text, `"mine"`},
		{"theirs", conflicts.Decision{Keep: "theirs"}, versions, text, `"theirs"`},
		{"both, in the order of the conflict", conflicts.Decision{Keep: "both"}, versions, text, `"theirs / mine"`},
		{"both, where there is room for one", conflicts.Decision{Keep: "both"}, versions, choice, "both"},
		{"both of three", conflicts.Decision{Keep: "both"}, third, text, "version"},
		{"both of a field that is gone", conflicts.Decision{Keep: "both"}, versions, nil, "version"},
		{"theirs of two others", conflicts.Decision{Keep: "theirs"}, third, text, "version"},
		{"this", conflicts.Decision{Keep: "this", Version: you.Derive("c")}, third, text, `"more"`},
		{"one that is not there", conflicts.Decision{Keep: "this", Version: you.Derive("d")}, third, text, "version"},
		{"one that is too long to be shown", conflicts.Decision{Keep: "mine"}, long, text, "version"},
		{"other", conflicts.Decision{Keep: "other", Value: json.RawMessage(`"else"`)}, nil, text, `"else"`},
		{"nothing", conflicts.Decision{Keep: "other"}, versions, text, "null"},
		{"an unknown word", conflicts.Decision{Keep: "all"}, versions, text, "version"},
	} {
		got, err := tt.d.Of(tt.of, me, tt.f)
		if err != nil {
			require.Equal(t, tt.want, errs.CodeOf(err), tt.name)
			continue
		}
		require.Equal(t, tt.want, string(got), tt.name)
	}
	require.Empty(t, conflicts.Versions(nil))
	require.Empty(t, conflicts.Versions(json.RawMessage(`{"no":"list"}`)))
}

func TestAsText_atTheLimit(t *testing.T) {
	t.Parallel()

	at := `"` + strings.Repeat("x", conflicts.MaxShown-2) + `"`
	require.Equal(t, at, string(conflicts.AsText(json.RawMessage(at))))
	require.Nil(t, conflicts.AsText(json.RawMessage(at[:1]+"x"+at[1:])))
	require.Equal(t, `"{\"amount\":1}"`, string(conflicts.AsText(json.RawMessage(`{"amount":1}`))))
	require.Nil(t, conflicts.AsText(json.RawMessage("null")))
	require.Nil(t, conflicts.AsText(nil))
}
