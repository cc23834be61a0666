package sync

import (
	"context"

	"roadbook/record"
)

// View is what a rule may read: records as they stand in the transaction that
// is about to commit. Commits of one org queue, so what it says is true.
type View interface {
	// Records returns the live records of a kind, with the draft in hand.
	Records(ctx context.Context, kind string) ([]*record.Record, error)
}

// Actor is what a rule says of a person: name, roles, and whether he may act.
type Actor struct {
	ID     record.ID
	Name   string
	Roles  []string
	Active bool
}

// Effects is what a rule adds to the commit of the edit that it has checked.
type Effects struct {
	Actors []Actor
	// Grants are the scopes, by name, that each of these people holds from now
	// on. What he held and is not named any more is revoked.
	Grants map[record.ID][]string
}

// Rule is a module's seat before the commit: it may refuse the edit, or add
// effects that are committed with it. was is nil for a record that is new.
type Rule interface {
	Check(ctx context.Context, view View, was, now *record.Record) (Effects, error)
}
