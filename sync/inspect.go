package sync

import (
	"cmp"
	"context"
	"fmt"

	"roadbook/record"
	"roadbook/store"
)

// Wrong is what sort of thing is not as it must be.
type Wrong string

// All of them. Those of the log and of what cannot be read are never mended:
// they are the truth, or it is lost.
const (
	WrongHead    Wrong = "heads"
	WrongLog     Wrong = "log"
	WrongRecord  Wrong = "records"
	WrongColumn  Wrong = "columns"
	WrongScopes  Wrong = "scopes"
	WrongMembers Wrong = "members"
	WrongIndex   Wrong = "index"
	WrongLookups Wrong = "look-ups"
	WrongPeople  Wrong = "people"
	WrongGrants  Wrong = "grants"

	WrongParked   Wrong = "parked"
	WrongWaits    Wrong = "parked_waits"
	WrongOrphans  Wrong = "orphans"
	WrongSubtrees Wrong = "rescopes"
	WrongViews    Wrong = "views"
)

// Finding is one thing that is not as it must be.
type Finding struct {
	What   Wrong
	Text   string // what, in words
	Mended bool
}

// Inspected is how much was looked at.
type Inspected struct {
	Rows, Records, Members, Index, Lookups, People int
	Moving                                         bool // subtrees or look-up rows are being made anew: they were left out
}

// Some of each table are read in one snapshot: few enough for little memory,
// and for vacuum.
const (
	inspectAtOnce = 500
	walkAtOnce    = 5000
	mendAtOnce    = 250
)

// Inspect compares what follows from an org's records and its log with them, in
// stretches, while others commit. It tells of each thing that is wrong; with
// mend it puts right what can be worked out. What is put right takes rows of the
// log, and comes to the devices as what is new to them.
func (e *Engine) Inspect(ctx context.Context, org record.OrgID, mend bool, tell func(Finding)) (Inspected, error) {
	i := &inspection{
		e: e, ctx: ctx, org: org, mend: mend, tell: tell, names: map[record.ScopeID]string{}, cures: map[record.ID]*cure{},
		atOnce: cmp.Or(e.AtOnce, inspectAtOnce), walk: cmp.Or(e.AtOnce, walkAtOnce),
	}
	for _, part := range []func() error{i.head, i.log, i.records, i.scopes, i.lookups, i.people, i.strays} {
		if err := part(); err != nil {
			return i.done, fmt.Errorf("inspecting org %d: %w", org, err)
		}
	}
	return i.done, nil
}

type inspection struct {
	e    *Engine
	ctx  context.Context
	org  record.OrgID
	mend bool
	tell func(Finding)
	done Inspected

	atOnce, walk int // records and rows of the log; rows of the other tables

	lost  []store.Orphan // what refused rows would have created, and nothing says so
	names map[record.ScopeID]string
	cures map[record.ID]*cure // of the stretch in hand
	order []record.ID
}

// cure is what one record needs.
type cure struct {
	id    record.ID
	found []Finding
	enter bool // devices must meet it anew in all its scopes
	out   []store.Member
	dead  []store.Dead
	gone  []store.IndexRow // Seq is still to be given
}

// cure begins one, or goes on with it.
func (i *inspection) cure(id record.ID, what Wrong, format string, args ...any) *cure {
	c := i.cures[id]
	if c == nil {
		c = &cure{id: id}
		i.cures[id] = c
		i.order = append(i.order, id)
	}
	c.found = append(c.found, Finding{What: what, Text: fmt.Sprintf(format, args...)})
	return c
}

func (i *inspection) say(what Wrong, format string, args ...any) {
	i.tell(Finding{What: what, Text: fmt.Sprintf(format, args...)})
}

// snapshot reads one stretch, and afterwards mends what it has found.
func (i *inspection) snapshot(read func(tx store.Tx, head store.Head) error) error {
	err := i.e.Store.Snapshot(i.ctx, i.org, func(tx store.Tx, head store.Head) error {
		clear(i.cures) // it may be run again
		i.order = i.order[:0]
		return read(tx, head)
	})
	if err != nil {
		return err
	}
	for len(i.order) > 0 {
		n := min(mendAtOnce, len(i.order))
		if err := i.settle(i.order[:n]); err != nil {
			return err
		}
		i.order = i.order[n:]
	}
	return nil
}

func (i *inspection) settle(ids []record.ID) error {
	some := make([]*cure, len(ids))
	for k, id := range ids {
		some[k] = i.cures[id]
	}
	if i.mend {
		if err := i.e.mend(i.ctx, i.org, some); err != nil {
			return err
		}
	}
	for _, c := range some {
		for _, f := range c.found {
			f.Mended = i.mend
			i.tell(f)
		}
	}
	return nil
}

// name is a scope in words.
func (i *inspection) name(tx store.Tx, scopes ...record.ScopeID) error {
	var unknown []record.ScopeID
	for _, s := range scopes {
		if _, known := i.names[s]; !known {
			unknown = append(unknown, s)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	found, err := tx.ScopeNames(i.ctx, unknown)
	for id, name := range found {
		i.names[id] = name
	}
	return err
}
