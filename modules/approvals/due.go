package approvals

import (
	"context"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/jobs"
	"roadbook/record"
	"roadbook/sync"
	"roadbook/version"
)

// Due is the job of looking at an approval when time may decide something.
type Due struct {
	Org      record.OrgID `json:"org"`
	Approval record.ID    `json:"approval"`
	At       time.Time    `json:"at"`
}

// Kind implements jobs.Args.
func (Due) Kind() string { return "approvals.due" }

// Clock has time decide.
type Clock struct {
	Engine *sync.Engine
	Now    func() time.Time
}

// Register tells the workers what the clock can do.
func (k *Clock) Register(w *jobs.Workers) {
	jobs.Handle(w, k.Strike)
	jobs.Handle(w, k.Leave)
}

// Strike decides what is due of an approval, as the server. What has come to be due
// at another time since has a job of its own.
func (k *Clock) Strike(ctx context.Context, j jobs.Job[Due]) error {
	a := j.Args
	var rec *record.Record
	err := k.Engine.Look(ctx, access.Caller{Org: a.Org}, func(s sync.Sight) error {
		rows, err := s.Tx.Records(ctx, []record.ID{a.Approval})
		if err != nil || len(rows) == 0 {
			return err
		}
		rec, err = rows[0].Record(s.Schema)
		return err
	})
	if err != nil || rec == nil || !isOpen(rec.Text("state")) || rec.Text("due_at") != a.At.UTC().Format(time.RFC3339) {
		return err
	}
	if wait := a.At.Sub(k.Now()); wait > 0 { // somebody has put the clock back
		return jobs.Later(wait)
	}
	said, err := saidBy(rec, a.At)
	if err != nil || said == "" {
		return err
	}
	return k.says(ctx, a.Org, a.Approval, said, a.Approval.Derive(said+" "+a.At.UTC().Format(time.RFC3339)+" "+string(rec.Raw("round"))))
}

// says decides as the server, once for each cause.
func (k *Clock) says(ctx context.Context, org record.OrgID, approval record.ID, said string, cause record.ID) error {
	out, err := k.Engine.Commit(ctx, org, []sync.Proposal{{Mutation: record.Mutation{
		ID: cause, Stamp: version.StampAt(k.Now()),
		Edits: []record.Edit{{Op: record.OpCreate, Kind: kindDecision, ID: cause.Derive(kindDecision), Set: record.Values{
			reference("approval", approval), text("decision", said),
		}}},
	}}})
	if err != nil {
		return err
	}
	if r := out[0].Refusal; r != nil && r.Code != "rewritten" {
		return errs.New("approvals.says", errs.Internal, "the server could not decide: %s (%s)", r.Detail, r.Code)
	}
	return nil
}
