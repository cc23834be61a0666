package device

import (
	"encoding/json"
	"slices"

	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

// Status is how a device stands.
type Status struct {
	SignedIn bool
	Actor    wire.Actor
	Install  string
	Replica  version.Replica
	Lineage  []version.Replica // what it was called before, oldest first
	LastN    uint64            // of what was typed

	Outbox  int // typed, without a verdict
	Settled int // with a verdict, and not yet come back by a pull
	Journal int // judged, and not yet safe
	Refused int
	Parked  int // kept by a restored server until what they need is back
	Records int // as pulled

	Cursor     string
	Complete   bool // everything was here, at least once
	Filling    bool // there is more to come
	Staged     int  // pages kept back
	StartsOver bool
	Epoch      string
	Durable    wire.Durable // up to here the log is known to be on a second machine
	High       version.Stamp
	Faults     int // changes that made no sense; the server's fault
	Damaged    int // rows of what was pulled that the store had lost or spoilt when it was opened; a pull fetches them
}

// Status reports how the device stands.
func (d *Device) Status() Status {
	d.mu.RLock()
	defer d.mu.RUnlock()
	s := Status{
		SignedIn: d.tok.Access != "", Actor: d.id.Actor, Install: d.id.Install,
		Replica: d.id.Replica, LastN: d.count.N,
		Outbox: len(d.outbox), Refused: len(d.refused), Records: len(d.base.records),
		Cursor: d.sight.Cursor, Complete: d.sight.Complete, Filling: d.sight.Filling,
		Staged: len(d.pages), StartsOver: d.fresh != nil, Epoch: d.sight.Epoch, Durable: d.sight.Durable, High: d.sight.High,
		Faults: d.sight.Faults, Damaged: d.damaged,
	}
	for _, a := range d.id.Lineage {
		s.Lineage = append(s.Lineage, a.Replica)
	}
	for _, en := range d.acked {
		s.Settled += one(en.Verdict.Showing)
		s.Journal += one(en.Verdict.Kept)
		s.Parked += one(en.Verdict.Result == record.Parked)
	}
	return s
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// Outbox is what was typed and has no verdict yet, in the order in which it
// will be pushed.
func (d *Device) Outbox() []record.Mutation {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return mutations(d.outbox)
}

// Parked is what a restored server keeps until what it needs is back.
func (d *Device) Parked() []record.Mutation {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return mutations(slices.DeleteFunc(slices.Clone(d.acked), func(en *entry) bool {
		return en.Verdict.Result != record.Parked
	}))
}

func mutations(entries []*entry) []record.Mutation {
	list := make([]record.Mutation, len(entries))
	for i, en := range entries {
		list[i] = en.Mutation
	}
	return list
}

// Refused is what was refused and not yet dismissed, in the order of typing.
func (d *Device) Refused() []RefusedMutation {
	d.mu.RLock()
	defer d.mu.RUnlock()
	list := make([]RefusedMutation, len(d.refused))
	for i, r := range d.refused {
		list[i] = *r
	}
	return list
}

// Schema is the org's schema as the server sent it, nil before that.
func (d *Device) Schema() json.RawMessage {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.schema.Raw
}

// Token is the present access token, for what goes beside a sync: uploads and
// the live socket.
func (d *Device) Token() string { return d.tokens().Access }

// Digests sum up what the device holds of each scope, with the keys under
// which the server sums: for tests and for looking into a complaint.
func (d *Device) Digests(key func(scope string) uint64) map[string]wire.Digest {
	d.mu.RLock()
	defer d.mu.RUnlock()
	tallies := map[string]wire.Tally{}
	for id, h := range d.base.records {
		for _, scope := range h.In {
			t := tallies[scope]
			t.Add(wire.Sum(id, h.Seq, key(scope)))
			tallies[scope] = t
		}
	}
	digests := make(map[string]wire.Digest, len(tallies))
	for scope, t := range tallies {
		digests[scope] = t.Digest()
	}
	return digests
}

// Pulled calls each for every record as it was pulled, without own edits on
// top and in no order: for tests and for looking into a complaint. What it is
// given is shared and not to be changed.
func (d *Device) Pulled(each func(kind string, id record.ID, seq record.Seq, in []string, set record.Values)) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for id, h := range d.base.records {
		each(h.Kind, id, h.Seq, h.In, h.Set)
	}
}
