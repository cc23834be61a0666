// Package reactions is the seam after the commit: what follows from a change once
// it is in the log. Each reaction reads the log in order and keeps its place in
// the database, so that nothing is left out when a server dies between a commit
// and what was to follow from it, and of several servers one does it.
package reactions

import (
	"context"
	"strconv"
	"time"

	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg"
	"roadbook/sync"
	"roadbook/sync/history"
	"roadbook/version"
)

// Reaction is a module's seat after the commit. It sees every accepted change of
// some kinds, in the order of the log and at least once, and says what follows.
// It must not wait for anything outside: that is what jobs are for.
type Reaction interface {
	// Name is that of its place; it never changes once released.
	Name() string
	// Kinds are those of which it wants to see changes.
	Kinds() []string
	// React says what follows from a change. Asked again, it says the same.
	React(ctx context.Context, view View, c *Change) (Effects, error)
}

// Change is an accepted mutation, as the log has it.
type Change struct {
	Org     record.OrgID
	Seq     record.Seq
	ID      record.ID // of the mutation
	Person  record.ID // its author; nobody is the server
	Typed   time.Time // when the work was done, and not when it arrived
	Arrived time.Time
	Edits   []history.Logged
}

// Effects are what follows from a change.
type Effects struct {
	// Edits are mutations of the server's own. Each is committed once, however
	// often the reaction is asked.
	Edits [][]record.Edit
	// Later is called in the transaction in which the reaction moves on: for jobs,
	// which are there if it commits and only then.
	Later []func(ctx context.Context, tx pg.Tx) error
}

// View is what a reaction may read: records as they are now, which may be later
// than the change.
type View interface {
	// Record finds a record, nil if there is none; a tombstone is one.
	Record(ctx context.Context, id record.ID) (*record.Record, error)
}

// view reads in the reaction's own transaction.
type view struct {
	tx     store.Tx
	schema *record.Schema
}

func (v view) Record(ctx context.Context, id record.ID) (*record.Record, error) {
	rows, err := v.tx.Records(ctx, []record.ID{id})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0].Record(v.schema)
}

// proposals are the mutations that follow from a change. Their ids follow from it
// as well: so the engine knows those that it has committed before.
func proposals(name string, c *Change, edits [][]record.Edit) []sync.Proposal {
	all := make([]sync.Proposal, len(edits))
	for i, e := range edits {
		all[i] = sync.Proposal{Mutation: record.Mutation{ID: c.ID.Derive(name + " " + strconv.Itoa(i)), Stamp: version.StampAt(c.Typed), Edits: e}}
	}
	return all
}
