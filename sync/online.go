package sync

import (
	"context"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/wire"
	"roadbook/version"
)

// Write takes in one mutation of somebody who is online. It goes through the
// very door that a push does, under a second replica of the device, which only
// the server counts: nobody needs a counter or a clock for it. Its id is what
// makes it safe to send again: the same id gets the verdict of the first time,
// with other content it is refused. The stamp is the moment in which it is
// judged, so it is no part of the content.
func (e *Engine) Write(ctx context.Context, who access.Caller, m record.Mutation) (record.Outcome, error) {
	if m.ID.IsZero() {
		return record.Outcome{}, errs.New("sync.Write", errs.Invalid, "this change needs an id of its own").Coded("id")
	}
	m.Stamp = version.Stamp{}
	if m.Hash == [32]byte{} {
		m.Hash = wire.Hash(&m)
	}
	replica, err := e.Store.OnlineReplica(ctx, who.Org, who.Device, who.Person, e.Draw)
	if err != nil {
		return record.Outcome{}, err
	}
	j := &job{who: who, replica: replica, online: true, muts: []record.Mutation{m}}
	if err := e.submit(ctx, who.Org, j); err != nil {
		return record.Outcome{}, err
	}
	return j.outcomes[0], nil
}

// judgeOnline settles what somebody who is online wrote.
func (w *work) judgeOnline(j *job, writer *store.Writer) error {
	m := &j.muts[0]
	m.N, m.Stamp = writer.N+1, version.StampAt(w.now)
	out, err := w.onlineOutcome(j, writer, m)
	j.outcomes = []record.Outcome{out}
	j.nextN = writer.N + 1
	return err
}

func (w *work) onlineOutcome(j *job, writer *store.Writer, m *record.Mutation) (record.Outcome, error) {
	first := w.entries[m.ID]
	switch {
	case first == nil:
		return w.settle(writer, m, j.who.Person)
	case first.Person != j.who.Person || isRewritten(first, m):
		return record.Outcome{ID: m.ID, Result: record.Refused, Repeated: true, Refusal: record.RefusalOf(rewritten())}, nil
	}
	return w.repeat(first, j.who.Person)
}

// Sight is an org as one person may see it, in one snapshot.
type Sight struct {
	Tx     store.Tx
	Head   store.Head
	Schema *record.Schema
	Actor  *access.Actor
}

// Look reads for somebody who is online: by what he holds now, whatever his
// devices want.
func (e *Engine) Look(ctx context.Context, who access.Caller, fn func(Sight) error) error {
	return e.Store.Snapshot(ctx, who.Org, func(tx store.Tx, head store.Head) error {
		schema, err := e.schema(ctx, tx.Org, tx, head.Schema)
		if err != nil {
			return err
		}
		actor, err := actorAt(ctx, tx, who)
		if err != nil {
			return err
		}
		return fn(Sight{Tx: tx, Head: head, Schema: schema, Actor: actor})
	})
}

// actorAt is somebody with the rights that he has in a snapshot.
func actorAt(ctx context.Context, tx store.Tx, who access.Caller) (*access.Actor, error) {
	a := access.Somebody(who.Person)
	people, err := tx.People(ctx, []record.ID{who.Person})
	if err != nil {
		return nil, err
	}
	if len(people) > 0 {
		a.Roles, a.Active = people[0].Roles, people[0].Active
	}
	grants, err := tx.Grants(ctx, []record.ID{who.Person}, 1<<62)
	for _, g := range grants {
		a.Hold(g.Scope, g.Name)
	}
	return a, err
}
