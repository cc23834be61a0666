package access_test

import (
	"fmt"

	"roadbook/access"
	"roadbook/record"
)

// A rep deletes his own visit. His manager may too, for the records of his
// people; a colleague may not, and is told why.
func ExampleActor_CheckDelete() {
	lin := record.MustID("0190aaaa-0000-7000-8000-000000000001")
	visit := &record.Kind{Name: "visit"}
	rep := func(id string) *access.Actor {
		return &access.Actor{Person: record.MustID(id), Roles: []string{"rep"}, Active: true}
	}
	chen := rep("0190aaaa-0000-7000-8000-000000000009")
	chen.Roles, chen.Owners = []string{"manager"}, map[record.ID]bool{lin: true}

	fmt.Println("lin:", rep(lin.String()).CheckDelete(visit, lin))
	fmt.Println("chen:", chen.CheckDelete(visit, lin))
	fmt.Println("zhou:", rep("0190aaaa-0000-7000-8000-000000000002").CheckDelete(visit, lin))
	// Output:
	// lin: <nil>
	// chen: <nil>
	// zhou: access.CheckDelete: only its owner or a manager may delete this
}

// A record is there for whoever holds a scope that it lies in, if his role has
// to do with its kind.
func ExampleActor_Sees() {
	const linsRecords record.ScopeID = 7
	finance := &access.Actor{Roles: []string{"finance"}, Active: true, Scopes: map[record.ScopeID]bool{linsRecords: true}}

	fmt.Println(finance.Sees(&record.Kind{Name: "account"}, []record.ScopeID{linsRecords}))
	fmt.Println(finance.Sees(&record.Kind{Name: "visit"}, []record.ScopeID{linsRecords}))
	fmt.Println(finance.Sees(&record.Kind{Name: "account"}, []record.ScopeID{8}))
	// Output:
	// true
	// false
	// false
}

// Everybody who has signed in may sync; what he gets is for his grants to say.
func ExampleMay() {
	fmt.Println(access.May([]string{"rep"}, access.Sync), access.May(nil, access.Sync), access.May(nil, access.Public))
	// Output: true false true
}
