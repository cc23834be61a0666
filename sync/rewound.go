package sync

import (
	"context"
	"maps"
	"slices"

	"roadbook/access"
	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/wire"
	"roadbook/version"
)

// A server may have come back at an earlier point without anybody having said
// so: a machine was rolled back, a copy put in its place. Only what the server
// itself has signed proves that. A number proves nothing: a hole is as likely
// to be a device's mistake.

// checkProofs begins a new epoch if a push proves that the log has lost
// something of this one.
func (e *Engine) checkProofs(ctx context.Context, who access.Caller, replica record.ReplicaID, p *wire.Push) error {
	if !slices.ContainsFunc(p.Mutations, func(m record.Mutation) bool { return m.Returns() }) {
		return nil
	}
	lost := ""
	err := e.Store.Snapshot(ctx, who.Org, func(tx store.Tx, head store.Head) error {
		unknown, err := e.isLost(ctx, tx, head, replica, p.Mutations)
		if unknown {
			lost = head.Epoch
		}
		return err
	})
	if err != nil || lost == "" {
		return err
	}
	return e.lost(ctx, who.Org, lost, "a device proved what the log has lost")
}

func (e *Engine) seenLost(ctx context.Context, org record.OrgID, epoch string) error {
	return e.lost(ctx, org, epoch, "a device has seen what the log has lost")
}

// isLost reports whether any of these was judged beyond the end of the log, in
// whatever epoch, or in the present one and is not in the log, as its receipt
// proves.
func (e *Engine) isLost(
	ctx context.Context, tx store.Tx, head store.Head, replica record.ReplicaID, muts []record.Mutation,
) (bool, error) {
	proven := map[record.ID]bool{}
	for i := range muts {
		m := &muts[i]
		if !m.Returns() || m.Again.Epoch != head.Epoch && m.Again.Seq <= head.Seq || e.teller.Prove(tx.Org, replica, m).Result == "" {
			continue
		}
		if m.Again.Seq > head.Seq {
			return true, nil
		}
		proven[m.ID] = true
	}
	if len(proven) == 0 {
		return false, nil
	}
	ids := make([]record.ID, 0, len(proven))
	for id := range proven {
		ids = append(ids, id)
	}
	found, err := tx.EntriesByID(ctx, ids)
	return len(found) < len(proven), err
}

// lost begins a new epoch because something of this one is not in the log. Of
// many who prove it at once, the first begins it.
func (e *Engine) lost(ctx context.Context, org record.OrgID, epoch, reason string) error {
	_, life, err := e.Store.LifeOf(ctx)
	if err != nil {
		return err
	}
	_, err = e.beginEpoch(ctx, org, store.Epoch{Life: life, Reason: reason, Proved: true}, func(head store.Head, _ []store.Epoch) bool {
		return head.Epoch == epoch
	})
	return err
}

// readmit makes a replica again that a restored server has lost, for a device
// that proves that it was one. Under another name its writes would not be those
// that others have seen.
func (w *work) readmit(j *job) error {
	if len(j.muts) == 0 || w.e.teller.Prove(w.tx.Org, j.replica, &j.muts[0]).Result == "" {
		return nil
	}
	writer := store.Writer{ID: j.replica, Device: j.who.Device, Person: j.who.Person}
	ids := make([]record.ReplicaID, 0, len(j.lineage))
	for _, a := range j.lineage {
		if id, ok := store.ReplicaNo(a.Replica); ok && id != j.replica {
			ids = append(ids, id)
		}
	}
	if err := w.loadWriters(ids); err != nil {
		return err
	}
	for _, a := range slices.Backward(j.lineage) {
		id, _ := store.ReplicaNo(a.Replica)
		if above := w.writers[id]; above != nil && above.Person == j.who.Person && id != j.replica {
			writer.Parent, writer.Fork, writer.Stamp = id, a.Last, above.Stamp
			break
		}
	}
	w.forks = append(w.forks, writer)
	w.writers[j.replica] = &writer
	w.twins[j.replica] = nil
	return nil
}

// noteOver remembers what the author had seen of a record beyond what is known
// to be durable: a device that gives this mutation to a restored server gives
// that along.
//
// A record's vector has the last write of each replica. If the author has not
// seen that one, an earlier one that he has seen may still hold a field or an
// element. Of several edits of one record that had seen different things, what all
// of them had seen counts: what goes with the receipt is told by record.
func (s *settling) noteOver(rec *record.Record, w *conflicts.Write) {
	var last []record.Writer // of each replica, what he had seen
	see := func(all ...record.Writer) {
		for _, o := range all {
			if o.IsZero() || o.Replica == s.by.Replica || !w.Covers(o) {
				continue
			}
			i := slices.IndexFunc(last, func(l record.Writer) bool { return l.Replica == o.Replica })
			switch {
			case i < 0:
				last = append(last, o)
			case last[i].N < o.N:
				last[i] = o
			}
		}
	}
	see(rec.Vector...)
	for i := range rec.Slots {
		see(rec.Slots[i].By)
		for k := range rec.Slots[i].Elems {
			see(rec.Slots[i].Elems[k].Adds...)
		}
		for _, v := range rec.Slots[i].Versions {
			see(v.By)
		}
		for _, a := range rec.Slots[i].Asked {
			see(a.Writers...)
		}
	}
	if _, again := s.met[rec.ID]; len(last) == 0 && !again && s.editsOf(rec.ID) == 1 {
		return // as for most
	}
	met := make(version.Vector, len(last))
	for _, o := range last {
		met[store.ReplicaName(o.Replica)] = o.N
	}
	if before, again := s.met[rec.ID]; again {
		met = common(before, met)
	}
	if s.met == nil {
		s.met = map[record.ID]version.Vector{}
	}
	s.met[rec.ID] = met
}

func (s *settling) editsOf(id record.ID) (n int) {
	for i := range s.m.Edits {
		if s.m.Edits[i].ID == id {
			n++
		}
	}
	return n
}

// common is what both vectors cover.
func common(a, b version.Vector) version.Vector {
	out := version.Vector{}
	for name, n := range a {
		if n = min(n, b[name]); n > 0 {
			out[name] = n
		}
	}
	return out
}

// over is what the author had seen, by record: what his receipt says, and what
// is known of it now.
func (s *settling) over() map[record.ID]version.Vector {
	out := map[record.ID]version.Vector{}
	if s.proof.Result == record.Applied {
		out = cloneOver(s.m.Again.Over)
	}
	for id, met := range s.met {
		for name, n := range met {
			if out[id] == nil {
				out[id] = version.Vector{}
			}
			out[id][name] = max(out[id][name], n)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// loadOver loads the replicas that a returning mutation had seen, so that it is
// known which of their writes are back.
func (s *settling) loadOver() error {
	var ids []record.ReplicaID
	for _, seen := range s.m.Again.Over {
		for name := range seen {
			if id, ok := store.ReplicaNo(name); ok && s.w.writers[id] == nil {
				ids = append(ids, id)
			}
		}
	}
	return s.w.loadWriters(distinct(ids))
}

func cloneOver(over map[record.ID]version.Vector) map[record.ID]version.Vector {
	out := make(map[record.ID]version.Vector, len(over))
	for id, seen := range over {
		out[id] = maps.Clone(seen)
	}
	return out
}
