package sync

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"roadbook/access"
	"roadbook/conflicts"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/history"
	"roadbook/version"
)

// maxAhead is how far ahead of the server's clock a stamp may lie before it is
// cut back: phones drift, and a phone years ahead must not win for ever.
const maxAhead = 2 * 60 * 1000

// settling is one mutation in hand. It works on drafts, so that a refusal at
// any step leaves no trace but the verdict.
type settling struct {
	w       *work
	m       *record.Mutation
	writer  *store.Writer
	actor   *access.Actor
	by      record.Writer
	clamped bool
	person  record.ID
	proof   history.Proof // of a mutation that was judged in an earlier epoch
	parked  record.Seq    // where it was parked, if it is tried again

	drafts    map[record.ID]*draft
	order     []record.ID // of drafts, as they were first touched
	edits     []history.Edit
	clashes   []record.Clash
	taking    *record.Record // it is being merged into another
	told      []told         // of each clash, how it is kept
	merged    bool
	met       map[record.ID]version.Vector // what the author had seen, by record, beyond what is durable
	effects   []Effects
	rescope   []record.ID
	applied   []*record.Edit // as typed, but led on from what was merged away
	redirects map[*record.Edit]redirected
	became    map[alikeKey][]record.ID // who has got a key by this mutation
	noted     map[record.ID]bool       // notes that the server itself has changed
	judging   bool                     // what is noted now somebody has decided
	assumed   []record.ID              // to be new, without looking
	after     record.ID                // the refused mutation that it builds on
	taken     []*record.Record         // conflicts that somebody else has decided first
	unsettled map[record.ID][]own      // what its author did to records before and that is parked
}

// settle is the whole story of one mutation: who may, what it had seen, each
// edit by the fields' policies, then what must hold of the result.
func (w *work) settle(writer *store.Writer, m *record.Mutation, person record.ID) (record.Outcome, error) {
	if first := w.entries[m.ID]; first != nil {
		return w.settleTwin(writer, m, first, person)
	}
	for {
		s := &settling{w: w, m: m, writer: writer, person: person, drafts: map[record.ID]*draft{}, noted: map[record.ID]bool{}}
		if m.Again != nil && m.Again.Epoch != w.head.Epoch {
			s.proof = w.e.teller.Prove(w.tx.Org, writer.ID, m)
		}
		err := s.all(person)
		var refusal *errs.Error
		switch {
		case err == nil:
			return s.accept()
		case !errors.As(err, &refusal) || refusal.Kind == errs.Internal || refusal.Kind == errs.Busy:
			return record.Outcome{}, err
		}
		mistaken, err := s.lookUp()
		if err != nil {
			return record.Outcome{}, err
		}
		if mistaken {
			continue
		}
		waits := s.proof.Result == record.Applied
		if !waits {
			waits, err = s.follow(refusal)
		}
		switch {
		case err != nil:
			return record.Outcome{}, err
		case waits:
			return s.park(refusal)
		}
		return s.refuse(refusal)
	}
}

// lookUp looks up what the mutation would have created, and reports whether
// any of it was wrongly taken for new.
func (s *settling) lookUp() (mistaken bool, err error) {
	recs := map[record.ID]bool{}
	for i := range s.m.Edits {
		if e := &s.m.Edits[i]; e.Op == record.OpCreate {
			recs[e.ID] = true
		}
	}
	err = s.w.loadRecords(recs)
	return slices.ContainsFunc(s.assumed, func(id record.ID) bool { return s.w.records[id] != nil }), err
}

func (s *settling) all(person record.ID) error {
	if s.m.Broken != nil {
		return s.m.Broken
	}
	var err error
	if s.actor, err = s.w.actor(person); err != nil {
		return err
	}
	switch s.proof.Result {
	case record.Refused:
		return errs.New("sync.settle", errs.Clash, "this change was refused before").Coded("refused")
	case record.Applied:
		if err := s.loadOver(); err != nil {
			return err
		}
	}
	if err := s.checkAfter(); err != nil {
		return err
	}
	if err := s.stamp(); err != nil {
		return err
	}
	if err := s.loadUnsettled(); err != nil {
		return err
	}
	if err := s.lookTaken(); err != nil {
		return err
	}
	for i := range s.m.Edits {
		e, err := s.redirect(&s.m.Edits[i])
		if err != nil {
			return err
		}
		s.applied = append(s.applied, e)
		if err := s.edit(e); err != nil {
			return err
		}
	}
	for _, e := range s.applied {
		if err := s.checkReferences(e); err != nil {
			return err
		}
	}
	return s.finish()
}

