package device

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"roadbook/errs"
	"roadbook/sync/wire"
)

// maxAnswerBytes is the longest answer that is taken, decompressed: a page
// goes over 4 MiB by one record at most, and a server of ours sends nothing
// longer.
const maxAnswerBytes = 16 << 20

// call posts a question as the person who is signed in. A token that has run
// out is renewed, once.
func (d *Device) call(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return internal("device.call", "the question could not be written: %v", err)
	}
	return d.asPerson(ctx, func(token string) error { return d.post(ctx, path, token, body, out) })
}

func (d *Device) asPerson(ctx context.Context, do func(token string) error) error {
	token := d.tokens().Access
	if token == "" {
		return errs.New("device.call", errs.Anonymous, "please sign in first").Coded("token")
	}
	err := do(token)
	if errs.KindOf(err) != errs.Anonymous || errs.CodeOf(err) != "expired" {
		return err
	}
	if err := d.refresh(ctx); err != nil {
		return err
	}
	return do(d.tokens().Access)
}

func (d *Device) tokens() tokens {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.tok
}

// post sends a body and reads the answer into out. Whatever is not the answer
// of our server (no network, a proxy's page, half a body) is busy: the same
// bytes may be sent again.
func (d *Device) post(ctx context.Context, path, token string, body []byte, out any) error {
	req, err := d.request(ctx, path, token, body)
	if err != nil {
		return internal("device.post", "the address cannot be used: %v", err)
	}
	sent := d.cfg.Now()
	res, err := d.client().Do(req)
	if err != nil {
		return unreachable(ctx, err)
	}
	defer func() { _ = res.Body.Close() }() // it was read, or is not wanted
	text, err := unpack(res)
	if err != nil {
		return unreachable(ctx, err)
	}
	if res.StatusCode != http.StatusOK {
		return newProblem(res, text)
	}
	if err := read(text, out); err != nil {
		return unreachable(ctx, fmt.Errorf("this is not an answer of the server: %w", err))
	}
	d.setClock(serverTime(out), sent, d.cfg.Now())
	return nil
}

func (d *Device) request(ctx context.Context, path, token string, body []byte) (*http.Request, error) {
	sent, encoding := pack(body)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.cfg.BaseURL+path, bytes.NewReader(sent))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	d.introduce(req, token)
	return req, nil
}

// introduce says who asks, and what he understands.
func (d *Device) introduce(req *http.Request, token string) {
	req.Header.Set("Accept-Encoding", "zstd, gzip")
	if d.cfg.Lang != "" {
		req.Header.Set("Accept-Language", d.cfg.Lang)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
}

// read reads an answer, and makes sure that it is one: a gate that answers {}
// to everything would otherwise set the device back to its beginning.
func read(text []byte, out any) error {
	if err := json.Unmarshal(text, out); err != nil {
		return err
	}
	whole := true
	switch a := out.(type) {
	case *wire.PullAnswer:
		whole = a.Cursor != "" && a.Epoch != ""
	case *wire.PushAnswer:
		whole = a.Epoch != ""
	case *wire.LoginAnswer:
		whole = a.AccessToken != "" && a.Replica != ""
	case *wire.RefreshAnswer:
		whole = a.AccessToken != "" && a.RefreshToken != ""
	}
	if !whole {
		return errors.New("something is missing in it")
	}
	return nil
}

// serverTime is what time an answer says it is at the server.
func serverTime(answer any) time.Time {
	switch a := answer.(type) {
	case *wire.LoginAnswer:
		return a.ServerTime
	case *wire.RefreshAnswer:
		return a.ServerTime
	case *wire.PushAnswer:
		return a.ServerTime
	case *wire.PullAnswer:
		return a.ServerTime
	default:
		return time.Time{}
	}
}

func (d *Device) client() *http.Client {
	if d.cfg.HTTP != nil {
		return d.cfg.HTTP
	}
	return http.DefaultClient
}

func unreachable(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		cause = errors.Join(ctx.Err(), cause)
	}
	return errs.New("device.post", errs.Busy, "there is no connection to the server").Coded(codeOffline).Because(cause)
}

// setClock learns how far the server's clock is ahead of ours. The answer was
// under way for half of the time that the talk took, as far as we can know.
func (d *Device) setClock(server, sent, got time.Time) {
	if server.IsZero() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sight.OffsetMS = server.Sub(sent.Add(got.Sub(sent) / 2)).Milliseconds()
}
