package sync

import (
	"context"
	"errors"
	"slices"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/pages"
	"roadbook/sync/wire"
	"roadbook/version"
)

// Push takes in a device's outbox. Sending it again is harmless: what was
// judged before answers with the verdict of the first time. A refused mutation
// fails alone and its neighbours still commit, so one bad edit cannot hold
// back a day's visits. A long push is several transactions in the order of n;
// what has been committed stays so whatever happens to the rest.
func (e *Engine) Push(ctx context.Context, who access.Caller, p *wire.Push) (answer *wire.PushAnswer, err error) {
	if len(p.Mutations) > wire.MaxPush {
		err := errs.New("sync.Push", errs.Invalid, "%d changes at once; the most is %d", len(p.Mutations), wire.MaxPush)
		return nil, err.Coded("many")
	}
	replica, ok := store.ReplicaNo(p.Replica)
	if !ok {
		return nil, wire.NotYours("")
	}
	ctx, span := e.Tracer.Start(ctx, "push")
	defer func() { span.End(err) }()
	if err := e.checkProofs(ctx, who, replica, p); err != nil {
		return nil, err
	}
	var stands *pages.Cursor
	if c, err := e.pages.Cursor(who, p.Cursor); err == nil { // what is not genuine proves nothing
		stands = &c
	}
	answer = &wire.PushAnswer{Outcomes: []record.Outcome{}}
	prev := p.Prev
	for first := true; first || len(p.Mutations) > 0; first = false {
		chunk := p.Mutations[:min(len(p.Mutations), maxGather)]
		j := &job{who: who, replica: replica, prev: prev, muts: chunk, lineage: p.Lineage, epoch: p.Epoch, stands: stands}
		err := e.submit(ctx, who.Org, j)
		if errors.Is(err, errSeenLost) {
			if err = e.seenLost(ctx, who.Org, j.head.Epoch); err == nil {
				err = e.submit(ctx, who.Org, j) // and is told that the epoch is another
			}
		}
		if err != nil {
			return nil, prefixed(err, answer.Outcomes)
		}
		answer.Outcomes = append(answer.Outcomes, j.outcomes...)
		e.finish(answer, j)
		if len(chunk) > 0 {
			prev = chunk[len(chunk)-1].ID.String()
		}
		p.Mutations = p.Mutations[len(chunk):]
	}
	return answer, nil
}

func (e *Engine) finish(answer *wire.PushAnswer, j *job) {
	answer.NextN = j.nextN
	answer.High = j.head.High
	answer.Epoch = j.head.Epoch
	answer.Durable = e.durable(j.who.Org, j.head)
	answer.ServerTime = e.Now().UTC()
}

// durable is what is known to be on a second machine. Nothing is, until a
// standby or an archive says so; devices keep their journals for that long.
func (e *Engine) durable(org record.OrgID, h store.Head) wire.Durable {
	d := wire.Durable{Epoch: h.Epoch}
	if e.Durable != nil {
		d.Seq = min(e.Durable(org), h.Seq)
	}
	return d
}

// Proposal is a mutation that somebody other than a device makes: an import, a
// rule, a person at a browser. The server numbers it as its own; the rights
// are those of Person, or the server's if that is nobody.
type Proposal struct {
	Person   record.ID
	Mutation record.Mutation
}

// Commit writes what modules propose, through the very door that devices use.
// More than fit one transaction are several, in order.
func (e *Engine) Commit(ctx context.Context, org record.OrgID, batch []Proposal) ([]record.Outcome, error) {
	var outcomes []record.Outcome
	for chunk := range slices.Chunk(batch, maxGather) {
		j := &job{who: access.Caller{Org: org}}
		for _, p := range chunk {
			if p.Mutation.Hash == [32]byte{} {
				p.Mutation.Hash = wire.Hash(&p.Mutation)
			}
			j.muts = append(j.muts, p.Mutation)
			j.persons = append(j.persons, p.Person)
		}
		if err := e.submit(ctx, org, j); err != nil {
			return outcomes, err
		}
		outcomes = append(outcomes, j.outcomes...)
	}
	return outcomes, nil
}

// Publish puts a schema into force for an org. What lists go by from now on is
// looked up in chunks before it returns; other commits pass in between.
func (e *Engine) Publish(ctx context.Context, org record.OrgID, schema *record.Schema) error {
	var own *record.Schema // checking writes into it, and the caller's may be shared
	body, err := schema.Stored()
	if err == nil {
		own, err = record.ParseSchema(body)
	}
	if err != nil {
		return errs.New("sync.Publish", errs.Invalid, "%s", err.Error()).Coded("schema")
	}
	if err := e.submit(ctx, org, &job{who: access.Caller{Org: org}, schema: own}); err != nil {
		return err
	}
	return e.reindex(ctx, org)
}

// prefixed adds the outcomes of earlier transactions of the same push.
func prefixed(err error, outcomes []record.Outcome) error {
	if p, ok := err.(*wire.Failure); ok && len(outcomes) > 0 { //nolint:errorlint // made below, never wrapped before here
		p.More.Outcomes = append(outcomes, p.More.Outcomes...)
	}
	return err
}

func hole(w *store.Writer) error {
	err := errs.New("sync.Push", errs.Clash, "changes are missing before these; send them from number %d on", w.N+1)
	return &wire.Failure{Err: err.Coded("hole"), More: wire.Problem{NextN: w.N + 1}}
}

// keepIDs is how many of a replica's last names a fork answer lists, so that
// the device can find the first that differs.
const keepIDs = 64

func fork(from uint64, fresh version.Replica, more wire.Problem) error {
	err := errs.New("sync.Push", errs.Clash, "this device was copied or restored; its newer changes get a new name")
	more.FromN, more.Replica, more.NextN = from, fresh, 1
	return &wire.Failure{Err: err.Coded("fork"), More: more}
}
