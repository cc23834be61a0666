package sync

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/history"
	"roadbook/version"
)

// Process is a module's seat in the transaction where one change leads to the
// next: somebody approves, and the request goes on to whoever comes after him. It
// may refuse the change, or say what the server writes along with it, in the same
// row of the log.
type Process interface {
	// Step says what follows from what a mutation makes of a record. was is nil for
	// a record that is new.
	Step(ctx context.Context, desk Desk, was, now *record.Record) ([]record.Edit, error)
}

// Desk is what a process may read: records as they stand in the transaction that
// is about to commit, and what the author of the change in hand knew.
type Desk interface {
	View

	// Kind is what the schema says of a kind, nil if it has none of that name.
	Kind(name string) *record.Kind
	// Edited reports whether the author himself changes a record, and not only the
	// server along with something else.
	Edited(rec record.ID) bool
	// Record finds a record, nil if there is none; a tombstone is one.
	Record(ctx context.Context, id record.ID) (*record.Record, error)
	// Below lists the live records of a kind that belong to another.
	Below(ctx context.Context, parent record.ID, kind string) ([]*record.Record, error)
	// Author is who makes the change.
	Author() Author
	// Knew reports whether the author of an edit of a record had seen it as it
	// stood at a place in the log.
	Knew(rec record.ID, at record.Seq) bool
	// OnScreen is a field of a record as its author had it before him when he made
	// another: what the edit that makes that one has seen is of the first.
	OnScreen(ctx context.Context, made record.ID, rec *record.Record, field string) (json.RawMessage, error)
	// Seen is what the edit says that makes a record.
	Seen(made record.ID) version.Vector
}

// Author is who makes a change, and when.
type Author struct {
	Person   record.ID // nobody is the server
	Roles    []string
	System   bool
	Mutation record.ID
	Typed    time.Time  // when the work was done, as far as that is believed
	Arrived  time.Time  // when it has come here
	Seq      record.Seq // of the change
	Returned bool       // a server that was restored has lost that it was accepted once
}

// maxSteps is how many records one mutation may lead to. A process that leads
// further goes round in circles.
const maxSteps = 200

// goOn asks every process about every record that the mutation changed, and about
// those that change because of that.
func (s *settling) goOn() error {
	if len(s.w.e.Processes) == 0 {
		return nil
	}
	for i := 0; i < len(s.order); i++ { //nolint:intrange // the list grows on the way
		if i > len(s.m.Edits)+maxSteps {
			return errs.New("sync.process", errs.Clash, "this change leads to more changes than one may").Coded("loop")
		}
		d := s.drafts[s.order[i]]
		if d.quiet || d.touched && !d.wrote {
			continue
		}
		for _, p := range s.w.e.Processes {
			edits, err := p.Step(s.w.ctx, desk{view{s}}, d.was, d.now)
			if err != nil {
				return err
			}
			for i := range edits {
				if err := s.along(&edits[i]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// along writes what a process says, as the server.
func (s *settling) along(e *record.Edit) error {
	kind := s.w.schema.Kind(e.Kind)
	known, err := s.find(e.ID)
	switch {
	case err != nil:
		return err
	case kind == nil || known == nil && e.Op != record.OpCreate || known != nil && known.Kind != kind:
		return errs.New("sync.process", errs.Internal, "a process writes to what is not there")
	case known == nil:
		s.fresh(kind, e.ID)
	default:
		s.draft(known)
	}
	d := s.drafts[e.ID]
	if err := s.writeSelf(d, e); err != nil {
		return err
	}
	return s.settleDraft(d)
}

// desk is the transaction as a process sees it.
type desk struct{ view }

// Kind implements Desk.
func (d desk) Kind(name string) *record.Kind { return d.s.w.schema.Kind(name) }

// Edited implements Desk.
func (d desk) Edited(rec record.ID) bool {
	return slices.ContainsFunc(d.s.applied, func(e *record.Edit) bool { return e.ID == rec })
}

// Record implements Desk.
func (d desk) Record(_ context.Context, id record.ID) (*record.Record, error) { return d.s.find(id) }

// Below implements Desk.
func (d desk) Below(_ context.Context, parent record.ID, kind string) ([]*record.Record, error) {
	k := d.s.w.schema.Kind(kind)
	if k == nil {
		return nil, nil
	}
	if was := d.s.drafts[parent]; was == nil || was.was != nil { // what is new has nothing below it but what is made here
		if err := d.s.loadOpen([]record.ID{parent}, kind, "", nil); err != nil {
			return nil, err
		}
	}
	var live []*record.Record
	for _, rec := range d.s.under([]record.ID{parent}) {
		if rec.Kind == k && rec.State == record.Live {
			live = append(live, rec)
		}
	}
	return live, nil
}

// Author implements Desk.
func (d desk) Author() Author {
	s := d.s
	return Author{
		Person: s.actor.Person, Roles: s.actor.Roles, System: s.actor.System, Mutation: s.m.ID,
		Typed: time.UnixMilli(s.by.Stamp.MS).UTC(), Arrived: s.w.now, Seq: s.by.Seq, Returned: s.proof.Result == record.Applied,
	}
}

// Knew implements Desk.
func (d desk) Knew(rec record.ID, at record.Seq) bool {
	for _, e := range d.s.applied {
		if e.ID == rec && record.Seq(e.Seen.Seq()) < at {
			return false
		}
	}
	return true
}

// Seen implements Desk.
func (d desk) Seen(made record.ID) version.Vector {
	for _, e := range d.s.applied {
		if e.ID == made && e.Op == record.OpCreate {
			return e.Seen
		}
	}
	return nil
}

// OnScreen implements Desk.
func (d desk) OnScreen(_ context.Context, made record.ID, rec *record.Record, field string) (json.RawMessage, error) {
	w := d.s.write(&record.Edit{ID: rec.ID, Seen: d.Seen(made)})
	return history.OnScreen(rec, field, w, d.s.w.entryAt)
}

var _ Desk = desk{}

// The kinds of what is asked of approvers, and of what they say.
const (
	approvalKind = "approval"
	decisionKind = "approval_decision"
)

// isPaper reports whether records of a kind say what was decided of the record
// that they belong to: they are no reason to keep it.
func isPaper(k *record.Kind) bool { return k.Name == approvalKind || k.Name == decisionKind }
