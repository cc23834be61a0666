package sim

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg"
	"roadbook/sync/wire"
)

// door signs people in without passwords: whoever says that he is somebody is
// he. Hashing would cost a history more than all the rest of it, and signing
// in is tested where it is written.
type door struct{ w *World }

// Login implements api.SignIn.
func (d door) Login(ctx context.Context, r *wire.LoginRequest, _ string) (*wire.LoginAnswer, error) {
	w := d.w
	who := access.Caller{Org: w.org, Person: w.idOf(r.User), Device: w.deviceFor(r.Device, w.idOf(r.User))}
	var replica store.Replica
	var log store.Log
	err := pg.InTx(ctx, w.pool, pgx.TxOptions{}, func(tx pgx.Tx) (err error) {
		replica, err = store.ClaimReplica(ctx, tx, w.org, who.Device, who.Person, r.Fresh, w.draw)
		if err == nil {
			log, err = store.LogOf(ctx, tx, w.org)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &wire.LoginAnswer{
		AccessToken: who.Person.String() + "." + who.Device.String(), RefreshToken: "none",
		Actor: wire.Actor{ID: who.Person, Name: r.User}, Device: who.Device,
		Replica: replica.Name, NextN: replica.N + 1, JudgedID: replica.LastID.String(),
		Epoch: log.Epoch, Schema: log.Schema, ServerTime: w.now(),
	}, nil
}

// Refresh implements api.SignIn; no token of this door runs out.
func (d door) Refresh(context.Context, *wire.RefreshRequest) (*wire.RefreshAnswer, error) {
	return nil, errs.New("sim.Refresh", errs.Anonymous, "nobody needs this").Coded("token")
}

// Logout implements api.SignIn.
func (d door) Logout(context.Context, access.Caller) error { return nil }

// Caller implements api.SignIn. Everybody may sync; what he gets by it, his
// grants decide.
func (d door) Caller(_ context.Context, token string) (access.Caller, error) {
	person, dev, _ := strings.Cut(token, ".")
	who := access.Caller{Org: d.w.org, Roles: []string{"rep"}}
	var err error
	if who.Person, err = record.ParseID(person); err == nil {
		who.Device, err = record.ParseID(dev)
	}
	if err == nil && !d.w.knows(who.Device, who.Person) {
		err = errPassed
	}
	if err != nil {
		return who, errs.New("sim.Caller", errs.Anonymous, "whose token is this?").Coded("token").Because(err)
	}
	return who, nil
}
