package access

import (
	"strings"

	"roadbook/record"
)

// How the scopes are named that belong to somebody.
const (
	OwnerPrefix  = "owner:"
	SharedPrefix = "shared:"
)

// OwnerOf is whose records a scope holds, if it is somebody's own.
func OwnerOf(scope string) (record.ID, bool) {
	id, is := strings.CutPrefix(scope, OwnerPrefix)
	if !is {
		return record.NoID, false
	}
	owner, err := record.ParseID(id)
	return owner, err == nil
}

// Somebody is a person who holds nothing yet.
func Somebody(person record.ID) *Actor {
	return &Actor{Person: person, Scopes: map[record.ScopeID]bool{}, Owners: map[record.ID]bool{}}
}

// Hold gives the actor a scope.
func (a *Actor) Hold(id record.ScopeID, name string) {
	a.Scopes[id] = true
	if owner, is := OwnerOf(name); is {
		a.Owners[owner] = true
	}
}
