package demo_test

import (
	"bytes"
	"encoding/json"
	"slices"
	stdsync "sync"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/demo"
	"roadbook/record"
	"roadbook/record/shipped"
)

// all are the items of the demo as it is shipped, made once for all tests that
// only look.
var all = stdsync.OnceValue(func() []demo.Item { return slices.Collect(org().Proposals()) })

// creates calls fn for every record.
func creates(fn func(item demo.Item, e record.Edit)) {
	for _, item := range all() {
		if e := item.Mutation.Edits[0]; e.Op == record.OpCreate {
			fn(item, e)
		}
	}
}

func TestOrg_Proposals_counts(t *testing.T) {
	t.Parallel()

	counts, lins, records := map[string]int{}, 0, 0
	creates(func(_ demo.Item, e record.Edit) {
		records++
		counts[e.Kind]++
		if e.Kind == "account" && e.Set.Text("owner") == demo.PersonID("lin").String() {
			lins++
		}
	})

	require.Equal(t, 420, lins)
	require.Equal(t, 30_000, counts["visit"]+counts["follow_up"])
	require.Equal(t, org().Records(), records)
	require.Equal(t, map[string]int{
		"unit": 7, "user": 40, "product": 60, "account": 3_000, "contact": 4_500, "opportunity": 600,
		"visit_plan": counts["visit_plan"], "visit": 18_000, "follow_up": 12_000, "task": 600,
	}, counts)
	require.Greater(t, counts["visit_plan"], 3_000)
}

// A value that its field would change on the way in would differ from what a
// device reads back.
func TestOrg_Proposals_valuesAreCanonical(t *testing.T) {
	t.Parallel()

	for _, item := range all() {
		for _, e := range item.Mutation.Edits {
			kind := shipped.Schema().Kind(e.Kind)
			for _, v := range e.Set {
				f := kind.Field(v.Field)
				require.NotNil(t, f, "%s.%s", e.Kind, v.Field)
				require.NotEqual(t, record.Server, f.Policy, "%s.%s is the server's", e.Kind, v.Field)
				checkValue(t, e.Kind, f, v.Raw)
			}
		}
	}
}

func checkValue(t *testing.T, kind string, f *record.Field, raw json.RawMessage) {
	t.Helper()

	elements := []json.RawMessage{raw}
	if f.Policy == record.Set {
		var err error
		elements, err = record.ParseList(raw)
		require.NoError(t, err)
		require.True(t, len(elements) > 0 && sortedOnce(elements), "%s.%s: %s", kind, f.Name, raw)
	}
	for _, e := range elements {
		got, err := f.Check(e)
		if err != nil || !bytes.Equal(got, e) {
			require.Failf(t, "not canonical", "%s.%s: %s became %s, %v", kind, f.Name, e, got, err)
		}
	}
}

func sortedOnce(list []json.RawMessage) bool {
	for i := 1; i < len(list); i++ {
		if bytes.Compare(list[i-1], list[i]) >= 0 {
			return false
		}
	}
	return true
}

func TestOrg_Proposals_referencesResolveToWhatCameBefore(t *testing.T) {
	t.Parallel()

	made := map[string]string{} // id, kind
	for _, item := range all() {
		e := item.Mutation.Edits[0]
		kind := shipped.Schema().Kind(e.Kind)
		if e.Op == record.OpEdit {
			require.Equal(t, e.Kind, made[e.ID.String()])
		}
		for _, v := range e.Set {
			f := kind.Field(v.Field)
			if f.Type != "reference" && f.Type != "user" {
				continue
			}
			for _, id := range ids(v.Raw) {
				to := made[id]
				self := f.Type == "user" && id == demo.PersonID("admin").String()
				if to == "" && !self || f.To != "" && f.To != to || f.Type == "user" && to != "user" && !self {
					require.Failf(t, "dangling", "%s.%s names %s, a %q", e.Kind, f.Name, id, to)
				}
			}
		}
		for _, good := range rows(e.Set.Get("products")) {
			require.Equal(t, "product", made[good.Product])
		}
		made[e.ID.String()] = e.Kind
	}
}

func ids(raw json.RawMessage) []string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}
	}
	var many []string
	if json.Unmarshal(raw, &many) != nil {
		return nil
	}
	return many
}

type row struct{ Product string }

func rows(raw json.RawMessage) []row {
	var list []row
	if raw != nil && json.Unmarshal(raw, &list) != nil {
		return []row{{}}
	}
	return list
}

func TestOrg_Proposals_everybodyWorksInOrderAndBeforeMidnight(t *testing.T) {
	t.Parallel()

	seen, last, people := map[record.ID]bool{}, map[record.ID]int64{}, map[record.ID]bool{}
	for _, p := range demo.People() {
		people[demo.PersonID(p.Login)] = true
	}
	for _, item := range all() {
		m := item.Mutation
		require.Len(t, m.Edits, 1)
		require.True(t, people[item.Person])
		require.False(t, seen[m.ID], "a mutation's id is its own")
		require.LessOrEqual(t, last[item.Person], m.Stamp.MS, "stamps never go back")
		require.Less(t, m.Stamp.MS, midnight.UnixMilli())
		require.NoError(t, m.Stamp.Check())
		seen[m.ID], last[item.Person] = true, m.Stamp.MS
	}
	creates(func(_ demo.Item, e record.Edit) {
		require.False(t, seen[e.ID], "a record's id is its own")
		seen[e.ID] = true
	})
}

func TestOrg_Proposals_everyRecordSaysWhoseAndSinceWhen(t *testing.T) {
	t.Parallel()

	creates(func(item demo.Item, e record.Edit) {
		require.NotEmpty(t, e.Set.Text("owner"))
		require.NotEmpty(t, e.Set.Text("created_at"))
		for _, f := range shipped.Schema().Kind(e.Kind).Fields {
			require.False(t, f.Required && e.Set.Get(f.Name) == nil, "%s.%s", e.Kind, f.Name)
		}
		if e.Kind != "task" {
			require.Equal(t, item.Person.String(), e.Set.Text("owner"), e.Kind)
		}
	})
}
