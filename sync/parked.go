package sync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"roadbook/access"
	"roadbook/conflicts"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/history"
	"roadbook/version"
)

// A server that was restored gets back what it has lost from many devices, in
// any order: an edit before the record that it edits, a visit before its
// account, a discount before the budget. What was accepted once and would be
// refused now for such a reason is parked. Its number is used up, and it is
// tried again whenever something that it names has changed.

// How long something waits for its neighbours: a phone that was lost in the
// meantime has been found by then, or never will be.
const (
	parkedFor     = 30 * 24 * time.Hour
	expireAtOnce  = 100
	maxUnparkings = 8 // rounds of one commit: what is back may bring back more
)

// park lets a mutation wait that was accepted once.
func (s *settling) park(why *errs.Error) (record.Outcome, error) {
	w, seq := s.w, s.w.next()
	s.edits = s.edits[:0]
	for i := range s.m.Edits {
		s.edits = append(s.edits, history.Edit{Edit: &s.m.Edits[i]})
	}
	typed, err := json.Marshal(s.m)
	if err != nil {
		return record.Outcome{}, fmt.Errorf("a parked mutation cannot be written: %w", err)
	}
	keep := history.Verdict{Over: s.m.Again.Over, Parked: typed, Refusal: record.RefusalOf(why)}
	w.append(s.writer, s.m, store.Entry{
		Seq: seq, Stamp: s.m.Again.Stamp, Person: s.person, Result: record.Parked, Body: s.body(), Outcome: keep.Text(),
	})
	w.head.Parked++
	w.parked = append(w.parked, store.Parked{
		Replica: s.writer.ID, N: s.m.N, Seq: seq, Expires: w.now.Add(parkedFor), Waits: s.named(),
	})
	keep.Refusal = nil
	return w.e.teller.Outcome(w.tx.Org, w.head.Epoch, &w.log[len(w.log)-1], keep), nil
}

// follow reports whether a mutation that was never accepted builds on something
// that is not here, and that something parked builds on as well: somebody had
// it, so that it may come back. It then waits like that, with the stamp that it
// has got before it failed.
func (s *settling) follow(why *errs.Error) (bool, error) {
	if s.w.head.Parked == 0 || why.Kind != errs.Missing || s.by.IsZero() {
		return false, nil
	}
	var absent []record.ID
	for _, id := range s.named() {
		rec, err := s.w.record(id)
		if err != nil {
			return false, err
		}
		if rec == nil {
			absent = append(absent, id)
		}
	}
	waiting, err := s.w.tx.WaitingFor(s.w.ctx, absent)
	here := slices.ContainsFunc(s.w.parked, func(p store.Parked) bool {
		return slices.ContainsFunc(p.Waits, func(id record.ID) bool { return slices.Contains(absent, id) })
	})
	if err != nil || len(waiting) == 0 && !here {
		return false, err
	}
	s.m.Again = &record.Again{Stamp: s.by.Stamp}
	return true, nil
}

// named are the records, the people and the mutations that a mutation names:
// when one of them changes, what was refused may be possible.
func (s *settling) named() []record.ID {
	all := []record.ID{s.person}
	for i := range s.m.Edits {
		e := &s.m.Edits[i]
		all = append(all, e.ID)
		if rec := s.w.records[e.ID]; rec != nil && rec.Kind.Name == reserveKind {
			all = append(all, rec.Ref("record")) // what was spent of a closed one is taken from its counter
		}
		if kind := s.w.schema.Kind(e.Kind); kind != nil {
			for _, id := range references(kind, e) {
				all = append(all, id)
			}
			if parent := e.Set.Get(kind.Parent); parent != nil {
				all = append(all, ids(parent)...)
			}
		}
	}
	for _, raw := range s.m.After {
		if id, ok := record.RawID(raw); ok {
			all = append(all, id)
		}
	}
	return distinct(all)
}

// own is a mutation of an author that is parked.
type own struct {
	replica record.ReplicaID
	n       uint64
}

// loadUnsettled finds what the author did before to the records that he changes
// now, and that is parked. He knew of it: when it is settled at last, it must not
// undo what he did since.
func (s *settling) loadUnsettled() error {
	w := s.w
	if w.head.Parked == 0 {
		return nil
	}
	s.unsettled = map[record.ID][]own{}
	for i := range s.m.Edits {
		id := s.m.Edits[i].ID
		if _, known := s.unsettled[id]; known {
			continue
		}
		s.unsettled[id] = nil
		seqs, err := w.tx.WaitingFor(w.ctx, []record.ID{id})
		if err != nil {
			return err
		}
		for _, p := range w.parked {
			if slices.Contains(p.Waits, id) {
				seqs = append(seqs, p.Seq)
			}
		}
		for _, seq := range seqs {
			row, err := w.entryAt(seq)
			if err != nil {
				return err
			}
			s.unsettled[id] = append(s.unsettled[id], own{row.Replica, row.N})
		}
	}
	return nil
}

// awaitOwn adds what of that is the author's own to what he had seen and that is
// not here yet.
func (s *settling) awaitOwn(w *conflicts.Write, id record.ID) {
	for _, o := range s.unsettled[id] {
		is := o.replica == s.by.Replica && o.n < s.by.N || slices.ContainsFunc(w.Seen.Line, func(a conflicts.Ancestor) bool {
			return a.Replica == o.replica && o.n <= a.UpTo
		})
		if !is {
			continue
		}
		if w.Awaited == nil {
			w.Awaited = map[record.ReplicaID]uint64{}
		}
		w.Awaited[o.replica] = max(w.Awaited[o.replica], o.n)
	}
}

