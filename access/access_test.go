package access_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/record/shipped"
)

// The people of these tests: somebody, who is below him, and a stranger.
var (
	self     = record.MustID("0190aaaa-0000-7000-8000-000000000001")
	below    = record.MustID("0190aaaa-0000-7000-8000-000000000002")
	stranger = record.MustID("0190aaaa-0000-7000-8000-000000000003")
)

// The scopes of these tests.
const (
	ownScope record.ScopeID = iota + 1
	sharedScope
	belowScope
	strangerScope
	catalogueScope
)

// somebody is an actor who holds his own records, those shared with him, those
// of the people below him, and the catalogue.
func somebody(roles ...access.Role) *access.Actor {
	a := &access.Actor{
		Person: self, Active: true,
		Scopes: map[record.ScopeID]bool{ownScope: true, sharedScope: true, belowScope: true, catalogueScope: true},
		Owners: map[record.ID]bool{self: true, below: true},
	}
	for _, r := range roles {
		a.Roles = append(a.Roles, string(r))
	}
	return a
}

// may says what an actor may do with a kind: r to read it, w to create and
// edit, and to delete what is his own (o), a subordinate's (s), a stranger's (x).
func may(a *access.Actor, k *record.Kind) string {
	var can strings.Builder
	for _, q := range []struct {
		letter string
		yes    bool
	}{
		{"r", a.Reads(k)},
		{"w", a.CheckWrite(k) == nil},
		{"o", a.CheckDelete(k, self) == nil},
		{"s", a.CheckDelete(k, below) == nil},
		{"x", a.CheckDelete(k, stranger) == nil},
	} {
		if q.yes {
			can.WriteString(q.letter)
		}
	}
	return can.String()
}

// The matrix of the shipped policy: each role, on each kind. Customers are
// what the whole company works with, the rest is the field's own, and the
// catalogue is everybody's to read.
func TestActor(t *testing.T) {
	t.Parallel()

	customers := []string{"account", "contact", "task"}
	tests := []struct {
		name                                 string
		actor                                *access.Actor
		customer, request, field, everybodys string
	}{
		{"a rep creates and edits, and deletes his own", somebody(access.Rep), "rwo", "rwo", "rwo", "r"},
		{"a manager the same for his people", somebody(access.Manager), "rwos", "rwos", "rwos", "r"},
		{"service has the customers of the whole company", somebody(access.Service), "rwo", "rwo", "", "r"},
		{"finance reads what service does", somebody(access.Finance), "r", "rwo", "", "r"},
		{"a program that answers for fields the same", somebody(access.ERP), "r", "rwo", "", "r"},
		{"an administrator does everything", somebody(access.Admin), "rwosx", "rwosx", "rwosx", "rwosx"},
		{"two roles have the rights of both", somebody(access.Finance, access.Rep), "rwo", "rwo", "rwo", "r"},
		{"whoever has no role has the catalogue", somebody(), "", "", "", "r"},
		{"a role that nobody knows is none", somebody("boss"), "", "", "", "r"},
		{"the server does everything", &access.Actor{System: true}, "rwosx", "rwosx", "rwosx", "rwosx"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			for _, k := range shipped.Schema().Kinds {
				want := tt.field
				switch {
				case k.Scope == record.Catalogue:
					want = tt.everybodys
				case k.Name == "request", k.Scope == record.Private, k.Name == "reminder" && tt.name != "a program that answers for fields the same":
					want = tt.request
				case slices.Contains(customers, k.Name):
					want = tt.customer
				case k.Name == "approval_decision" && want == "" && tt.customer != "":
					want = "rwo" // whoever is asked may say something
				case (k.Name == "merge_redirect" || k.Name == "approval") && want == "" && tt.customer != "":
					want = "r" // where a customer goes on is for whoever has customers, and what he is asked
				}

				require.Equal(t, want, may(tt.actor, k), k.Name)
			}
		})
	}
}

// Whoever has left the company sees nothing and does nothing, whatever he was.
func TestActor_whoHasLeft(t *testing.T) {
	t.Parallel()

	for _, role := range append(access.Roles(), "") {
		a := somebody(role)
		a.Active = false
		for _, k := range shipped.Schema().Kinds {
			require.Empty(t, may(a, k), "%s %s", role, k.Name)
			require.False(t, a.Sees(k, []record.ScopeID{ownScope, catalogueScope}), "%s %s", role, k.Name)
		}
	}
}

