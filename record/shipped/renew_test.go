package shipped_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/record/shipped"
)

// ofRelease is the schema of the org in the snapshot of a release.
func ofRelease(t *testing.T, release string) *record.Schema {
	t.Helper()
	data, err := os.ReadFile("../../migrations/testdata/" + release + ".data.sql")
	require.NoError(t, err)
	_, rows, found := strings.Cut(string(data), "INSERT INTO public.schemas VALUES")
	require.True(t, found)
	_, body, found := strings.Cut(rows, "'")
	require.True(t, found)
	var raw json.RawMessage
	require.NoError(t, json.NewDecoder(strings.NewReader(strings.ReplaceAll(body, "''", "'"))).Decode(&raw))
	s, err := record.ParseSchema(raw)
	require.NoError(t, err)
	return s
}

// Whatever has come into the standard since a release comes to the orgs that
// began with it. What is added from now on needs a line in renew.go, or this
// fails.
func TestRenewed_sinceEveryRelease(t *testing.T) {
	t.Parallel()

	for _, release := range []string{"v0.1.0"} {
		was := ofRelease(t, release)
		beside, err := shipped.Renewed(was, false)
		require.NoError(t, err)
		require.NotNil(t, beside, release)
		require.Equal(t, record.Server, beside.Kind("account").Field("credit_limit").Policy, "servers of then do not know the policy")
		none, err := shipped.Renewed(beside, false)
		require.NoError(t, err)
		require.Nil(t, none)
		s, err := shipped.Renewed(beside, true)
		require.NoError(t, err)
		for _, k := range shipped.Schema().Kinds {
			own := s.Kind(k.Name)
			require.NotNil(t, own, "%s: %s", release, k.Name)
			require.Equal(t, k.No, own.No)
			require.Equal(t, k.Match, own.Match, k.Name)
			for _, f := range k.Fields {
				at := slices.IndexFunc(own.Fields, func(o *record.Field) bool { return o.Name == f.Name })
				require.GreaterOrEqual(t, at, 0, "%s: %s.%s", release, k.Name, f.Name)
				require.Equal(t, f.Policy == record.Owned, own.Fields[at].Policy == record.Owned, "%s.%s", k.Name, f.Name)
				require.Equal(t, f.Lookup, own.Fields[at].Lookup, "%s.%s", k.Name, f.Name)
			}
		}
		require.Contains(t, s.Kind("user").Field("roles").Choices, "erp")
		require.Nil(t, was.Kind("request"), "it is a copy")

		again, err := shipped.Renewed(s, true)
		require.NoError(t, err)
		require.Nil(t, again, "once")
	}
	none, err := shipped.Renewed(shipped.Schema(), true)
	require.NoError(t, err)
	require.Nil(t, none)
}

// changed is a schema with something else about it.
func changed(t *testing.T, s *record.Schema, change func(*record.Schema)) *record.Schema {
	t.Helper()
	body, err := s.Stored()
	require.NoError(t, err)
	own, err := record.ParseSchema(body)
	require.NoError(t, err)
	change(own)
	require.NoError(t, own.Check())
	return own
}

// What an org has of its own stays: fields, kinds, numbers, names; and what it
// has taken out does not come back.
func TestRenewed_leavesOwnAlone(t *testing.T) {
	t.Parallel()

	old := ofRelease(t, "v0.1.0")
	for name, tt := range map[string]struct {
		change func(*record.Schema)
		check  func(t *testing.T, s *record.Schema)
	}{
		"a field of that name": {
			func(s *record.Schema) {
				s.Kind("conflict").Fields = append(s.Kind("conflict").Fields, &record.Field{Name: "base", Type: "number", Policy: record.LWW})
			},
			func(t *testing.T, s *record.Schema) { //nolint:thelper // it is the check
				require.Equal(t, "number", s.Kind("conflict").Field("base").Type)
				require.NotNil(t, s.Kind("conflict").Field("decided_at"))
			},
		},
		"a kind of that number": {
			func(s *record.Schema) {
				s.Kinds = append(s.Kinds, &record.Kind{Name: "van", No: 14, OnDelete: record.Revive, Rank: 99})
			},
			func(t *testing.T, s *record.Schema) { //nolint:thelper // it is the check
				require.NotNil(t, s.Kind("van"))
				require.Nil(t, s.Kind("budget"))
				require.NotNil(t, s.Kind("series"))
			},
		},
		"a field of theirs that people write": {
			func(s *record.Schema) { s.Kind("account").Field("credit_limit").Policy = record.LWW },
			func(t *testing.T, s *record.Schema) { //nolint:thelper // it is the check
				require.Equal(t, record.LWW, s.Kind("account").Field("credit_limit").Policy)
				require.Equal(t, record.Owned, s.Kind("account").Field("receivable").Policy)
			},
		},
		"a field that not everybody sees": {
			func(s *record.Schema) { s.Kind("account").Field("receivable").Readers = []string{"finance"} },
			func(t *testing.T, s *record.Schema) { //nolint:thelper // it is the check
				require.Equal(t, record.Server, s.Kind("account").Field("receivable").Policy)
			},
		},
	} {
		s, err := shipped.Renewed(changed(t, old, tt.change), true)
		require.NoError(t, err, name)
		require.NotNil(t, s, name)
		tt.check(t, s)
		again, err := shipped.Renewed(s, true)
		require.NoError(t, err, name)
		require.Nil(t, again, name)
	}

	without := changed(t, shipped.Schema(), func(s *record.Schema) {
		s.Kinds = slices.DeleteFunc(s.Kinds, func(k *record.Kind) bool { return k.Name == "budget" })
	})
	s, err := shipped.Renewed(without, true)
	require.NoError(t, err)
	require.Nil(t, s, "it was offered once")

	foreign := changed(t, old, func(s *record.Schema) {
		s.Kinds = slices.DeleteFunc(s.Kinds, func(k *record.Kind) bool { return k.Name != "product" })
	})
	s, err = shipped.Renewed(foreign, true)
	require.NoError(t, err)
	require.Nil(t, s, "it is another's")
}

// A server of the release before reads the schema while both serve: what comes to
// orgs from before uses no policy and no type that it does not know.
func TestRenewed_readableByTheReleaseBefore(t *testing.T) {
	t.Parallel()

	policies, types := map[record.Policy]bool{}, map[string]bool{}
	was := ofRelease(t, "v0.1.0")
	for _, k := range was.Kinds {
		for _, f := range k.Fields {
			policies[f.Policy], types[f.Type] = true, true
		}
	}
	beside, err := shipped.Renewed(was, false)
	require.NoError(t, err)
	for _, k := range beside.Kinds {
		for _, f := range k.Fields {
			require.True(t, policies[f.Policy], "%s.%s: %s", k.Name, f.Name, f.Policy)
			require.True(t, types[f.Type], "%s.%s: %s", k.Name, f.Name, f.Type)
		}
	}
}
