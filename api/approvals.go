package api

import (
	"context"
	"errors"
	"fmt"

	"roadbook/access"
	"roadbook/api/contract"
	"roadbook/api/words"
	"roadbook/errs"
	"roadbook/modules/approvals"
	"roadbook/record"
)

// Approvals is for whoever decides online: an approvals.Service.
type Approvals interface {
	// Say takes in one decision under a key of its own.
	Say(ctx context.Context, who access.Caller, key record.ID, w approvals.Word, many bool) (approvals.Said, error)
	Simulate(ctx context.Context, who access.Caller, t approvals.Trial) (*approvals.Path, error)
	Cycle(ctx context.Context, who access.Caller) (*approvals.Cycle, error)
}

type approving struct {
	Keyed
	Body contract.Words
}

// saidOne is what became of one of several decisions.
type saidOne struct {
	approvals.Said
	Failure *record.Refusal `json:"failure,omitempty"`
}

type saidAll struct {
	Body struct {
		Results []saidOne `json:"results"`
	}
}

// approve takes in decisions about approvals, each for itself.
func (s *Server) approve(ctx context.Context, in *approving) (*saidAll, error) {
	all, err := s.Approvals()
	if err != nil {
		return nil, err
	}
	key, err := in.mutation()
	if err != nil {
		return nil, err
	}
	if n := len(in.Body.Decisions); n == 0 || n > approvals.MaxWords {
		return nil, badParameter("decisions", fmt.Sprintf("must be from 1 to %d", approvals.MaxWords))
	}
	who, lang := callOf(ctx).who, callOf(ctx).lang
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	out := &saidAll{}
	for _, w := range in.Body.Decisions {
		one := saidOne{}
		one.Said, err = all.Say(ctx, who, key.Derive(w.Approval.String()), w, len(in.Body.Decisions) > 1)
		var why *errs.Error
		switch {
		case err == nil:
			if one.Verdict != nil {
				said(one.Verdict, who)
			}
		case errors.As(err, &why) && why.Kind != errs.Internal && why.Kind != errs.Busy:
			one.Failure = words.Refusal(record.RefusalOf(why), lang)
		default:
			return nil, err
		}
		out.Body.Results = append(out.Body.Results, one)
	}
	return out, nil
}

type trying struct{ Body approvals.Trial }

type tried struct{ Body *approvals.Path }

// simulate tries a flow.
func (s *Server) simulate(ctx context.Context, in *trying) (*tried, error) {
	all, err := s.Approvals()
	if err != nil {
		return nil, err
	}
	path, err := all.Simulate(ctx, callOf(ctx).who, in.Body)
	return &tried{path}, err
}

type cycleRead struct{ Body *approvals.Cycle }

// cycle tells how long approvals take.
func (s *Server) cycle(ctx context.Context, _ *struct{}) (*cycleRead, error) {
	all, err := s.Approvals()
	if err != nil {
		return nil, err
	}
	cycle, err := all.Cycle(ctx, callOf(ctx).who)
	return &cycleRead{cycle}, err
}
