package api

import (
	"context"

	"roadbook/api/contract"
	"roadbook/errs"
)

// nothing is what a route asks that has no parameters.
type nothing struct{}

type condition struct{ Body contract.Condition }

// healthz says that the process is alive, whatever its database does: one that
// is restarted for the database's sake is of no use to anybody.
func (s *Server) healthz(context.Context, *nothing) (*condition, error) {
	return &condition{contract.Condition{Status: "ok"}}, nil
}

// readyz says whether requests should be sent here.
func (s *Server) readyz(ctx context.Context, _ *nothing) (*condition, error) {
	if err := s.Ready(ctx); err != nil {
		code := "starting" // or waiting for its database
		if errs.CodeOf(err) == "stopping" {
			code = "stopping"
		}
		return nil, coded("api.readyz", errs.Busy, code).Because(err)
	}
	return &condition{contract.Condition{Status: "ok"}}, nil
}

// openapiYAML is the contract of the routes.
func (s *Server) openapiYAML(context.Context, *call) (*reply, error) {
	yaml, _ := s.written()
	return &reply{contentType: "application/yaml; charset=utf-8", body: yaml}, nil
}

// openapiJSON is the same for programs without YAML.
func (s *Server) openapiJSON(context.Context, *call) (*reply, error) {
	_, text := s.written()
	return &reply{contentType: jsonType, body: text}, nil
}
