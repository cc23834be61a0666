package shipped_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/record/field"
	"roadbook/record/shipped"
)

func TestSchema_holdsTogether(t *testing.T) {
	t.Parallel()

	s, err := record.ParseSchema(shipped.Stored())

	require.NoError(t, err)
	require.Equal(t, s.Version, shipped.Schema().Version)
	require.Same(t, shipped.Schema(), shipped.Schema(), "it is parsed once")
}

// The numbers are in every row of the database and the ranks in cursors. What
// is here may be added to and never changed.
func TestSchema_numbersAndRanksNeverChange(t *testing.T) {
	t.Parallel()

	type fixed struct{ no, rank int16 }
	want := map[string]fixed{
		"account": {1, 40}, "contact": {2, 50}, "opportunity": {3, 60}, "visit_plan": {4, 10},
		"visit": {5, 80}, "follow_up": {6, 70}, "task": {7, 20}, "product": {8, 90},
		"user": {9, 100}, "unit": {10, 110}, "conflict": {11, 30}, "request": {12, 31},
		"reserve": {13, 32}, "budget": {14, 92}, "series": {15, 94}, "notification": {22, 25}, "preference": {24, 24},
		"merge_redirect": {20, 35}, "duplicate": {21, 36},
		"flow": {30, 96}, "approval": {31, 33}, "approval_decision": {32, 34}, "expense": {33, 85},
		"reminder": {23, 22}, "reminder_rule": {25, 97},
	}

	got := map[string]fixed{}
	for _, k := range shipped.Schema().Kinds {
		got[k.Name] = fixed{k.No, k.Rank}
	}

	require.Equal(t, want, got)
}

func TestSchema_storedFormIsStable(t *testing.T) {
	t.Parallel()

	once, err := shipped.Schema().Stored()
	require.NoError(t, err)
	again, err := record.ParseSchema(once)
	require.NoError(t, err)
	twice, err := again.Stored()
	require.NoError(t, err)

	require.JSONEq(t, string(once), string(twice))
	require.JSONEq(t, string(shipped.Stored()), string(once), "the file says nothing that would be lost")
}

func TestSchema_everyRecordHasItsCommonFields(t *testing.T) {
	t.Parallel()

	for _, k := range shipped.Schema().Kinds {
		owner := record.LWWAsk
		switch k.Name {
		case "visit_plan", "reserve", "notification", "preference", "approval", "approval_decision":
			owner = record.Once
		}
		require.Equal(t, owner, k.Field("owner").Policy, "%s.owner", k.Name)
		require.Equal(t, "user", k.Field("owner").Type, k.Name)
		require.Equal(t, record.Once, k.Field("created_at").Policy, k.Name)
		require.Equal(t, record.Once, k.Field("created_by").Policy, k.Name)
		require.Equal(t, record.Server, k.Field("received_at").Policy, k.Name)
		onDelete := record.Revive
		if k.Name == "notification" || k.Name == "reminder" { // who puts it away does not want it back because he had read, or snoozed, it elsewhere
			onDelete = record.DeleteWins
		}
		require.Equal(t, onDelete, k.OnDelete, k.Name)
	}
}

func TestSchema_everythingHasLabelsInBothLanguages(t *testing.T) {
	t.Parallel()

	for _, k := range shipped.Schema().Kinds {
		require.NotEmpty(t, k.Label["zh"], k.Name)
		require.NotEmpty(t, k.Label["en"], k.Name)
		for _, f := range k.Fields {
			require.NotEmpty(t, f.Label["zh"], "%s.%s", k.Name, f.Name)
			require.NotEmpty(t, f.Label["en"], "%s.%s", k.Name, f.Name)
		}
	}
}

// A policy needs a type that it can work with, and a type may need more words.
func TestSchema_policiesFitTheirTypes(t *testing.T) {
	t.Parallel()

	for _, k := range shipped.Schema().Kinds {
		for _, f := range k.Fields {
			name := k.Name + "." + f.Name
			choices := f.Type == "choice" || f.Type == "multi_choice"
			elements := f.Type == "tags" || f.Type == "files" || f.Type == "multi_choice"
			require.Equal(t, choices, len(f.Choices) > 0, "%s: choices", name)
			require.False(t, elements && f.Policy != record.Set, "%s is a list and no set", name)
			require.Equal(t, f.Floor != nil, f.Policy == record.Counter, "%s: floor", name)
			require.False(t, f.To != "" && f.Type != "reference", "%s refers and is no reference", name)
			if f.Policy == record.Max || f.Policy == record.Min {
				sample := json.RawMessage(`"2026-11-21T09:00:00Z"`)
				_, err := field.Compare(f.Type, sample, sample)
				require.NoError(t, err, name)
			}
		}
	}
}

func TestSchema_parentsAndMonths(t *testing.T) {
	t.Parallel()

	type home struct{ parent, month, scope string }
	want := map[string]home{
		"account":      {},
		"contact":      {parent: "account"},
		"opportunity":  {parent: "account"},
		"visit_plan":   {parent: "account", month: "date"},
		"visit":        {parent: "account", month: "check_in"},
		"follow_up":    {parent: "account", month: "happened_at"},
		"task":         {parent: "account"},
		"product":      {scope: record.Catalogue},
		"user":         {scope: record.Catalogue},
		"unit":         {scope: record.Catalogue},
		"conflict":     {parent: "record"},
		"request":      {parent: "record"},
		"reserve":      {parent: "record"},
		"budget":       {scope: record.Catalogue},
		"series":       {scope: record.Catalogue},
		"notification": {scope: record.Private},
		"preference":   {scope: record.Private},
		"reminder":     {}, "reminder_rule": {scope: record.Catalogue},
		"flow":     {scope: record.Catalogue},
		"approval": {parent: "record"}, "approval_decision": {parent: "approval"}, "expense": {parent: "account"},
		"merge_redirect": {parent: "survivor"}, "duplicate": {parent: "account"},
	}
	for _, k := range shipped.Schema().Kinds {
		got := home{k.Parent, k.Month, k.Scope}
		require.Equal(t, want[k.Name], got, k.Name)
		if k.Month != "" {
			require.NotNil(t, k.Field(k.Month), k.Name)
		}
	}
}

func TestSchema_whatIsRequired(t *testing.T) {
	t.Parallel()

	var required []string
	for _, k := range shipped.Schema().Kinds {
		for _, f := range k.Fields {
			if f.Required {
				required = append(required, k.Name+"."+f.Name)
			}
		}
	}

	require.ElementsMatch(t, []string{
		"account.name", "contact.account", "opportunity.account", "visit.account", "follow_up.account", "reserve.record", "reserve.field",
		"flow.code", "flow.about_kind", "approval.record", "approval_decision.approval", "approval_decision.decision", "expense.amount",
		"reminder.at", "reminder_rule.name",
	}, required)
}

func TestSchema_addressAndPointMergeAsOne(t *testing.T) {
	t.Parallel()

	account := shipped.Schema().Kind("account")
	var names []string
	for _, f := range account.GroupOf(account.Field("address")) {
		names = append(names, f.Name)
	}

	require.ElementsMatch(t, []string{"address", "location"}, names)
}

func TestSchema_mobileOfAUserIsForThoseWhoNeedIt(t *testing.T) {
	t.Parallel()

	mobile := shipped.Schema().Kind("user").Field("mobile")

	require.False(t, mobile.ReadableBy([]string{"rep"}))
	for _, role := range []string{"manager", "admin", "service"} {
		require.True(t, mobile.ReadableBy([]string{role}), role)
	}
	require.False(t, slices.Contains(mobile.Readers, "finance"))
}