// stamp makes the typed time honest before it counts: cut back to little more
// than now, then lifted above all that its author can have read and above his
// own last. Lifting only above the value it replaces would make the outcome
// depend on the order of arrival.
func (s *settling) stamp() error {
	if err := s.m.Stamp.Check(); err != nil {
		return errs.New("sync.stamp", errs.Invalid, "%s", err.Error()).Coded("stamp")
	}
	if s.proof.Result == record.Applied { // it was made honest the first time
		s.by = record.Writer{Replica: s.writer.ID, N: s.m.N, Stamp: s.m.Again.Stamp, Seq: s.w.head.Seq + 1}
		return nil
	}
	st := s.m.Stamp
	if limit := s.w.now.UnixMilli() + maxAhead; st.MS > limit {
		st, s.clamped = version.Stamp{MS: limit}, true
	}
	low := s.writer.Stamp
	for i := range s.m.Edits {
		high, err := s.highSeen(s.m.Edits[i].Seen)
		if err != nil {
			return err
		}
		low = version.Later(low, high)
	}
	if st.Compare(low) <= 0 {
		st = low.Next()
	}
	s.by = record.Writer{Replica: s.writer.ID, N: s.m.N, Stamp: st, Seq: s.w.head.Seq + 1}
	return nil
}

// highSeen is the greatest effective stamp among what a vector covers.
func (s *settling) highSeen(seen version.Vector) (version.Stamp, error) {
	if record.Seq(seen.Seq()) > s.w.start {
		return version.Stamp{}, unseen("it has seen more than there is")
	}
	high := s.w.marks[record.Seq(seen.Seq())].High
	for name, n := range seen {
		if name == version.Log || n == 0 {
			continue // nothing was seen of it
		}
		writer, err := s.known(name, n)
		if err != nil {
			return high, err
		}
		stamp := writer.Stamp
		if n < writer.N {
			row, err := s.numbered(writer.ID, n)
			if err != nil {
				return high, err
			}
			if row != nil {
				stamp = row.Stamp
			}
		}
		high = version.Later(high, stamp)
	}
	return high, nil
}

// known finds a replica that a vector names.
func (s *settling) known(name version.Replica, n uint64) (*store.Writer, error) {
	id, ok := store.ReplicaNo(name)
	if ok && s.w.writers[id] == nil {
		if err := s.w.loadWriters([]record.ReplicaID{id}); err != nil {
			return nil, err
		}
	}
	writer := s.w.writers[id]
	if !ok || writer == nil || writer.N < n {
		return nil, unseen("it names a write that is not known here")
	}
	return writer, nil
}

func unseen(why string) error {
	return errs.New("sync.seen", errs.Invalid, "what this change says it has seen cannot be: %s", why).Coded("seen")
}

// write is the mutation as the policies see it, for one edit.
func (s *settling) write(e *record.Edit) *conflicts.Write {
	w := &conflicts.Write{By: s.by, Server: s.actor.System, Roles: s.actor.Roles, Floor: s.w.head.Floor, Again: s.proof.Result == record.Applied}
	w.Seen.Log = record.Seq(e.Seen.Seq())
	w.Seen.Line = s.w.line(s.writer.ID)
	w.Seen.Twins = s.w.twins[s.writer.ID]
	for name, n := range e.Seen {
		if id, ok := store.ReplicaNo(name); ok && name != version.Log {
			if w.Seen.Dots == nil {
				w.Seen.Dots = map[record.ReplicaID]uint64{}
			}
			w.Seen.Dots[id] = n
		}
	}
	s.recall(w, e.ID)
	s.awaitOwn(w, e.ID)
	if r := s.redirects[e]; r.of != nil && r.of.ID != e.ID {
		s.seesAs(w, r)
	}
	return w
}

