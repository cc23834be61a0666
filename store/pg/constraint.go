package pg

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"roadbook/errs"
)

var constraints = struct {
	sync.RWMutex

	meaning map[string]*errs.Error
}{meaning: map[string]*errs.Error{}}

// Constraint says what it means to break the constraint called name: Classify
// answers with meaning, and PostgreSQL's error as its cause. Packages declare
// it beside the statement that can break it, and two meanings for one name are
// a bug that shows at start:
//
//	var _ = pg.Constraint("people_email", errs.New("people.Add", errs.Clash, "this address is taken"))
func Constraint(name string, meaning *errs.Error) string {
	constraints.Lock()
	defer constraints.Unlock()

	if _, ok := constraints.meaning[name]; ok {
		panic(fmt.Sprintf("pg: the constraint %s has a meaning already", name))
	}
	constraints.meaning[name] = meaning
	return name
}

// Constraints are the names that have a meaning, for a test that the schema
// has them all.
func Constraints() []string {
	constraints.RLock()
	defer constraints.RUnlock()

	return slices.Sorted(maps.Keys(constraints.meaning))
}

func meaningOf(name string) (*errs.Error, bool) {
	constraints.RLock()
	defer constraints.RUnlock()

	meaning, ok := constraints.meaning[name]
	return meaning, ok
}
