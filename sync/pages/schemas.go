package pages

import (
	"context"
	"sync"

	"roadbook/record"
)

// Schemas remembers the schemas of orgs, each read once.
type Schemas struct {
	mu    sync.Mutex
	known map[schemaKey]*record.Schema
}

type schemaKey struct {
	org record.OrgID
	seq record.Seq
}

// schemas is where schemas are read.
type schemas interface {
	Schema(ctx context.Context, seq record.Seq) (*record.Schema, error)
}

// At is the schema of a place in the log.
func (s *Schemas) At(ctx context.Context, org record.OrgID, tx schemas, seq record.Seq) (*record.Schema, error) {
	key := schemaKey{org, seq}
	s.mu.Lock()
	known := s.known[key]
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	if seq == 0 {
		return &record.Schema{}, nil
	}
	read, err := tx.Schema(ctx, seq)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[schemaKey]*record.Schema{}
	}
	if s.known[key] == nil {
		s.known[key] = read // and no other ever: records know their kind by it
	}
	return s.known[key], nil
}
