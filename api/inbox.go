package api

import (
	"context"
	"errors"
	"fmt"

	"roadbook/access"
	"roadbook/api/words"
	"roadbook/conflicts"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/online"
)

type asking struct {
	Paged
	Owner string `query:"owner" format:"uuid" doc:"Whose conflicts; all that the caller sees if it is not said."`
	State string `query:"state" enum:"open,resolved,expired" doc:"Open if it is not said."`
}

type inboxRead struct{ Body online.Inbox }

// inbox is what waits for a decision, by customer.
func (s *Server) inbox(ctx context.Context, in *asking) (*inboxRead, error) {
	records, err := s.Online()
	if err != nil {
		return nil, err
	}
	owner, _ := record.ParseID(in.Owner) // huma has looked at it
	page, err := records.Inbox(ctx, callOf(ctx).who, online.InboxQuery{Owner: owner, State: in.State, Limit: in.Limit, After: in.After})
	if err != nil {
		return nil, err
	}
	return &inboxRead{page}, nil
}

type deciding struct{ Keyed }

// decidedOne is what became of one of several decisions: a verdict, or why it
// could not be made.
type decidedOne struct {
	Conflict record.ID       `json:"conflict"`
	Outcome  *record.Outcome `json:"outcome,omitempty"`
	Failure  *record.Refusal `json:"failure,omitempty"`
}

type decidedAll struct {
	Body struct {
		Results []decidedOne `json:"results"`
	}
}

// decide takes in several decisions, each for itself.
func (s *Server) decide(ctx context.Context, in *deciding) (*decidedAll, error) {
	records, err := s.Online()
	if err != nil {
		return nil, err
	}
	key, err := in.mutation()
	if err != nil {
		return nil, err
	}
	body, err := decode[struct {
		Decisions []online.Decision `json:"decisions"`
	}](callOf(ctx).body)
	if err != nil {
		return nil, err
	}
	if n := len(body.Decisions); n == 0 || n > conflicts.MaxDecisions {
		return nil, badParameter("decisions", fmt.Sprintf("must be from 1 to %d", conflicts.MaxDecisions))
	}
	who, lang := callOf(ctx).who, callOf(ctx).lang
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	out := &decidedAll{}
	for _, d := range body.Decisions {
		one := decidedOne{Conflict: d.Conflict}
		outcome, err := records.Decide(ctx, who, key.Derive(d.Conflict.String()), d)
		var why *errs.Error
		switch {
		case err == nil:
			one.Outcome = said(&outcome, who)
		case errors.As(err, &why) && why.Kind != errs.Internal && why.Kind != errs.Busy:
			one.Failure = words.Refusal(record.RefusalOf(why), lang)
		default:
			return nil, err
		}
		out.Body.Results = append(out.Body.Results, one)
	}
	return out, nil
}

// said has a refusal in the caller's language.
func said(o *record.Outcome, who access.Caller) *record.Outcome {
	if o.Refusal != nil && who.Say != nil {
		o.Refusal = who.Say(o.Refusal)
	}
	return o
}

type refusedOf struct {
	Paged
	Person string `query:"person" format:"uuid" doc:"Whose; all whom the caller answers for if it is not said."`
}

type refusedPage struct {
	Refused []online.RefusedChange `json:"refused"`
	After   string                 `json:"after,omitempty"`
}

type refusedRead struct{ Body refusedPage }

// refused is what people have typed in vain, or what waits.
func (s *Server) refused(ctx context.Context, in *refusedOf) (*refusedRead, error) {
	records, err := s.Online()
	if err != nil {
		return nil, err
	}
	after, err := seqOf(in.After)
	if err != nil {
		return nil, err
	}
	person, _ := record.ParseID(in.Person) // huma has looked at it
	page, err := records.Refused(ctx, callOf(ctx).who, online.RefusedQuery{Person: person, Limit: in.Limit, After: after})
	if err != nil {
		return nil, err
	}
	lang := callOf(ctx).lang
	out := &refusedRead{refusedPage{Refused: append([]online.RefusedChange{}, page.Refused...)}}
	for i := range out.Body.Refused {
		if r := &out.Body.Refused[i]; r.Reason != nil {
			r.Fix = words.Fix(r.Reason, r.State == record.Parked, lang)
			r.Reason = words.Refusal(r.Reason, lang)
		}
	}
	if page.After > 0 {
		out.Body.After = page.After.String()
	}
	return out, nil
}
