package device

import (
	"context"
	"encoding/json"
	"slices"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
)

// SignIn signs a person in. The first time it gives the device its replica;
// later it only renews the tokens, because a device that has one takes its
// counter from nobody. A store belongs to the person who first signed in on
// it: what he may see is not for the next one. Where many sign in at once it
// waits for its turn, as Sync does; all else is told at once to the person who
// stands before the device.
func (d *Device) SignIn(ctx context.Context, org, user, password string) error {
	d.net.Lock()
	defer d.net.Unlock()
	d.mu.RLock()
	id, broken := d.id, d.broken
	d.mu.RUnlock()
	if broken != nil {
		return broken
	}
	in := wire.LoginRequest{Org: org, User: user, Password: password, Fresh: id.NeedFresh, Device: wire.DeviceInfo{
		Install: id.Install, Kind: d.cfg.Kind, Platform: d.cfg.Platform, App: d.cfg.App,
	}}
	var answer *wire.LoginAnswer
	err := d.patiently(ctx, &Report{}, saysWhen, func() (err error) {
		answer, err = d.login(ctx, in)
		if err == nil && !in.Fresh && id.lostName(answer) {
			in.Fresh = true
			answer, err = d.login(ctx, in)
		}
		return err
	})
	if err != nil {
		return err
	}
	return d.change(func(b *batch) error { return d.signedIn(org, answer, in.Fresh, b) })
}

// lostName reports whether the name in an answer is of no use: somebody has
// written under it, and it was not this store; or the server has forgotten
// this device, and with it the name that it had.
func (id *identity) lostName(a *wire.LoginAnswer) bool {
	if id.Replica == "" {
		return a.NextN > 1
	}
	return !id.Device.IsZero() && id.Device != a.Device && id.Actor.ID == a.Actor.ID
}

func (d *Device) login(ctx context.Context, in wire.LoginRequest) (*wire.LoginAnswer, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, internal("device.SignIn", "the question could not be written: %v", err)
	}
	answer := &wire.LoginAnswer{}
	return answer, d.post(ctx, "/v1/auth/login", "", body, answer)
}

// signedIn takes an answer in.
func (d *Device) signedIn(org string, a *wire.LoginAnswer, fresh bool, b *batch) error {
	if !d.id.Actor.ID.IsZero() && (d.id.Actor.ID != a.Actor.ID || d.id.Org != org) {
		return errs.New("device.SignIn", errs.Denied,
			"this device holds the work of %s; somebody else needs a store of his own", d.id.Actor.Name).Coded("owner")
	}
	if !d.id.Device.IsZero() && d.id.Device != a.Device {
		d.markApart(b) // a server that has lost who this was cannot tell by our cursor what we have seen
	}
	d.id.Org, d.id.Actor, d.id.Device, d.id.Schema = org, a.Actor, a.Device, a.Schema
	switch {
	case d.id.Replica == "" && a.NextN <= 1:
		d.id.Replica = a.Replica // what was typed before has its n already
	case d.id.Replica == "" || fresh && a.Replica != d.id.Replica:
		d.rename(a.Replica, a.NextN, judgedID(a), d.outbox, b)
	}
	d.id.NeedFresh = false
	d.tok = tokens{Access: a.AccessToken, Refresh: a.RefreshToken}
	if a.Epoch != "" {
		d.sight.Epoch = a.Epoch
	}
	d.saveIdentity(b)
	d.saveTokens(b)
	d.saveSight(b)
	return nil
}

func judgedID(a *wire.LoginAnswer) record.ID {
	id, err := record.ParseID(a.JudgedID)
	if err != nil {
		return record.NoID
	}
	return id
}

// refresh renews the tokens. Both are in the store before either is used: the
// server lets an old one be repeated only until its successor has been used.
func (d *Device) refresh(ctx context.Context) error {
	d.mu.RLock()
	in := wire.RefreshRequest{RefreshToken: d.tok.Refresh, Install: d.id.Install}
	d.mu.RUnlock()
	if in.RefreshToken == "" {
		return errs.New("device.refresh", errs.Anonymous, "please sign in again").Coded("token")
	}
	body, err := json.Marshal(in)
	if err != nil {
		return internal("device.refresh", "the question could not be written: %v", err)
	}
	answer := &wire.RefreshAnswer{}
	if err := d.post(ctx, "/v1/auth/refresh", "", body, answer); err != nil {
		return err
	}
	return d.change(func(b *batch) error {
		d.tok = tokens{Access: answer.AccessToken, Refresh: answer.RefreshToken}
		d.saveTokens(b)
		return nil
	})
}

// SignOut gives the tokens up. Everything that was typed stays, in the outbox
// too, and is sent after the next sign-in. The server is told if it can be
// reached.
func (d *Device) SignOut(ctx context.Context) error {
	d.net.Lock()
	defer d.net.Unlock()
	if token := d.tokens().Access; token != "" {
		var ignored any
		_ = d.post(ctx, "/v1/auth/logout", token, nil, &ignored) // one signs out without a network too
	}
	return d.change(func(b *batch) error {
		d.tok = tokens{}
		d.saveTokens(b)
		return nil
	})
}

// Want says what the device wishes to hold: from which month on, which kinds,
// which accounts are pinned. What it leaves out stays as it was; no kinds, as
// an empty list, are all. The next pull asks for it; what falls outside goes
// with that pull, not before.
func (d *Device) Want(w wire.Want) error {
	return d.change(func(b *batch) error {
		d.id.Want = &w
		d.saveIdentity(b)
		return nil
	})
}

// Pin has an account and all that belongs to it held by name, until Unpin, as
// long as its person sees it otherwise.
func (d *Device) Pin(account record.ID) error {
	return d.pins(func(pins []record.ID) ([]record.ID, error) {
		if slices.Contains(pins, account) {
			return pins, nil
		}
		if len(pins) == wire.MaxPins {
			return nil, errs.New("device.Pin", errs.Invalid, "at most %d customers can be pinned; unpin another one first", wire.MaxPins).
				Coded("pins")
		}
		return append(pins, account), nil
	})
}

// Unpin takes back a Pin.
func (d *Device) Unpin(account record.ID) error {
	return d.pins(func(pins []record.ID) ([]record.ID, error) {
		return slices.DeleteFunc(pins, func(id record.ID) bool { return id == account }), nil
	})
}

func (d *Device) pins(change func(pins []record.ID) ([]record.ID, error)) error {
	return d.change(func(b *batch) error {
		w := wire.Want{}
		if d.id.Want != nil {
			w = *d.id.Want
		}
		pins, err := change(append([]record.ID{}, w.Pins...))
		if err != nil {
			return err
		}
		w.Pins = pins
		d.id.Want = &w
		d.saveIdentity(b)
		return nil
	})
}
