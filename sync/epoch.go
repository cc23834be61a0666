package sync

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
)

// maxReason is a sentence: it is kept for ever.
const maxReason = 200

// epochNames is how many random names make one epoch: 93 bits.
const epochNames = 3

// NewEpoch begins a new life of an org's log, after the database has come back
// at another point than the one at which it was left. From here on no seq and
// no dot is one that was given out before, also not in what was lost: the head
// jumps to store.EpochAt in one row of the log, and the server writes under a
// new name. Cursors of before are stale, code epoch.
func (e *Engine) NewEpoch(ctx context.Context, org record.OrgID, reason string) (store.Epoch, error) {
	_, life, err := e.Store.LifeOf(ctx)
	if err != nil {
		return store.Epoch{}, err
	}
	return e.beginEpoch(ctx, org, store.Epoch{Life: life, Reason: reason}, func(store.Head, []store.Epoch) bool { return true })
}

// Renew begins a new epoch for every org if the database has another life than
// the one in which it was last served: it was restored or promoted, by us or by
// other means. It is called before anybody is served, and returns how many
// epochs it has begun.
func (e *Engine) Renew(ctx context.Context, reason string) (int, error) {
	was, is, err := e.Store.LifeOf(ctx)
	switch {
	case err != nil || was == is:
		return 0, err
	case was == "": // it was last served by a program that did not note it, or never
		return 0, e.Store.Live(ctx, is)
	}
	return e.Reborn(ctx, reason)
}

// Reborn is Renew for whoever knows that the database has come back, as restore
// and promote do. Interrupted, it goes on where it was: an org that has an
// epoch of this life already keeps it.
func (e *Engine) Reborn(ctx context.Context, reason string) (int, error) {
	_, is, err := e.Store.LifeOf(ctx)
	if err != nil {
		return 0, err
	}
	orgs, err := e.Store.LogEnds(ctx)
	if err != nil {
		return 0, err
	}
	begun := 0
	for _, o := range orgs {
		fresh, err := e.beginEpoch(ctx, o.Org, store.Epoch{Life: is, Reason: reason}, func(_ store.Head, known []store.Epoch) bool {
			return len(known) == 0 || known[len(known)-1].Life != is // of two servers that start together, one begins it
		})
		if err != nil {
			return begun, fmt.Errorf("a new epoch of org %d: %w", o.Org, err)
		}
		if fresh.Epoch != "" {
			begun++
		}
	}
	return begun, e.Store.Live(ctx, is)
}

// beginEpoch commits an epoch if due says so, under the lock.
func (e *Engine) beginEpoch(
	ctx context.Context, org record.OrgID, fresh store.Epoch, due func(head store.Head, known []store.Epoch) bool,
) (store.Epoch, error) {
	if fresh.Reason == "" || len(fresh.Reason) > maxReason {
		return store.Epoch{}, errs.New("sync.NewEpoch", errs.Invalid, "say in 1 to %d bytes why a new epoch begins", maxReason)
	}
	var begun store.Epoch
	run := func(w *work) error {
		begun = store.Epoch{} // a transaction may be run again
		known, err := w.tx.Epochs(w.ctx)
		if err != nil {
			return err
		}
		if !due(w.head, known) {
			return nil
		}
		begun, err = w.beginEpoch(fresh)
		return err
	}
	if err := e.submit(ctx, org, &job{run: run}); err != nil {
		return store.Epoch{}, err // it may still run, if it was only not waited for
	}
	return begun, nil
}

// beginEpoch gives the log a new epoch and the server a new name, under which
// it says so. The old name stays what it was: the server might have written
// more under it than is known here.
func (w *work) beginEpoch(fresh store.Epoch) (store.Epoch, error) {
	old := w.writers[w.head.Server]
	if old == nil || w.epoch != nil {
		return fresh, errs.New("sync.NewEpoch", errs.Internal, "the org has no replica of the server's own, or two epochs begin at once")
	}
	server := store.Writer{ID: record.ReplicaID(w.e.Draw()), Device: old.Device, Person: old.Person, Stamp: old.Stamp}
	fresh.Was, fresh.From, fresh.At = w.head.Epoch, w.head.Seq, w.now
	fresh.Epoch = w.e.drawEpoch()
	fresh.Began = store.EpochAt(w.now, w.head.Seq)
	body, err := json.Marshal([]epochBody{{Op: "epoch", Set: epochSet{
		Epoch: fresh.Epoch, Was: fresh.Was, From: strconv.FormatInt(int64(fresh.From), 10), Reason: fresh.Reason,
	}}})
	if err != nil {
		return fresh, err
	}
	w.head.Seq, w.head.Epoch, w.head.Server = fresh.Began, fresh.Epoch, server.ID
	w.forks = append(w.forks, server)
	w.writers[server.ID] = &server
	w.epoch = &fresh
	w.append(&server, &record.Mutation{N: 1, ID: w.rowID(&server)}, store.Entry{
		Seq: fresh.Began, Stamp: server.Stamp, Result: record.Applied, Body: body,
	})
	return fresh, nil
}

// epochBody is the row of the log in which an epoch begins.
type epochBody struct {
	Op  string   `json:"op"`
	Set epochSet `json:"set"`
}

type epochSet struct {
	Epoch  string `json:"epoch"`
	Was    string `json:"was"`
	From   string `json:"from"`
	Reason string `json:"reason"`
}

// drawEpoch is a name that no log has had: what was lost may have had epochs
// too.
func (e *Engine) drawEpoch() string {
	name := ""
	for range epochNames {
		name += string(store.ReplicaName(record.ReplicaID(e.Draw())))
	}
	return name
}
