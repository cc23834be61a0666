package pg

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// SQL is the text of a statement. It is the same type as string, so that pgx
// takes it as it is.
type SQL = string

// Stmt is a statement under its name.
type Stmt struct {
	Name string // "store.ChangesSince"
	Text SQL
}

var statements struct {
	sync.Mutex

	all []Stmt
}

// Statement registers a statement of ours, so that a test can prepare every
// one against the schema and none can be forgotten:
//
//	var changesSince = pg.Statement("store.ChangesSince", `SELECT …`)
//
// A name can be given once; giving it twice is a bug that shows at start.
func Statement(name string, text SQL) SQL {
	statements.Lock()
	defer statements.Unlock()

	if name == "" || strings.TrimSpace(text) == "" {
		panic(fmt.Sprintf("pg: the statement %q needs a name and a text", name))
	}
	if slices.ContainsFunc(statements.all, func(s Stmt) bool { return s.Name == name }) {
		panic(fmt.Sprintf("pg: there are two statements called %s", name))
	}
	statements.all = append(statements.all, Stmt{name, text})
	return text
}

// Statements are all that the linked packages have registered, by name. Named
// arguments (@org) are for pgx: pgx.NamedArgs{}.RewriteQuery numbers them, as
// PREPARE needs them.
func Statements() []Stmt {
	statements.Lock()
	defer statements.Unlock()

	return slices.SortedFunc(slices.Values(statements.all), func(a, b Stmt) int { return cmp.Compare(a.Name, b.Name) })
}
