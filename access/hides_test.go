package access_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/record"
)

// A hidden map hides every key of it; the server sees everything.
func TestActor_Hides(t *testing.T) {
	t.Parallel()

	schema := &record.Schema{Kinds: []*record.Kind{{Name: "account", No: 1, Fields: []*record.Field{
		{Name: "name", Type: "text", Policy: record.LWW},
		{Name: "costs", Type: "map", Policy: record.LWW, Readers: []string{"finance"}},
	}}}}
	require.NoError(t, schema.Check())
	account := schema.Kind("account")
	rep := &access.Actor{Roles: []string{"rep"}, Active: true}
	finance := &access.Actor{Roles: []string{"finance"}, Active: true}

	require.True(t, rep.Hides(account, "costs.freight"))
	require.False(t, rep.Hides(account, "name"))
	require.False(t, rep.Hides(account, "no_such_field"))
	require.False(t, finance.Hides(account, "costs.freight"))
	require.False(t, (&access.Actor{System: true}).Hides(account, "costs.freight"))
}
