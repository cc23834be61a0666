package device

import (
	"context"
	"net/http"
)

// fetched is an answer that is no JSON.
type fetched struct {
	status int // 200, or 304 if it is the one of the tag
	tag    string
	text   []byte
}

// fetch gets what is not the one of a tag.
func (d *Device) fetch(ctx context.Context, path, tag string) (got fetched, err error) {
	err = d.asPerson(ctx, func(token string) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.cfg.BaseURL+path, http.NoBody)
		if err != nil {
			return internal("device.fetch", "the address cannot be used: %v", err)
		}
		d.introduce(req, token)
		if tag != "" {
			req.Header.Set("If-None-Match", tag)
		}
		res, err := d.client().Do(req)
		if err != nil {
			return unreachable(ctx, err)
		}
		defer func() { _ = res.Body.Close() }() // it was read, or is not wanted
		text, err := unpack(res)
		if err != nil {
			return unreachable(ctx, err)
		}
		if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusNotModified {
			return newProblem(res, text)
		}
		got = fetched{res.StatusCode, res.Header.Get("ETag"), text}
		return nil
	})
	return got, err
}
