package api

import (
	"context"
	"strings"

	"roadbook/api/contract"
	"roadbook/errs"
)

// docs is the contract as a page. It loads nothing from anywhere else.
func (s *Server) docs(_ context.Context, in *call) (*reply, error) {
	return &reply{contentType: "text/html; charset=utf-8", body: contract.Page(in.lang), header: map[string]string{
		"Content-Security-Policy": contract.PagePolicy,
		"Content-Language":        string(in.lang),
		"Vary":                    "Accept-Language, Accept-Encoding",
		"Referrer-Policy":         "no-referrer",
	}}, nil
}

type assetAsked struct {
	Asset  string `path:"asset" maxLength:"64" example:"page.js"`
	Accept string `header:"Accept-Encoding" hidden:"true"`
}

type assetRead struct {
	Type         string `header:"Content-Type"`
	Encoding     string `header:"Content-Encoding"`
	CacheControl string `header:"Cache-Control"`
	Vary         string `header:"Vary"`
	Body         []byte
}

// docsAsset is a file of the page. It lies in the program as it is sent.
func (s *Server) docsAsset(_ context.Context, in *assetAsked) (*assetRead, error) {
	a, ok := contract.AssetOf(in.Asset)
	if !ok {
		return nil, coded("api.docs", errs.Missing, "route")
	}
	out := &assetRead{Type: a.Type, CacheControl: "public, max-age=3600", Vary: "Accept-Encoding", Body: a.Text}
	if !a.Packed {
		return out, nil
	}
	if strings.Contains(in.Accept, "gzip") {
		out.Encoding = "gzip"
		return out, nil
	}
	text, err := a.Unpacked()
	out.Body = text
	return out, err
}
