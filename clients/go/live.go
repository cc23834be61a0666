package device

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"roadbook/errs"
	"roadbook/sync/wire"
)

// What a device that listens waits for.
const (
	pingEvery  = 30 * time.Second // proxies and mobile networks forget a connection that is quiet for a minute
	sayWithin  = 10 * time.Second
	dialWithin = 20 * time.Second
	pollRounds = 10 // long polls, before the socket is tried again
)

// Close codes of the server. Those from 4500 to 4999 say not to come back.
const (
	closeExpired = 4001
	closeForGood = 4500
	closeLast    = 4999
)

// Live keeps the device up to date until ctx ends: it syncs, then listens on a
// socket and applies what comes, and syncs again when it is told to or has been
// cut off. Where no socket gets through it pulls with a wait instead. heard is
// told of everything that came of it. What is typed meanwhile is for Sync.
//
// It returns ctx's error, or that of a sign-in that has ended.
func (d *Device) Live(ctx context.Context, heard func(Report, error)) error {
	if d.cfg.Sleep == nil {
		return errs.New("device.Live", errs.Invalid, "a device that listens needs a way to wait")
	}
	wait := firstWait
	for {
		r, err := d.Sync(ctx)
		heard(r, err)
		if err == nil {
			var listened bool
			if listened, err = d.listen(ctx, heard); listened {
				wait = firstWait
			} else if mayPass(err) {
				err = d.poll(ctx, heard)
			}
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errs.KindOf(err) == errs.Anonymous && err != nil:
			return err
		}
		if err := d.pause(ctx, wait, err); err != nil {
			return err
		}
		wait = min(wait*2, mostWait)
	}
}

// poll is what there is where no socket gets through.
func (d *Device) poll(ctx context.Context, heard func(Report, error)) error {
	for range pollRounds {
		r, err := d.Wait(ctx, wire.MaxWaitMS*time.Millisecond)
		if err != nil {
			return err
		}
		if r.Pages > 0 {
			heard(r, nil)
		}
	}
	return nil
}

// listen opens a socket and hears until it ends. listened says whether there
// was one.
func (d *Device) listen(ctx context.Context, heard func(Report, error)) (listened bool, err error) {
	conn, err := d.dial(ctx)
	if errs.KindOf(err) == errs.Anonymous && errs.CodeOf(err) == "expired" {
		d.net.Lock()
		err = d.refresh(ctx)
		d.net.Unlock()
		if err == nil {
			conn, err = d.dial(ctx)
		}
	}
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &ear{d: d, conn: conn, heard: heard}
	go s.watch(ctx)
	return true, d.parted(ctx, s.hear(ctx))
}

// dial opens the socket.
func (d *Device) dial(ctx context.Context) (*websocket.Conn, error) {
	address := "ws" + strings.TrimPrefix(d.cfg.BaseURL, "http") + "/v1/sync/live"
	header := http.Header{"Authorization": {"Bearer " + d.tokens().Access}}
	if d.cfg.Lang != "" {
		header.Set("Accept-Language", d.cfg.Lang)
	}
	dialer := &websocket.Dialer{
		Proxy: http.ProxyFromEnvironment, NetDialContext: d.cfg.Dial, HandshakeTimeout: dialWithin,
	}
	conn, res, err := dialer.DialContext(ctx, address, header)
	if err == nil {
		return conn, nil
	}
	if res == nil {
		return nil, unreachable(ctx, err)
	}
	defer func() { _ = res.Body.Close() }() // gorilla has read what there is to read
	text, readErr := unpack(res)
	if readErr != nil {
		return nil, unreachable(ctx, readErr)
	}
	return nil, newProblem(res, text)
}

// parted says what the end of a socket means: that somebody must sign in, or
// nothing.
func (d *Device) parted(ctx context.Context, err error) error {
	gone, ok := errors.AsType[*websocket.CloseError](err)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case ok && gone.Code == closeExpired:
		d.net.Lock()
		defer d.net.Unlock()
		return d.refresh(ctx)
	case ok && gone.Code >= closeForGood && gone.Code <= closeLast:
		return errs.New("device.Live", errs.Anonymous, "the server wants to hear of this device no more: please sign in").
			Coded("token").Because(err)
	case errs.KindOf(err) == errs.Anonymous:
		return err
	}
	return nil
}