// A record is there for somebody who holds a scope that it lies in, if its kind
// is for him at all.
func TestActor_Sees(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name   string
		actor  *access.Actor
		kind   string
		scopes []record.ScopeID
		want   bool
	}{
		{"his own", somebody(access.Rep), "visit", []record.ScopeID{ownScope}, true},
		{"what is shared with him", somebody(access.Rep), "account", []record.ScopeID{strangerScope, sharedScope}, true},
		{"a stranger's", somebody(access.Rep), "account", []record.ScopeID{strangerScope}, false},
		{"what lies nowhere", somebody(access.Rep), "account", nil, false},
		{"a subordinate's", somebody(access.Manager), "visit", []record.ScopeID{belowScope}, true},
		{"the catalogue", somebody(access.Rep), "product", []record.ScopeID{catalogueScope}, true},
		{"the catalogue, without a role", somebody(), "product", []record.ScopeID{catalogueScope}, true},
		{"an account, for finance", somebody(access.Finance), "account", []record.ScopeID{belowScope}, true},
		{
			"a visit is not for finance, wherever it lies",
			somebody(access.Finance), "visit",
			[]record.ScopeID{ownScope, belowScope},
			false,
		},
		{"an administrator sees what he holds", somebody(access.Admin), "visit", []record.ScopeID{strangerScope}, false},
		{"the server sees everything", &access.Actor{System: true}, "visit", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tt.want, tt.actor.Sees(shipped.Schema().Kind(tt.kind), tt.scopes))
		})
	}
}

// A refusal says in a sentence what it is about.
func TestActor_refusals(t *testing.T) {
	t.Parallel()

	rep, s := somebody(access.Rep), shipped.Schema()
	tests := []struct {
		name string
		err  error
		code string
		says string
	}{
		{"the catalogue", rep.CheckWrite(s.Kind("product")), "catalogue", "only an administrator"},
		{"people", rep.CheckWrite(s.Kind("user")), "catalogue", "only an administrator"},
		{"units", rep.CheckDelete(s.Kind("unit"), self), "catalogue", "only an administrator"},
		{"a kind that is not for the role", somebody(access.Service).CheckWrite(s.Kind("visit")), "denied", "your role"},
		{"a kind to read only", somebody(access.Finance).CheckDelete(s.Kind("account"), self), "denied", "your role"},
		{"a stranger's record", rep.CheckDelete(s.Kind("account"), stranger), "denied", "only its owner or a manager"},
		{
			"nobody's record",
			somebody(access.Manager).CheckDelete(s.Kind("account"), record.NoID), "denied", "only its owner or a manager",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			require.Error(t, tt.err)
			require.Equal(t, errs.Denied, errs.KindOf(tt.err))
			require.Equal(t, tt.code, errs.CodeOf(tt.err))
			require.ErrorContains(t, tt.err, tt.says)
		})
	}
}

func TestActor_Hidden(t *testing.T) {
	t.Parallel()

	mobile := map[string]bool{"mobile": true}
	tests := []struct {
		name  string
		actor *access.Actor
		want  map[string]bool
	}{
		{"a rep", somebody(access.Rep), mobile},
		{"finance", somebody(access.Finance), mobile},
		{"nobody in particular", somebody(), mobile},
		{"a manager", somebody(access.Manager), nil},
		{"service", somebody(access.Service), nil},
		{"an administrator", somebody(access.Admin), nil},
		{"a rep who is a manager too", somebody(access.Rep, access.Manager), nil},
		{"the server", &access.Actor{System: true}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tt.want, tt.actor.Hidden(shipped.Schema().Kind("user")))
			require.Nil(t, tt.actor.Hidden(shipped.Schema().Kind("account")), "nothing there is hidden")
		})
	}
}

// Who answers for a field has the role that it names, and may act.
func TestActor_Answers(t *testing.T) {
	t.Parallel()

	limit, gone := shipped.Schema().Kind("account").Field("credit_limit"), somebody(access.Finance)
	gone.Active = false

	require.True(t, somebody(access.Rep, access.Finance).Answers(limit))
	require.True(t, (&access.Actor{System: true}).Answers(limit))
	for _, a := range []*access.Actor{somebody(access.Rep), somebody(access.Admin), somebody(access.ERP), somebody(), gone} {
		require.False(t, a.Answers(limit), a.Roles)
	}
	require.False(t, somebody(access.Rep).Answers(shipped.Schema().Kind("account").Field("name")), "nobody answers for a field that is not owned")
}

func TestActor_Hidden_manyFields(t *testing.T) {
	t.Parallel()

	k := &record.Kind{Fields: []*record.Field{
		{Name: "name"}, {Name: "cost", Readers: []string{"finance"}}, {Name: "margin", Readers: []string{"manager", "finance"}},
	}}

	require.Equal(t, map[string]bool{"cost": true, "margin": true}, somebody(access.Rep).Hidden(k))
	require.Equal(t, map[string]bool{"cost": true}, somebody(access.Manager).Hidden(k))
	require.Nil(t, somebody(access.Finance).Hidden(k))
}

func TestMay(t *testing.T) {
	t.Parallel()

	for _, role := range access.Roles() {
		require.True(t, access.May([]string{"boss", string(role)}, access.Sync), role)
	}
	for _, roles := range [][]string{nil, {}, {""}, {"boss"}, {"REP"}} {
		require.True(t, access.May(roles, access.Public))
		require.False(t, access.May(roles, access.Sync), roles)
	}
	for _, right := range []access.Right{"", "admin", "everything"} {
		require.False(t, access.May([]string{"admin"}, right), "a right that nobody knows is nobody's")
	}
}