// recall adds to what an author had seen of a record what a restored server
// knows only from him: writes that are back, and writes that are to come.
func (s *settling) recall(w *conflicts.Write, id record.ID) {
	if s.proof.Result != record.Applied {
		return
	}
	if s.proof.Dot.Replica != s.by.Replica {
		w.Former = s.proof.Dot
	}
	for name, n := range s.m.Again.Over[id] {
		no, ok := store.ReplicaNo(name)
		if !ok {
			continue
		}
		if w.Seen.Dots == nil {
			w.Seen.Dots = map[record.ReplicaID]uint64{}
		}
		w.Seen.Dots[no] = max(w.Seen.Dots[no], n)
		if known := s.w.writers[no]; known == nil || known.N < n {
			if w.Awaited == nil {
				w.Awaited = map[record.ReplicaID]uint64{}
			}
			w.Awaited[no] = n
		}
	}
}

// checkAfter refuses a mutation whose fate is tied to one that was refused.
func (s *settling) checkAfter() error {
	for _, raw := range s.m.After {
		entry, err := s.follows(raw)
		switch {
		case err != nil:
			return err
		case entry == nil:
			return errs.New("sync.after", errs.Invalid, "it comes after a change that has not arrived").Coded("after")
		case entry.Result == record.Refused:
			s.after = entry.ID
			return dependsOn()
		}
	}
	return nil
}

func dependsOn() error {
	return errs.New("sync.after", errs.Clash, "a change that this one builds on was refused").Coded("depends_on")
}

// follows finds the mutation that an entry of after means: a number of the same
// replica, or an id.
func (s *settling) follows(raw json.RawMessage) (*store.Entry, error) {
	if n, err := strconv.ParseUint(string(raw), 10, 63); err == nil {
		return s.numbered(s.writer.ID, n)
	}
	var id record.ID
	if err := json.Unmarshal(raw, &id); err != nil {
		return nil, nil //nolint:nilerr,nilnil // what is no name is the name of nothing
	}
	if e := s.w.entries[id]; e != nil {
		return e, nil
	}
	found, err := s.w.tx.EntriesByID(s.w.ctx, []record.ID{id})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// numbered finds a replica's mutation by its number, nil if it has none.
func (s *settling) numbered(replica record.ReplicaID, n uint64) (*store.Entry, error) {
	for i := len(s.w.log) - 1; i >= 0; i-- {
		if e := &s.w.log[i]; e.Replica == replica && e.N == n {
			return e, nil
		}
	}
	found, err := s.w.tx.EntriesByDot(s.w.ctx, replica, n, n)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// isRewritten reports whether a mutation was judged before with other content.
// One of the two that could not be read has none to compare.
func isRewritten(first *store.Entry, m *record.Mutation) bool {
	return first.Hash != m.Hash && first.Hash != [32]byte{} && m.Hash != [32]byte{}
}

func rewritten() *errs.Error {
	return errs.New("sync.settle", errs.Clash, "this change was sent before with other content").Coded("rewritten")
}

// settleTwin answers a mutation that was judged before under another name with the verdict of then; its
// first dot counts as own from now on. One that has the id of another is refused.
func (w *work) settleTwin(writer *store.Writer, m *record.Mutation, first *store.Entry, person record.ID) (record.Outcome, error) {
	seq := w.next()
	row := store.Entry{Seq: seq, Stamp: writer.Stamp, Person: person, Result: first.Result, Body: []byte("[]"), Twin: first.Seq}
	if isRewritten(first, m) {
		refusal := rewritten()
		row.Result, row.Outcome = record.Refused, history.Verdict{Refusal: record.RefusalOf(refusal)}.Text()
		w.append(writer, m, row)
		return record.Outcome{N: m.N, ID: m.ID, Result: record.Refused, Seq: seq, Refusal: record.RefusalOf(refusal)}, nil
	}
	w.twins[writer.ID] = append(w.twins[writer.ID], record.Writer{Replica: first.Replica, N: first.N})
	row.Stamp, row.Outcome = first.Stamp, first.Outcome
	body := first.Body
	if first.Result == record.Parked {
		w.parked = append(w.parked, store.Parked{Replica: writer.ID, N: m.N, Seq: first.Seq, Expires: w.now.Add(parkedFor)})
	}
	w.append(writer, m, row)
	told := w.log[len(w.log)-1]
	told.Body = body // the log tells of its edits once
	return w.repeat(&told, person)
}

// body is the row's text. What could not even be read has none.
func (s *settling) body() []byte {
	if s.m.Broken != nil {
		return []byte("[]")
	}
	return history.Text(s.edits)
}
