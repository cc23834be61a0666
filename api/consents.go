package api

import (
	"context"

	"roadbook/access"
	"roadbook/api/contract"
	"roadbook/push"
	"roadbook/record"
)

// Consents are what people allow to be sent to them: a push.Consents.
type Consents interface {
	Give(ctx context.Context, who access.Caller, tap record.ID, templates []string) ([]push.Left, error)
}

type tapped struct{ Body contract.Tap }

type consentsLeft struct {
	Body struct {
		Left []push.Left `json:"left"`
	}
}

// consent keeps that the caller has tapped to allow a message.
func (s *Server) consent(ctx context.Context, in *tapped) (*consentsLeft, error) {
	ledger, err := s.Consents()
	if err != nil {
		return nil, err
	}
	out := &consentsLeft{}
	out.Body.Left, err = ledger.Give(ctx, callOf(ctx).who, in.Body.Tap, in.Body.Templates)
	return out, err
}
