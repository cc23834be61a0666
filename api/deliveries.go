package api

import (
	"context"

	"roadbook/access"
	"roadbook/api/contract"
	"roadbook/push"
	"roadbook/record"
)

// Deliveries know what became of telling people: a push.Courier.
type Deliveries interface {
	Deliveries(ctx context.Context, who access.Caller, notification record.ID) ([]push.Delivery, error)
	Undelivered(ctx context.Context, who access.Caller, after string, limit int) (push.UndeliveredPage, error)
	Replay(ctx context.Context, who access.Caller, notifications []record.ID) ([]push.Replayed, error)
}

type deliveriesOf struct {
	Notification string `query:"notification" format:"uuid" required:"true" doc:"One of the caller's own."`
}

type deliveriesRead struct {
	Body struct {
		Deliveries []push.Delivery `json:"deliveries"`
	}
}

// deliveries tells somebody what became of a notification of his.
func (s *Server) deliveries(ctx context.Context, in *deliveriesOf) (*deliveriesRead, error) {
	all, err := s.Deliveries()
	if err != nil {
		return nil, err
	}
	id, _ := record.ParseID(in.Notification) // huma has looked at it
	out := &deliveriesRead{}
	out.Body.Deliveries, err = all.Deliveries(ctx, callOf(ctx).who, id)
	return out, err
}

type undeliveredAsked struct{ Paged }

type undeliveredRead struct{ Body push.UndeliveredPage }

// undelivered lists what has reached nobody.
func (s *Server) undelivered(ctx context.Context, in *undeliveredAsked) (*undeliveredRead, error) {
	all, err := s.Deliveries()
	if err != nil {
		return nil, err
	}
	page, err := all.Undelivered(ctx, callOf(ctx).who, in.After, in.Limit)
	return &undeliveredRead{page}, err
}

type replaying struct{ Body contract.Replay }

type replayedAll struct {
	Body struct {
		Results []push.Replayed `json:"results"`
	}
}

// replay has some of it sent again.
func (s *Server) replay(ctx context.Context, in *replaying) (*replayedAll, error) {
	all, err := s.Deliveries()
	if err != nil {
		return nil, err
	}
	out := &replayedAll{}
	out.Body.Results, err = all.Replay(ctx, callOf(ctx).who, in.Body.Notifications)
	return out, err
}
