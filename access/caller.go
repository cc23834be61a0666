// Package access says who may see or change what. It is pure: the rights it
// judges by are handed to it, as they stand in the transaction that asks.
package access

import (
	"slices"
	"time"

	"roadbook/record"
)

// Role is a set of rights that people have by their job.
type Role string

// The roles of the shipped policy.
const (
	Rep     Role = "rep"     // sells: own and shared records
	Manager Role = "manager" // the same for the people of the units he manages
	Service Role = "service" // accounts, contacts and tasks of the whole company
	Finance Role = "finance" // reads what service does, and answers for what is owed
	ERP     Role = "erp"     // a program: reads what finance does, and answers for what its own system knows
	Admin   Role = "admin"   // everything
)

// Roles are all of them.
func Roles() []Role { return []Role{Rep, Manager, Service, Finance, ERP, Admin} }

// Right is what a route asks of its caller.
type Right string

// The rights that routes ask for.
const (
	Public Right = "public" // nobody in particular
	Sync   Right = "sync"   // a signed-in person on a device of his own

	Administer Right = "administer" // whoever looks after the org

	Monitor Right = "monitor" // a program of the operator's, known by where it asks from or by a token
)

// May reports whether somebody with these roles has a right. Everybody who has
// signed in may sync: what he gets is for his grants to say.
func May(roles []string, right Right) bool {
	switch right {
	case Public, Monitor: // no role carries the second, and none is in the way of it
		return true
	case Sync:
		return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(Roles(), Role(r)) })
	case Administer:
		return slices.Contains(roles, string(Admin))
	}
	return false
}

// Caller is who is asking, as far as a token can say. His grants are looked
// up in the transaction that serves him, because they change.
type Caller struct {
	Org    record.OrgID
	Person record.ID
	Device record.ID
	Roles  []string  // as of the token; for routes only
	Until  time.Time // when the token runs out; zero for never
	System bool      // the server itself, for the org

	// Say returns a copy of a refusal in his language; nil leaves it as it is.
	Say func(*record.Refusal) *record.Refusal
}
