package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/demo"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
)

// follow lets phones follow the records of the witnesses by cursor. What is on
// a phone after a pull is what was there at some moment of the pull.
func (all *witnesses) follow(phones int, url string) {
	all.t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(all.t.Context()))
	end := all.stop
	all.stop = func() { end(); stop() }
	for i := range phones {
		d, err := device.Open(device.Config{
			BaseURL: url, Now: now, NewID: newID, Sleep: sleepNow, Kind: "phone", Platform: "android 15", App: "1.0.0", Lang: "en",
			HTTP: &http.Client{Transport: &http.Transport{}, Timeout: answersWithin},
		})
		require.NoError(all.t, err)
		all.t.Cleanup(func() { _ = d.Close() })
		require.Eventually(all.t, func() bool {
			return d.SignIn(all.t.Context(), demo.Name, "lin", demo.Password) == nil
		}, patience, often, "nobody can sign in")
		require.NoError(all.t, d.Want(wire.Want{Kinds: []string{"task"}}))
		all.work.Go(func() error { return all.pull(ctx, records+1+i, d) })
	}
}

// pull goes on until ctx ends.
func (all *witnesses) pull(ctx context.Context, no int, d *device.Device) error {
	for ctx.Err() == nil {
		call := all.clock()
		_, err := d.Pull(ctx)
		ret := all.clock()
		if kind := errs.KindOf(err); err != nil && ctx.Err() == nil && kind != errs.Busy && kind != errs.Stale {
			return fmt.Errorf("a phone that pulls was told %s: %w", kind, err)
		}
		if err == nil {
			d.Pulled(func(_ string, id record.ID, seq record.Seq, _ []string, set record.Values) {
				if r := slices.Index(all.ids[:], id); r >= 0 {
					all.note(porcupine.Operation{
						ClientId: no, Call: call, Return: ret,
						Input: act{record: r, what: "read", value: set.Text("title"), seq: seq, answer: true},
					})
				}
			})
		}
		_ = sleepNow(ctx, often)
	}
	return nil
}
