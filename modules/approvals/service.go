package approvals

import (
	"context"
	"encoding/json"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync"
	"roadbook/sync/online"
	"roadbook/sync/wire"
	"roadbook/version"
)

// MaxWords is how many decisions are taken at once.
const MaxWords = 100

// Service is for whoever decides, or looks, online.
type Service struct {
	Engine  *sync.Engine
	Records *online.Service
	Now     func() time.Time
}

// Word is what somebody says of an approval.
type Word struct {
	Approval record.ID  `json:"approval"`
	Decision string     `json:"decision" enum:"approve,reject,return,forward,add,skip,withdraw"`
	Comment  string     `json:"comment,omitempty"`
	To       record.ID  `json:"to,omitzero"`
	Seen     record.Seq `json:"seen,omitempty"` // the seq of the record, or of the approval, as it was read; else no more than when it was asked for
}

// Said is what became of a word.
type Said struct {
	Approval record.ID       `json:"approval"`
	Decision record.ID       `json:"decision,omitzero"`
	Outcome  string          `json:"outcome,omitempty" enum:"counted,late,needs_reconfirm,alone"`
	Told     json.RawMessage `json:"told,omitempty"` // who was first, or what has changed
	Verdict  *record.Outcome `json:"verdict,omitempty"`
}

// Say takes in one decision, under a key under which the caller may repeat it.
// many says that it is one of several.
func (s *Service) Say(ctx context.Context, who access.Caller, key record.ID, w Word, many bool) (Said, error) {
	out := Said{Approval: w.Approval, Decision: key.Derive(kindDecision)}
	asked, err := s.read(ctx, who, w.Approval)
	if err != nil {
		return out, err
	}
	set := record.Values{reference("approval", w.Approval), text("decision", w.Decision)}
	if w.Comment != "" {
		set = append(set, text("comment", w.Comment))
	}
	if !w.To.IsZero() {
		set = append(set, reference("to", w.To))
	}
	if many {
		set = append(set, record.Value{Field: "many", Raw: json.RawMessage("true")})
	}
	m := record.Mutation{ID: key, Edits: []record.Edit{{Op: record.OpCreate, Kind: kindDecision, ID: out.Decision, Set: set}}}
	m.Hash = wire.Hash(&m) // without what it has seen, so that a repeat is the same
	m.Edits[0].Seen = version.Vector{version.Log: uint64(max(w.Seen, asked.Slot("record").By.Seq))}
	verdict, err := s.Engine.Write(ctx, who, m)
	if err != nil {
		return out, err
	}
	out.Verdict = &verdict
	if verdict.Result == record.Refused {
		return out, nil
	}
	said, err := s.read(ctx, who, out.Decision)
	if err != nil {
		return out, err
	}
	out.Outcome = said.Text("outcome")
	if told := said.Text("told"); told != "" {
		out.Told = json.RawMessage(told)
	}
	return out, nil
}

// read finds a record that the caller may see.
func (s *Service) read(ctx context.Context, who access.Caller, id record.ID) (rec *record.Record, err error) {
	err = s.Engine.Look(ctx, who, func(v sync.Sight) error {
		rows, err := v.Tx.Records(ctx, []record.ID{id})
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			if rec, err = rows[0].Record(v.Schema); err != nil {
				return err
			}
		}
		if rec == nil || rec.State != record.Live || !isOurs(rec.Kind.Name) || !v.Actor.Sees(rec.Kind, rec.Scopes) {
			return errs.New("approvals.read", errs.Missing, "this record is not there any more, or not for you").Coded("missing")
		}
		return nil
	})
	return rec, err
}