// unpark tries what waits for anything that this transaction has changed, and
// then what waits for that.
func (w *work) unpark() error {
	dirty, log := 0, 0
	for range maxUnparkings {
		if w.head.Parked == 0 || dirty == len(w.dirty) && log == len(w.log) {
			return nil
		}
		changed := w.changedSince(dirty, log)
		dirty, log = len(w.dirty), len(w.log)
		seqs, err := w.tx.WaitingFor(w.ctx, changed)
		if err != nil {
			return err
		}
		for _, p := range w.parked {
			if slices.ContainsFunc(p.Waits, func(id record.ID) bool { return slices.Contains(changed, id) }) {
				seqs = append(seqs, p.Seq)
			}
		}
		for _, seq := range distinct(seqs) {
			if err := w.tryParked(seq); err != nil {
				return err
			}
		}
	}
	return nil
}

// changedSince names what was changed by the later part of the transaction:
// records, those above them, people, and the mutations themselves.
func (w *work) changedSince(dirty, log int) []record.ID {
	var out []record.ID
	for _, id := range w.dirty[dirty:] {
		for _, r := range []*record.Record{w.was[id], w.records[id]} {
			if r != nil {
				out = append(out, id, r.Parent)
			}
		}
	}
	for i := range w.log[log:] {
		out = append(out, w.log[log+i].ID)
	}
	for _, p := range w.named {
		out = append(out, p.ID)
	}
	for _, r := range w.regrant {
		for _, g := range slices.Concat(r.Give, r.Take) {
			out = append(out, g.Holder)
		}
	}
	return distinct(out)
}

// tryParked settles a parked mutation if that has become possible.
func (w *work) tryParked(seq record.Seq) error {
	s, err := w.openParked(seq)
	if err != nil || s == nil {
		return err
	}
	err = s.all(s.person)
	if err == nil {
		_, err = s.accept()
		return err
	}
	var refusal *errs.Error
	if errors.As(err, &refusal) && refusal.Kind != errs.Internal && refusal.Kind != errs.Busy {
		return nil // it goes on waiting
	}
	return err
}

// openParked takes a parked mutation in hand, nil if it is settled already.
func (w *work) openParked(seq record.Seq) (*settling, error) {
	if slices.ContainsFunc(w.settled, func(s store.Settled) bool { return s.Parked == seq }) {
		return nil, nil //nolint:nilnil // nothing is left to do
	}
	row, err := w.entryAt(seq)
	if err != nil {
		return nil, err
	}
	var keep history.Verdict
	m := &record.Mutation{}
	if err := errors.Join(json.Unmarshal(row.Outcome, &keep), json.Unmarshal(keep.Parked, m)); err != nil {
		return nil, fmt.Errorf("row %d of the log is damaged: %w", seq, err)
	}
	if err := w.loadWriters([]record.ReplicaID{row.Replica}); err != nil {
		return nil, err
	}
	writer := w.writers[row.Replica]
	if writer == nil {
		return nil, fmt.Errorf("row %d of the log: replica %d is not there", seq, row.Replica)
	}
	m.Hash = row.Hash
	s := &settling{w: w, m: m, writer: writer, person: row.Person, parked: seq, drafts: map[record.ID]*draft{}, noted: map[record.ID]bool{}}
	s.proof = w.e.teller.Prove(w.tx.Org, writer.ID, m)
	s.proof.Result = record.Applied // it was proven when it came, and the key may be another by now
	return s, nil
}

// appendSettled adds a row that says what became of a parked mutation. Its name
// is used up, so the row is the server's own.
func (s *settling) appendSettled(e store.Entry, keep history.Verdict) {
	w := s.w
	writer := w.writers[w.head.Server]
	keep.As = &history.As{Replica: s.writer.ID, N: s.m.N, ID: s.m.ID, Parked: s.parked}
	e.Outcome = keep.Text()
	w.append(writer, &record.Mutation{N: writer.N + 1, ID: w.rowID(writer), Hash: s.m.Hash}, e)
	s.writer.Stamp = version.Later(s.writer.Stamp, e.Stamp)
	w.settled = append(w.settled, store.Settled{Parked: s.parked, At: e.Seq})
	w.head.Parked--
}

// fate is the row that says what became of a parked mutation, or the one that
// says that it waits.
func (w *work) fate(row *store.Entry) (*store.Entry, error) {
	for _, s := range w.settled {
		if s.Parked == row.Seq {
			settled, err := w.entryAt(s.At)
			return &settled, err
		}
	}
	at, err := w.tx.FateOf(w.ctx, row.Seq)
	if err != nil || at == 0 {
		return row, err
	}
	settled, err := w.entryAt(at)
	return &settled, err
}

// Expire refuses what has been parked for too long, some at a time, and reports
// whether there is more. Its authors find it among what was refused.
func (e *Engine) Expire(ctx context.Context, org record.OrgID) (more bool, err error) {
	err = e.submit(ctx, org, &job{who: access.Caller{Org: org}, run: func(w *work) error {
		seqs, err := w.tx.Expired(w.ctx, w.now, expireAtOnce)
		more = len(seqs) == expireAtOnce
		for _, seq := range seqs {
			s, err := w.openParked(seq)
			if err != nil {
				return err
			}
			if s != nil {
				s.expire()
			}
		}
		return err
	}})
	return more, err
}

func (s *settling) expire() {
	why := errs.New("sync.park", errs.Missing, "what this change builds on has not come back; please enter it again").Coded("parked")
	for i := range s.m.Edits {
		s.edits = append(s.edits, history.Edit{Edit: &s.m.Edits[i]})
	}
	s.appendSettled(store.Entry{
		Seq: s.w.next(), Stamp: s.m.Again.Stamp, Person: s.person, Result: record.Refused, Body: s.body(),
	}, history.Verdict{Refusal: record.RefusalOf(why)})
}
