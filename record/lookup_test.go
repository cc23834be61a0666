package record_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// Elements of a set may have one key: it says the beginning of a text and of an
// amount no currency. Such a key has one row.
func TestAppendLookups_ofElementsWithOneKey(t *testing.T) {
	t.Parallel()
	schema, err := record.ParseSchema([]byte(`{"version":"1","kinds":[{"kind":"shop","no":1,"rank":1,"on_delete":"revive","fields":[
		{"field":"debts","type":"money","policy":"set","lookup":1},
		{"field":"notes","type":"text","policy":"set","lookup":2},
		{"field":"code","type":"text","policy":"lww","lookup":3}]}]}`))
	require.NoError(t, err)
	kind := schema.Kind("shop")
	shop := &record.Record{Kind: kind, Slots: []record.Slot{
		{Field: "code", Raw: []byte(`"7"`)},
		{Field: "debts", Raw: []byte(`[{"amount":"7","currency":"CNY"},{"amount":"8","currency":"CNY"},{"amount":"7","currency":"EUR"}]`)},
		{Field: "notes", Raw: []byte(`["7","8"]`)},
	}}

	gone, come := record.ChangedLookups(nil, shop)

	require.Empty(t, gone)
	vals := map[string][]string{}
	for _, f := range kind.Lookups() {
		for _, r := range come {
			if r.Field == kind.LookupNo(f) {
				vals[f.Name] = append(vals[f.Name], r.Val)
			}
		}
	}
	require.Len(t, vals["debts"], 2)
	require.Equal(t, []string{"7", "8"}, vals["notes"])
	require.Equal(t, []string{"7"}, vals["code"], "what is equal in two fields has two rows")
}
