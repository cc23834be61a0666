package api

import (
	"context"
	"net/http"

	"roadbook/api/contract"
	"roadbook/record"
	"roadbook/sync/online"
)

type alikeAsked struct{ Body contract.Likeness }

type alikeRead struct {
	Body struct {
		Found []online.Alike `json:"found"`
	}
}

// checkDuplicates says whether there is a record like the one that somebody is
// about to make.
func (s *Server) checkDuplicates(ctx context.Context, in *alikeAsked) (*alikeRead, error) {
	records, err := s.Online()
	if err != nil {
		return nil, err
	}
	var id record.ID
	if in.Body.ID != "" {
		if id, err = record.ParseID(in.Body.ID); err != nil {
			return nil, badParameter("id", "must be a UUID")
		}
	}
	out := &alikeRead{}
	out.Body.Found, err = records.Duplicates(ctx, callOf(ctx).who, in.Body.Kind, id, in.Body.Set)
	return out, err
}

type sieveAsked struct {
	Kind        string `query:"kind" required:"true" maxLength:"128" example:"account"`
	IfNoneMatch string `header:"If-None-Match" maxLength:"1024"`
}

type sieveRead struct {
	Status       int    `json:"-"`
	Type         string `header:"Content-Type"`
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         []byte
}

// fingerprints is what a device needs to warn of duplicates without a signal.
func (s *Server) fingerprints(ctx context.Context, in *sieveAsked) (*sieveRead, error) {
	records, err := s.Online()
	if err != nil {
		return nil, err
	}
	sieve, err := records.Fingerprints(ctx, callOf(ctx).who, in.Kind)
	if err != nil {
		return nil, err
	}
	out := &sieveRead{
		Status: http.StatusOK, Type: "application/octet-stream", ETag: sieve.Tag, CacheControl: "private, no-cache", Body: sieve.Bytes,
	}
	if in.IfNoneMatch == sieve.Tag {
		out.Status, out.Body = http.StatusNotModified, nil
	}
	return out, nil
}
