package api

import (
	"context"
	_ "embed" // the contract is part of the program

	"roadbook/errs"
)

//go:embed openapi.yaml
var openapiYAML []byte

type condition struct {
	Status string `json:"status"`
}

// healthz says that the process is alive, whatever its database does: one that
// is restarted for the database's sake is of no use to anybody.
func (s *Server) healthz(context.Context, *call) (*reply, error) {
	return encode(condition{"ok"})
}

// readyz says whether requests should be sent here.
func (s *Server) readyz(ctx context.Context, _ *call) (*reply, error) {
	if err := s.Ready(ctx); err != nil {
		return nil, coded("api.readyz", errs.Busy, "starting").Because(err)
	}
	return encode(condition{"ok"})
}

// openapi is the contract of the routes.
func (s *Server) openapi(context.Context, *call) (*reply, error) {
	return &reply{"application/yaml; charset=utf-8", openapiYAML}, nil
}
